"""The settings of `metadata-rest`: `openMetadataServerConfig` in every published spelling, and the
sink's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from metaglean import Config

API = "http://host:8585/api"
NO_AUTH = "no-auth"
_BOT = "the current token of a bot (Settings, Bots, ingestion-bot)"
_VARIABLE = "write ${VARIABLE} or ${file:/path}"
_LONGEST_TOKEN = 65_536
_TOKEN = re.compile(r"[\x21-\x7e]+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEMPLATE = re.compile(r"%\(([^)]*)\)s|%%")
_OF_TEMPLATES = ("authorization", "content-type")
_INDEXED = (
    "Topics Tables Dashboards Pipelines MlModels Users Teams GlossaryTerms Tags Policy "
    "MessagingServices DatabaseServices PipelineServices"
).split()
_NO_INDEX = "nothing is indexed"
_PATTERNS = "filter patterns are set in sourceConfig.config"
_JWT_ONLY = "only a JWT token is used"
_NO_CLIENT_TLS = "no client certificate is sent"


class SecurityConfig(Config):
    """`securityConfig:`, how the server knows who is there."""

    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "secretKey", "audience", "clientId", "orgURL", "privateKey", "email", "scopes",
            "domain", "clientSecret", "authority", "tokenEndpoint",
        ),
        _JWT_ONLY,
    )  # fmt: skip

    jwt_token: SecretStr | None = Field(
        None, description=f"{_BOT[0].upper()}{_BOT[1:]}, or the path of a file that holds it."
    )

    @field_validator("jwt_token", mode="after")
    @classmethod
    def _read(cls, value: SecretStr | None) -> SecretStr | None:
        """Messages hold nothing of the value: all of it may be secret."""
        if value is None:
            return None
        text = value.get_secret_value().strip()
        if text.startswith("secret:"):
            raise ValueError(f"no secrets manager is read; {_VARIABLE}")
        if not _is_token(text):
            text = _from_file(text).strip()
        text = text.removeprefix("Bearer ").strip()
        if not text:
            return None
        if not _TOKEN.fullmatch(text):
            raise ValueError(f"expected {_BOT}; what stands here, or in the file, is no token")
        return SecretStr(text)


def _is_token(text: str) -> bool:
    """A JWT, or what can't be a path: no token has a slash."""
    if text.startswith("ey") or not text.isprintable():
        return True
    return not re.search(r"[/\\]", text) and not _stands(text, Path.is_file)


def _stands(path: str, how: Callable[[Path], bool] = Path.exists) -> bool:
    """What is too long for a path, or has a NUL, stands nowhere."""
    try:
        return how(Path(path))
    except (OSError, ValueError):
        return False


def _from_file(name: str) -> str:
    try:
        path = Path(name)
        if path.stat().st_size > _LONGEST_TOKEN:
            raise ValueError("the file that it names is too large to be a token")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"the file that it names can't be read: {reason}") from None
    except UnicodeDecodeError:
        raise ValueError("the file that it names holds no token") from None


class SslConfig(Config):
    """`sslConfig:`, whom to trust."""

    SPELLINGS: ClassVar[Mapping[str, str]] = {"certificatePath": "caCertificate"}
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "sslCertificate": _NO_CLIENT_TLS,
        "sslKey": _NO_CLIENT_TLS,
    }

    ca_certificate: str | None = Field(
        None, description="The path of a PEM file with the authorities to trust."
    )

    @field_validator("ca_certificate", mode="after")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        if value and "-----BEGIN" in value:
            raise ValueError("expected the path of a PEM file, not its text")
        if value and not _stands(value):
            raise ValueError("expected the path of a PEM file; there is none at this place")
        return value or None


class ServerConfig(Config):
    """`workflowConfig.openMetadataServerConfig`, of OpenMetadata 1.1 to 2.x."""

    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "type": "there is one type of server",
        "clusterName": "names begin with the service",
        "limitRecords": "the size of a page follows the bytes received",
        "secretsManagerProvider": f"no secrets manager is read; {_VARIABLE}",
        "secretsManagerLoader": f"no secrets manager is read; {_VARIABLE}",
        "elasticsSearch": _NO_INDEX,
        "databaseFilterPattern": _PATTERNS,
        "schemaFilterPattern": _PATTERNS,
        "tableFilterPattern": _PATTERNS,
        "supportsDataInsightExtraction": _NO_INDEX,
        "supportsElasticSearchReindexingExtraction": _NO_INDEX,
        **{f"include{name}": _NO_INDEX for name in _INDEXED},
    }
    # What servers and their pages write into every workflow.
    DEFAULTS: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "type": ("OpenMetadata",),
        "clusterName": ("openmetadata",),
        "limitRecords": (1000, "1000"),
        "secretsManagerProvider": ("db", "noop"),
        "secretsManagerLoader": ("noop", "env"),
        "elasticsSearch": (),
        "databaseFilterPattern": (),
        "schemaFilterPattern": (),
        "tableFilterPattern": (),
        "supportsDataInsightExtraction": (True, False),
        "supportsElasticSearchReindexingExtraction": (True, False),
        **{f"include{name}": (True, "true") for name in _INDEXED},
    }

    host_port: str = Field(description=f"Address of the server's API, for example {API}.")
    auth_provider: Literal[
        "basic", "azure", "google", "okta", "auth0", "aws-cognito", "custom-oidc", "ldap", "saml",
        "openmetadata", "no-auth",
    ] = Field(
        "openmetadata",
        description="Who signs people in. The token is used with all of them; no-auth needs none.",
    )  # fmt: skip
    security_config: SecurityConfig | None = Field(
        None, validate_default=True, description="`jwtToken:` with a bot's token."
    )
    verify_ssl: Literal["no-ssl", "ignore", "validate"] = Field(
        "no-ssl",
        alias="verifySSL",
        description="With https the server's certificate is verified, unless this is ignore.",
    )
    ssl_config: SslConfig | None = Field(
        None, description="`caCertificate:` with the path of a PEM file."
    )
    api_version: str = Field("v1", pattern=r"^v\d+$", description="The API's version.")
    enable_version_validation: bool = Field(
        True, description="Warn where a server's version was never tested."
    )
    force_entity_overwriting: bool = Field(
        False, description="Also write the connection of a service that stands."
    )
    store_service_connection: bool = Field(
        True, description="Store the source's connection with a new service."
    )
    extra_headers: dict[str, SecretStr] = Field(
        default={},
        description="More headers for every call; `%(Authorization)s` in a value is the token's.",
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: Any) -> Any:
        """The published models take null for every key."""
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data

    @field_validator("host_port", mode="after")
    @classmethod
    def _address(cls, value: str) -> str:
        return api_address(value)

    @field_validator("security_config", mode="after")
    @classmethod
    def _has_token(
        cls, value: SecurityConfig | None, info: ValidationInfo
    ) -> SecurityConfig | None:
        given = value is not None and value.jwt_token is not None
        if not given and info.data.get("auth_provider") != NO_AUTH:
            raise ValueError(f"expected `jwtToken:` with {_BOT}")
        return value

    @field_validator("extra_headers", mode="after")
    @classmethod
    def _headers(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in value.items():
            text = secret.get_secret_value()
            if not _HEADER.fullmatch(name) or not text.isprintable():
                raise ValueError("expected names and values of HTTP headers, each on one line")
            for found in _TEMPLATE.finditer(text):
                if found[1] is not None and found[1].lower() not in _OF_TEMPLATES:
                    raise ValueError(f"expected %(Authorization)s, not {found[0]}")
        return value

    @property
    def token(self) -> str | None:
        """The bot's token; None where the server asks for none."""
        secret = self.security_config.jwt_token if self.security_config else None
        return secret.get_secret_value() if secret else None

    @property
    def base_url(self) -> str:
        """The address below which the collections are."""
        return f"{self.host_port}/{self.api_version}"

    @property
    def verify(self) -> bool | str | None:
        """`verify` of a session: a file of authorities, False, or None for the environment's."""
        if self.verify_ssl == "ignore":
            return False
        return self.ssl_config.ca_certificate if self.ssl_config else None

    def headers(self) -> dict[str, str]:
        """What every request carries: the token and the extra headers, templates filled in."""
        own = f"Bearer {self.token}" if self.token else ""
        known = {"authorization": own, "content-type": "application/json"}
        headers = {"Authorization": own} if own else {}
        for name, secret in self.extra_headers.items():
            if name.lower() == "authorization":
                headers.pop("Authorization", None)
            headers[name] = _TEMPLATE.sub(
                lambda found: known[found[1].lower()] if found[1] else "%",
                secret.get_secret_value(),
            )
        return headers


class MetadataRestConfig(Config):
    """`config` of the sink `metadata-rest`."""

    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "api_endpoint": "the server is openMetadataServerConfig.hostPort",
        "bulk_sink_batch_size": "batches are cut by their size",
        "enable_async_pipeline": "the server's answers are waited for",
        "async_pipeline_workers": "sourceConfig.config.threads sets the workers",
    }
    DEFAULTS: ClassVar[Mapping[str, tuple[object, ...]]] = {
        "api_endpoint": (),
        "bulk_sink_batch_size": (100,),
        "enable_async_pipeline": (True,),
        "async_pipeline_workers": (2,),
    }

    override_metadata: bool | None = Field(
        None,
        alias="override_metadata",
        description="As sourceConfig.config.overrideMetadata: either of the two is enough.",
    )


def api_address(value: str) -> str:
    """`scheme://host[:port]/…/api` of an address, without `/v1` and slashes at its end.

    Raises ValueError for what is no address, or one without the path of the API.
    """
    text = value.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError(f"expected an address such as {API}")
    if "@" in parts.netloc or parts.query or parts.fragment or re.search(r"\s", text):
        raise ValueError(f"expected an address such as {API}, without user, query or blanks")
    path = re.sub(r"(/api)/v\d+$", r"\1", parts.path.rstrip("/"))
    if not path:
        raise ValueError(f"the path /api is missing: expected an address such as {API}")
    return f"{parts.scheme}://{parts.netloc}{path}"
