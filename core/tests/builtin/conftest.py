from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from metaglean import (
    Change,
    Column,
    Database,
    Record,
    Ref,
    Run,
    Schema,
    Service,
    Sink,
    Table,
)  # fmt: skip
from metaglean.builtin.catalog import register_sinks

SERVICE = Ref("databaseService", ("domo",))
DATABASE = SERVICE.child("database", "default")
SCHEMA = DATABASE.child("databaseSchema", "default")


class VirtualClock:
    """Waiting costs nothing but virtual time."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def wake(self) -> None:
        pass


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def make_run(clock: VirtualClock) -> Callable[..., Run]:
    def make(**options: object) -> Run:
        return Run(SERVICE, **{"clock": clock, **options}).at("sink")

    return make


@pytest.fixture
def table() -> Callable[..., Table]:
    """A table of the schema that all tests share; columns as "name:TYPE"."""

    def make(name: str, *columns: str, **fields: object) -> Table:
        parts = [column.partition(":") for column in columns]
        made = tuple(Column(name=part[0], data_type=part[2] or "STRING") for part in parts)
        if made:
            fields.setdefault("columns", made)
        return Table(ref=SCHEMA.child("table", name), **fields)

    return make


@pytest.fixture
def parents() -> list[Record]:
    return [
        Service(ref=SERVICE, service_type="DomoDatabase"), Database(ref=DATABASE),
        Schema(ref=SCHEMA),
    ]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metaglean.db"


@pytest.fixture
def write(path: Path, make_run: Callable[..., Run]) -> Callable[..., list[Change]]:
    """One whole run of the catalog over these records."""

    def writing(records: Iterable[Record], **options: object) -> list[Change]:
        run = make_run(**options)
        with opened(path, run) as sink:
            changes = list(sink.write(iter(records), run))
        assert run.report.problems.count == 0, run.report.as_dict()["problems"]
        return changes

    return writing


@contextlib.contextmanager
def opened(path: Path, run: Run) -> Iterator[Sink]:
    [kind] = register_sinks()
    sink = kind(kind.Config(path=str(path)))
    try:
        assert all(step.ok for step in sink.open(run))
        yield sink
    finally:
        sink.close("success")


@pytest.fixture
def opened_catalog(path: Path) -> Callable[[Run], contextlib.AbstractContextManager[Sink]]:
    return lambda run: opened(path, run)


@pytest.fixture
def query(path: Path) -> Callable[..., list[tuple]]:
    """Look into the file behind the catalog's back."""

    def run(sql: str, *values: object) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(sql, values).fetchall()

    return run


@pytest.fixture
def dump(query: Callable[..., list[tuple]], path: Path) -> Callable[[], str]:
    """All rows of the catalog that don't depend on when and in which run they were written."""

    def text() -> str:
        rows = query(
            "SELECT kind, fqn, source_id, deleted_run IS NULL, volatile, state FROM entities"
            " ORDER BY kind, fqn"
        )
        return "\n".join(map(repr, rows))

    return text
