"""The first words with a server: its version, and the connection that it stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from metaglean import Auth, ConfigError, ItemError, Ref, RemoteError
from metaglean.builtin.server.client import Server, classify
from metaglean.builtin.server.config import API, ServerConfig
from metaglean.builtin.server.features import Features, parse_version, shown
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.builtin.server.wire import KINDS
from metaglean.http import CredentialsRefused

if TYPE_CHECKING:
    from metaglean import Run, Session

NAME = "OpenMetadata"
OLDEST = (1, 1)
TIMEOUT = (10.0, 55.0)  # twice within the 120 s that are given to a call
# References into a secrets manager, and what only the server itself can decrypt.
_ELSEWHERE = ("secret:", "fernet:")


class _Headers(Auth):
    """The token, and the headers that the workflow adds; none of them leaves the server."""

    def __init__(self, config: ServerConfig) -> None:
        self._headers = config.headers()
        extra = (secret.get_secret_value() for secret in config.extra_headers.values())
        self._secrets = (config.token, *self._headers.values(), *extra)

    def attach(self, session: Session) -> None:
        session.redactor.add(*self._secrets)

    def headers(self) -> Mapping[str, str]:
        return self._headers


def connect(run: Run, config: ServerConfig) -> Server:
    """The server, its features known by its version.

    Raises RemoteError where it can't be reached, is no OpenMetadata server, or is older than 1.1.
    """
    session = run.session(
        NAME,
        config.base_url,
        auth=_Headers(config),
        verify=config.verify,
        timeout=TIMEOUT,
        classify=classify,
    )
    version = _version(session)
    parsed = parse_version(version)
    if parsed is None:
        raise _no_server(session, f"its version is {version[:40]!r}")
    if parsed[:2] < OLDEST:
        raise RemoteError(
            f"{NAME} {shown(parsed)} at {session.base_url} is too old",
            "Servers from 1.1 on can be written to.",
        )
    return Server(session, Features(parsed))


def stored_connection(server: Server, service: Ref) -> dict[str, Any] | None:
    """`connection.config` of a service as the server stores it; None where there is none.

    A person gets its secrets masked, a bot in clear: the answer is never logged. Raises
    ConfigError where the secrets are not on the server itself.
    """
    qualified = QualifiedNames(ServerNames(server.features))(service)
    body = server.named(KINDS[service.kind].collection, qualified)
    connection = body.get("connection") if body else None
    config = connection.get("config") if isinstance(connection, dict) else None
    if not isinstance(config, dict) or not config:
        return None
    elsewhere = sorted(key for key, value in config.items() if _is_elsewhere(value))
    if elsewhere:
        server.session.redactor.add(*_texts(config))
        raise ConfigError(
            f"the connection that is stored for {service.path[0]!r} has secrets in a secrets "
            f"manager: {', '.join(elsewhere)}",
            "Write serviceConnection into the workflow; no secrets manager is read.",
        )
    return config


def _version(session: Session) -> str:
    try:
        body = session.get_json("system/version")
    except (ItemError, CredentialsRefused) as error:  # a server tells it without credentials
        raise _no_server(session, error.message) from error
    version = body.get("version") if isinstance(body, dict) else None
    if not isinstance(version, str):
        raise _no_server(session, "it tells no version")
    return version


def _no_server(session: Session, reason: str) -> RemoteError:
    return RemoteError(
        f"there is no {NAME} API at {session.base_url}: {reason}",
        f"Check hostPort in openMetadataServerConfig: it is the API's address, as {API}.",
    )


def _is_elsewhere(value: Any) -> bool:
    return any(text.startswith(_ELSEWHERE) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
