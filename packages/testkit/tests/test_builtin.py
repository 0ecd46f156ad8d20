"""The core's own plugins keep the rules that the kit asks of everybody's."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from metaglean.builtin.catalog.sink import CatalogSink
from metaglean.builtin.console import ConsoleSink
from metaglean.builtin.file import FileSink
from metaglean.builtin.filter import FilterProcessor
from metaglean_testkit import ProcessorContract, SinkContract, directory_snapshot


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
                return list(connection.iterdump())

        return take


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
