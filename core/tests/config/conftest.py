"""A source like Domo's, a sink like a server's, and files to put them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import pytest
from pydantic import Field, SecretStr, field_validator

from metaglean import (
    Config,
    ConfigError,
    DatabaseOptions,
    PluginError,
    Processor,
    Profiler,
    Sink,
    Source,
)
from metaglean.builtin.server.config import ServerConfig
from metaglean.config import load_workflow, parse_workflow

SECRET = "hunter2-hunter2"


class Password(Config):
    SPELLINGS: ClassVar[Mapping[str, str]] = {"pass": "password"}

    type: Literal["Password"] = "Password"
    user: str
    password: SecretStr


class Key(Config):
    type: Literal["Key"] = "Key"
    file: str


class Auth(Config):
    password: SecretStr | None = None


class Box(Config):
    weight: float = 0


class ShopConfig(Config):
    SPELLINGS: ClassVar[Mapping[str, str]] = {
        "sandboxDomain": "instanceDomain",
        "database": "databaseName",
        "password": "authType.password",
    }
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "connectionOptions": "there is no driver",
        "connectionArguments": "there is no driver",
    }

    client_id: str = Field(description="The OAuth client's id.")
    secret_token: SecretStr = Field(description="The OAuth client's secret.")
    access_token: SecretStr | None = None
    api_host: str = "api.shop.example"
    instance_domain: str | None = None
    database_name: str = "default"
    retries: int = Field(3, ge=0, le=9)
    auth_type: Auth | None = None
    login: Password | Key | None = None
    extra: dict[str, Auth] = {}
    several: tuple[Password, ...] = ()
    color: Literal["red", "green"] = "red"
    sizes: dict[str, tuple[int, ...]] = {}
    box: Box | None = None
    either: int | bool = 0

    @field_validator("access_token")
    @classmethod
    def _tells_too_much(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value().startswith("bad"):
            raise ValueError(f"the token {value.get_secret_value()} is bad")
        return value


class ShopOptions(DatabaseOptions):
    include_prices: bool = False


class Shop(Source):
    """Reads a shop."""

    type = "shop"
    Config = ShopConfig
    Options = ShopOptions
    connection_types = ("Shop", "ShopDashboard")

    @classmethod
    def check_config(cls, config, options):
        if config.api_host == "nowhere":
            yield f"nowhere can't be read with {config.secret_token.get_secret_value()}"

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        return iter(())


class Plain(Source):
    """As short as a source can be."""

    type = "plain"

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        return iter(())


class ShopProfiler(Profiler):
    type = "shop"

    def profile(self, table, run):
        return iter(())


class _AnySink(Sink):
    def write(self, records, run):
        return iter(())


class Catalog(_AnySink):
    type = "catalog"


class FileConfig(Config):
    path: str
    api_key: SecretStr | None = None


class File(_AnySink):
    type = "file"
    Config = FileConfig


class Server(_AnySink):
    type = "metadata-rest"
    ServerConfig = ServerConfig

    def stored_connection(self, service):
        return None


class ShoutConfig(Config):
    volume: int = 1


class Shout(Processor):
    type = "shout"
    Config = ShoutConfig

    def process(self, records, run):
        return records


class Installed:
    """What `metaglean.plugins.Registry` is to the parser."""

    def __init__(self) -> None:
        self.classes = {
            ("source", "shop"): Shop,
            ("source", "plain"): Plain,
            ("sink", "catalog"): Catalog,
            ("sink", "file"): File,
            ("sink", "metadata-rest"): Server,
            ("processor", "shout"): Shout,
            ("profiler", "shop"): ShopProfiler,
        }

    def get(self, kind, name):
        if (kind, name.lower()) not in self.classes:
            raise PluginError(f"there is no {kind} of the type {name!r}", "Installed: some.")
        return self.classes[kind, name.lower()]

    def types(self, kind):
        return sorted(name for of, name in self.classes if of == kind)


@pytest.fixture(scope="session")
def registry():
    return Installed()


@pytest.fixture
def load(registry, tmp_path):
    """`load(text, environ)` → WorkflowConfig, from a file called w.yaml."""

    def load(text, environ=None):
        path = tmp_path / "w.yaml"
        path.write_text(text, encoding="utf-8")
        return load_workflow(path, registry, environ or {})

    return load


@pytest.fixture
def errors(load, tmp_path):
    """`errors(text)` → the message of the error, with the folder cut off."""

    def errors(text, environ=None, kind=ConfigError):
        with pytest.raises(kind) as caught:
            load(text, environ)
        assert caught.value.exit_code == 2
        assert SECRET not in str(caught.value)
        assert "pydantic" not in str(caught.value)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return errors


@pytest.fixture
def parse(registry):
    return lambda data: parse_workflow(data, registry)


@pytest.fixture
def workflow():
    """`workflow(connection, options)` → the text of a file; both are lines of YAML, unindented."""

    def workflow(connection="", options="", rest=""):
        lines = [
            "source:",
            "  type: shop",
            "  serviceName: local",
            "  serviceConnection:",
            "    config:",
            "      type: Shop",
            "      clientId: client",
            f"      secretToken: {SECRET}",
            *(f"      {line}" for line in connection.splitlines()),
            "  sourceConfig:",
            "    config:",
            "      type: DatabaseMetadata",
            *(f"      {line}" for line in options.splitlines()),
            rest,
        ]
        return "\n".join(lines)

    return workflow
