"""A Domo sandbox on loopback, and runs against it whose waits take no time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from metaglean import Change, Existing, Record, Ref, Run, Sink, Table
from metaglean_domo.database import DomoDatabase
from metaglean_domo_sandbox import Sandbox, Tenant

SERVICE = Ref("databaseService", ("domo",))


class FastClock:
    """A clock whose sleeps advance it at once."""

    def __init__(self) -> None:
        self._now = 1_800_000_000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds

    def wake(self) -> None:
        pass


class Target(Sink):
    """A target in which the tables of an earlier run stand."""

    def __init__(self, tables: list[Table]) -> None:
        super().__init__(None)
        self.tables = tables

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        for table in self.tables:
            if table.ref.kind == kind and table.ref.parent == scope:
                yield Existing(table.ref, table.source_id, table.source_id)

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        return iter(())


class Result:
    """What one run gave."""

    def __init__(self, source: DomoDatabase, run: Run, records: list[Record]) -> None:
        self.source = source
        self.run = run
        self.records = records
        self.tables = [record for record in records if isinstance(record, Table)]

    @property
    def listing(self) -> Any:
        return next(one for one in self.run.listings if one.kind == "table")

    def named(self, name: str) -> Table:
        (found,) = [table for table in self.tables if table.display_name == name]
        return found

    def warnings(self) -> str:
        return "\n".join(group.message for group in self.run.report.warnings)

    def problems(self) -> str:
        return "\n".join(group.message for group in self.run.report.problems)


def settings(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    """The connection's settings; a change to None leaves the key out."""
    given = sandbox.connection()
    values = {
        "clientId": given["client_id"],
        "secretToken": given["client_secret"],
        "accessToken": given["access_token"],
        "apiHost": given["public_url"],
        "instanceDomain": given["instance_url"],
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def read_all(
    sandbox: Sandbox,
    connection: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    standing: list[Table] | None = None,
) -> Result:
    source = DomoDatabase(
        DomoDatabase.Config.model_validate(settings(sandbox, **(connection or {}))),
        DomoDatabase.Options.model_validate(options or {}),
        SERVICE,
    )
    later = SimpleNamespace()
    run = Run(
        SERVICE,
        clock=FastClock(),
        sink=Target(standing or []),
        gone=lambda kind, ids: source.confirm_gone(later.run, kind, ids),
    )
    later.run = run
    try:
        return Result(source, run, list(source.read(run)))
    finally:
        # The session stays usable for what a test asks afterwards; the sockets go with the server.
        sandbox.closing.append(run)  # type: ignore[attr-defined]  # a list that the fixture adds


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes that end with the test."""
    running: list[Sandbox] = []

    def begin(tenant: Tenant | None = None, **settings: Any) -> Sandbox:
        sandbox = Sandbox(tenant or Tenant.demo(), **settings).start()
        sandbox.closing = []  # type: ignore[attr-defined]  # the runs to close with it
        running.append(sandbox)
        return sandbox

    yield begin
    for sandbox in running:
        for run in sandbox.closing:  # type: ignore[attr-defined]  # as above
            run.close()
        sandbox.stop()


@pytest.fixture
def read() -> Callable[..., Result]:
    """Reads a sandbox whole: `read(sandbox, connection, options, standing)`."""
    return read_all
