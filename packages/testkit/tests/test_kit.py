"""The kit as a package: cheap to import, complete, and its helpers."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib.metadata import entry_points
from types import SimpleNamespace

import pytest

import metaglean_testkit
from metaglean import Source
from metaglean_testkit import (
    Answer,
    MemorySink,
    ProcessorContract,
    ProfilerContract,
    Request,
    SinkContract,
    SourceContract,
    SourceFaults,
    component_contract,
    run_source,
)  # fmt: skip
from metaglean_testkit.fault_suite import _previous
from metaglean_testkit.proxy import Call

SUITES = [SourceContract, ProcessorContract, SinkContract, ProfilerContract, SourceFaults]


class Two(Source):
    """Two tables, without a system behind it."""

    type = "two"

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        from metaglean import Database, Listed, Schema, Table

        database = self.service.child("database", "d")
        schema = database.child("databaseSchema", "s")
        yield Database(ref=database)
        yield Schema(ref=schema)
        inventory = [Listed("1", "a"), Listed("2", "a")]
        for ref, listed in run.listing("table", schema).over(inventory):
            yield Table(ref=ref, source_id=listed.id)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_every_rule_is_written_down(suite):
    rules = [value for name, value in inspect.getmembers(suite) if name.startswith("test_")]
    assert rules
    assert all(rule.__doc__ for rule in rules)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_bases_are_not_collected_and_subclasses_are(suite):
    assert suite.__test__ is False
    assert type("TestMine", (suite,), {}).__test__ is True
    assert type("MyOwnBase", (suite,), {}).__test__ is False


def test_the_pytest_plugin_is_cheap():
    code = "import sys, metaglean_testkit.pytest_plugin as _; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pydantic", "vcr", "urllib3", "metaglean", "metaglean_testkit.clock"} & set(out)


def test_public_names_are_complete():
    text = inspect.getsource(metaglean_testkit)
    imported = {
        alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("metaglean_testkit")
        for alias in node.names
    }
    assert set(metaglean_testkit.__all__) == imported
    assert all(getattr(metaglean_testkit, name) for name in metaglean_testkit.__all__)
    with pytest.raises(AttributeError):
        metaglean_testkit.nothing  # noqa: B018  # the access is the test


def test_the_plugin_is_registered():
    points = [point.value for point in entry_points(group="pytest11")]
    assert "metaglean_testkit.pytest_plugin" in points


def test_run_source_reads_and_writes():
    sink = MemorySink()
    run, records = run_source(Two, {}, sink=sink)
    assert [record.ref.name for record in records] == ["d", "s", "a", "a_2"]
    assert len(sink.standing) == 4
    again, _ = run_source(Two, {}, sink=sink, options={"tableFilterPattern": {"includes": ["x"]}})
    assert run.report.problems.count == 0
    assert again.report.number("source", "table", "filtered") == 2


def test_virtual_clock_fixture(virtual_clock):
    virtual_clock.sleep(3600)
    assert virtual_clock.monotonic() == 3600


def entry_point_rule(monkeypatch, component_class, *points):
    """What the rule about entry points says of a class, with these installed."""
    monkeypatch.setattr(component_contract, "entry_points", lambda group: points)
    suite = type("TestIt", (SourceContract,), {"source_class": component_class})()
    suite.test_entry_point_names_the_type()


def test_the_entry_point_is_looked_at(monkeypatch):
    module = SimpleNamespace(register_sources=lambda: [Two])
    module.register_sources.metaglean_impl = {}
    monkeypatch.setattr(component_contract, "import_module", lambda name: module)
    good = SimpleNamespace(name="two", value="two_plugin")
    entry_point_rule(monkeypatch, Two, good)
    with pytest.raises(AssertionError, match="is it installed"):
        entry_point_rule(monkeypatch, Two)
    with pytest.raises(AssertionError, match="claimed by 2"):
        entry_point_rule(monkeypatch, Two, good, good)
    other = type("Two", (Two,), {})
    with pytest.raises(AssertionError, match="doesn't return"):
        entry_point_rule(monkeypatch, other, good)
    module.register_sources = lambda: [Two]
    with pytest.raises(AssertionError, match="@hookimpl"):
        entry_point_rule(monkeypatch, Two, good)


def call(target):
    return Call(Request("GET", target), "GET /tables", Answer(200, body=target.encode()))


@pytest.mark.parametrize(
    ("targets", "index", "expected"),
    [
        (["/t?offset=0&limit=2", "/t?offset=2&limit=2", "/t?offset=4&limit=2"], 0, 1),
        (["/t?offset=0&limit=2", "/t?offset=2&limit=2", "/t?offset=4&limit=2"], 2, 1),
        (["/t?limit=2", "/t?limit=2&cursor=b", "/t?limit=2&cursor=d"], 0, None),
        (["/t?limit=2", "/t?limit=2&cursor=b", "/t?limit=2&cursor=d"], 1, 0),
        (["/t"], 0, None),
    ],
)
def test_the_wrong_page_is_one_that_a_client_can_tell(targets, index, expected):
    """Who follows a cursor can't know that the first page is the second."""
    calls = [call(target) for target in targets]
    answer = None if expected is None else calls[expected].answer
    assert _previous(calls, index) == answer
