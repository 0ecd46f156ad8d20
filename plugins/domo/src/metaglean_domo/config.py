"""The settings of a Domo connection, in every published spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from metaglean import Config, DatabaseOptions

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_PATTERNS = "filter patterns are set in sourceConfig.config"
_NO_DRIVER = "Domo is read over HTTP; there is no database driver to give it to"


class DomoConnection(Config):
    """`serviceConnection.config` of Domo sources."""

    SPELLINGS: ClassVar[Mapping[str, str]] = {
        "sandboxDomain": "instanceDomain",
        "database": "databaseName",
    }
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "connectionOptions": _NO_DRIVER,
        "connectionArguments": _NO_DRIVER,
        "databaseFilterPattern": _PATTERNS,
        "schemaFilterPattern": _PATTERNS,
        "tableFilterPattern": _PATTERNS,
    }

    client_id: str = Field(min_length=1, description="Id of the API client.")
    secret_token: SecretStr = Field(min_length=1, description="Secret of the API client.")
    access_token: SecretStr | None = Field(
        None,
        description="Access token of the instance. Without it kinds, tags, certification, view SQL "
        "and keys are not read.",
    )
    api_host: str = Field("https://api.domo.com", description="Host of the public API.")
    instance_domain: str | None = Field(
        None, description="Your instance, for example https://acme.domo.com."
    )
    database_name: str = Field("default", description="Name of the database in the catalog.")
    ca_file: str | None = Field(
        None, description="Certificate authorities to trust, as a PEM file; else the system's."
    )
    column_descriptions: bool = Field(
        False, description="Read column descriptions (data dictionary): one call a table."
    )
    co_owners: bool = Field(False, description="Read co-owners as well: one call a table.")

    @field_validator("access_token", "instance_domain", "ca_file", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_name", mode="before")
    @classmethod
    def _default_name(cls, value: object) -> object:
        return "default" if value in (None, "") else value

    @field_validator("api_host", mode="after")
    @classmethod
    def _api_address(cls, value: str) -> str:
        return base_url(value)

    @field_validator("instance_domain", mode="after")
    @classmethod
    def _instance_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        # The bare name of an instance is what Domo's users call it.
        return base_url(value if re.search(r"[.:/]", value) else f"{value}.domo.com")

    def stored(self, version: tuple[int, int]) -> dict[str, Any]:
        """The connection as OpenMetadata servers of a version keep it, secrets in clear.

        Their ingestion takes the API's host without its scheme; settings of our own are left out.
        """
        token = self.access_token
        values = {
            "clientId": self.client_id,
            "secretToken": self.secret_token.get_secret_value(),
            "accessToken": token.get_secret_value() if token else None,
            "apiHost": self.api_host.removeprefix("https://"),
            "instanceDomain" if version >= (1, 2) else "sandboxDomain": self.instance_domain,
            "databaseName": self.database_name,
        }
        return {key: value for key, value in values.items() if value is not None}

    def missing_for_instance(self) -> tuple[str, ...]:
        """Which of the two settings that the instance's API needs are not given."""
        given = {"accessToken": self.access_token, "instanceDomain": self.instance_domain}
        return tuple(key for key, value in given.items() if value is None)


class DomoDatabaseOptions(DatabaseOptions):
    """`sourceConfig.config` of DomoDatabase."""

    include_owners: bool = Field(True, description="Read owners.")


def base_url(address: str) -> str:
    """`scheme://host[:port]` of an address; without a scheme it is https.

    Raises ValueError for what is no host, has a path of its own, or would send credentials in
    clear over a network (http is accepted on loopback only).
    """
    text = address.strip()
    parts = urlsplit(text if "://" in text else f"https://{text}")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not (_HOST.fullmatch(host) or host == "::1"):
        raise ValueError("expected a host or an address such as https://acme.domo.com")
    if parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected the host alone, without user, path or query")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("http would send the credentials in clear; write https")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port else "")


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))
