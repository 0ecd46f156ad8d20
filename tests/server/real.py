"""A real OpenMetadata server for tests: one that is named from outside, or one of their own."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.server.api import Api, ApiError
from tests.server.package import Package

SIBLING = Path(__file__).resolve().parents[3] / "shared" / "openmetadata-server"
REFRESH = 1800.0  # seconds; an admin's token of the package lives for an hour
SERVICES = ("databaseServices", "pipelineServices", "dashboardServices")


class NotOurs(Exception):
    """Asked of a server that other people use: only one that the tests started takes this."""


class RealServer:
    """`own` says whether the tests started it, and may damage it.

    `url` ends with `/api`; `token` is a bot's. `scratch` gives names of services, `discard` takes
    other entities: `close` removes them for good, with all that stands below.
    """

    def __init__(self, url: str, token: str, admin: str | None, package: Package | None) -> None:
        self.own = package is not None
        self._url = url.rstrip("/")
        self._token = token
        self._admin = admin
        self._package = package
        self._admin_since = 0.0
        self._scratch: list[str] = []
        self._discarded: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return self._package.url if self._package else self._url

    @property
    def token(self) -> str:
        return self._package.bot_token if self._package else self._token

    @property
    def has_admin(self) -> bool:
        return self.own or self._admin is not None

    @property
    def admin_token(self) -> str:
        """A person's who may do everything; raises NotOurs where none was named."""
        if self._package and time.monotonic() > self._admin_since + REFRESH:
            self._admin = self._package.admin_token()
            self._admin_since = time.monotonic()
        if self._admin is None:
            raise NotOurs("METAGLEAN_TEST_SERVER_ADMIN_TOKEN names no variable with a token")
        return self._admin

    @property
    def version(self) -> str:
        return str(self.api().get("system/version")["version"])

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor of the version, to compare."""
        major, minor, *_ = self.version.split(".")
        return int(major), int(minor)

    def api(self, *, as_admin: bool = False) -> Api:
        """A client with the bot's or the admin's token of this moment."""
        return Api(self.url, self.admin_token if as_admin else self.token)

    def scratch(self, prefix: str) -> str:
        """A name that no service has, for services of any type; removed at the end."""
        name = f"{prefix}_{secrets.token_hex(4)}"
        self._scratch.append(name)
        return name

    def discard(self, collection: str, name: str) -> str:
        """Remove this entity too at the end (`discard("users", "ann")`); gives its name."""
        self._discarded.append((collection, name))
        return name

    def pause(self) -> None:
        """The server stops answering; its connections stay open."""
        self._ours().signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._ours().signal(signal.SIGCONT)

    def kill(self) -> None:
        """The server is gone at once; connections are refused."""
        self._ours().kill()

    def start(self) -> None:
        """Start the server again, at the same address with the same database."""
        self._ours().start()

    def wipe(self) -> None:
        """A new database: takes about as long as a start."""
        self._ours().wipe()
        self._admin_since = 0.0
        self._scratch.clear()
        self._discarded.clear()

    def close(self) -> list[str]:
        """Stop the server, or remove what the tests made there; gives what could not be removed."""
        if self._package:
            self._package.stop()
            return []
        api = self.api(as_admin=self.has_admin)
        named = [(f"services/{kind}", name) for name in self._scratch for kind in SERVICES]
        left = [_remove(api, collection, name) for collection, name in named + self._discarded]
        return [message for message in left if message]

    def _ours(self) -> Package:
        if self._package is None:
            raise NotOurs("the tests did not start this server, so they neither stop nor wipe it")
        return self._package


def _remove(api: Api, collection: str, name: str) -> str:
    """Delete one entity for good; gives what went wrong."""
    try:
        found = api.find(collection, name, include="all")
        if found:
            api.delete(f"{collection}/{found['id']}", recursive=True, hardDelete=True)
    except (ApiError, OSError) as error:
        return f"{collection} {name}: {error}"
    return ""


def named_package(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that METAGLEAN_SERVER_PACKAGE names, else the one beside the checkout."""
    named = environment.get("METAGLEAN_SERVER_PACKAGE")
    if named:
        return Path(named)
    return SIBLING if (SIBLING / "start.sh").is_file() else None


def open_server(environment: Mapping[str, str] = os.environ) -> RealServer | None:
    """The server that the environment asks for; None where it names none.

    Raises StartFailed, or KeyError where a variable that should hold a token isn't set.
    """
    url = environment.get("METAGLEAN_TEST_SERVER")
    if url:
        admin = "METAGLEAN_TEST_SERVER_ADMIN_TOKEN"
        return RealServer(
            url,
            _token(environment, "METAGLEAN_TEST_SERVER_TOKEN"),
            _token(environment, admin) if environment.get(admin) else None,
            None,
        )
    home = named_package(environment)
    return start_package(home) if home else None


def _token(environment: Mapping[str, str], setting: str) -> str:
    variable = environment.get(setting)
    token = environment.get(variable) if variable else None
    if not token:
        raise KeyError(f"{setting} must name a variable that holds a token, and names {variable}")
    return token


def start_package(home: Path, **options: Any) -> RealServer:
    """A server of the tests' own, started from the package's folder; raises StartFailed."""
    package = Package(home, **options)
    try:
        package.start()
    except BaseException:
        package.stop()
        raise
    return RealServer("", "", None, package)
