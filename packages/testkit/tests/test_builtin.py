"""The core's own plugins keep the rules that the kit asks of everybody's."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from metaglean.builtin.catalog.sink import CatalogSink
from metaglean.builtin.console import ConsoleSink
from metaglean.builtin.file import FileSink
from metaglean.builtin.filter import FilterProcessor
from metaglean.builtin.server.sink import MetadataRestSink
from metaglean_testkit import ProcessorContract, SinkContract, directory_snapshot
from metaglean_testkit.openmetadata import FakeServer


class TestCatalog(SinkContract):
    sink_class = CatalogSink

    @pytest.fixture
    def settings(self, tmp_path):
        return {"path": str(tmp_path / "catalog.db")}

    @pytest.fixture
    def snapshot(self, tmp_path):
        def take():
            path = tmp_path / "catalog.db"
            if not path.exists():
                return None
            with contextlib.closing(sqlite3.connect(path)) as connection:
                return stored(connection)

        return take


def stored(connection):
    """All rows; a full-text index without content can't be read but in the tables behind it."""
    tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    names = [name for name, sql in tables.fetchall() if not sql.startswith("CREATE VIRTUAL")]
    return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}


class OfServer(SinkContract):
    """`metadata-rest` with the fake server of one version."""

    sink_class = MetadataRestSink
    version = ""

    @pytest.fixture
    def fake(self):
        with FakeServer(version=self.version) as server:
            server.call("PUT", "/users", {"name": "ann", "email": "ann@example.com"})
            yield server

    @pytest.fixture
    def server(self, fake):
        return {
            "hostPort": fake.url,
            "authProvider": "openmetadata",
            "securityConfig": {"jwtToken": fake.token},
        }

    @pytest.fixture
    def snapshot(self, fake):
        return fake.snapshot


class TestServer12(OfServer):
    version = "1.2.0"


class TestServer14(OfServer):
    version = "1.4.0"


class TestServer20(OfServer):
    version = "2.0.0"


class TestFile(SinkContract):
    sink_class = FileSink

    @pytest.fixture
    def settings(self, tmp_path):
        (tmp_path / "out").mkdir()
        return {"path": str(tmp_path / "out" / "records.jsonl")}

    @pytest.fixture
    def snapshot(self, tmp_path):
        return lambda: directory_snapshot(tmp_path / "out")


class TestConsole(SinkContract):
    sink_class = ConsoleSink

    @pytest.fixture
    def snapshot(self, capsys):
        return lambda: None


class TestFilter(ProcessorContract):
    processor_class = FilterProcessor

    @pytest.fixture
    def settings(self):
        return {"kinds": ["table"], "excludes": [".*orders"]}


class TestFilterThatPassesAll(ProcessorContract):
    processor_class = FilterProcessor
