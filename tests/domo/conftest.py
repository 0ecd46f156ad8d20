"""A Domo sandbox on real sockets, workflows on a virtual clock, and what stands in the catalog."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from metaglean import fqn
from metaglean.errors import MetagleanError
from metaglean.summary import summary
from metaglean.workflow import Workflow
from metaglean_domo_sandbox import Sandbox, Tenant
from metaglean_testkit import VirtualClock

SCOPE = ("domo", "default", "default")
PREFIX = fqn.build(SCOPE)


class Entity(NamedTuple):
    """An entity of the catalog; `fields` are its leaves by path (columns by their name)."""

    source_id: str | None
    deleted: bool
    fields: dict[str, Any]


Snapshot = dict[tuple[str, str], Entity]


@dataclass
class Outcome:
    """What one run left. `changes` are (kind, qualified name, action, fields that changed)."""

    code: int
    text: str
    changes: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    workflow: Workflow | None = None
    error: BaseException | None = None

    def number(self, action: str, kind: str = "table") -> int:
        return sum(1 for c in self.changes if c[0] == kind and c[2] == action)

    @property
    def changed(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """The changes that a person would call so."""
        return [c for c in self.changes if c[2] not in ("unchanged", "skipped")]

    @property
    def complete(self) -> bool:
        listings = self.report["listings"]
        return "table" in [one["kind"] for one in listings] and all(
            one["complete"] for one in listings
        )

    @property
    def notes(self) -> int:
        """How many warnings and problems there are."""
        groups = [*self.report["warnings"], *self.report["problems"]]
        return sum(group["count"] for group in groups)


class World:
    """One sandbox, one catalog file, and workflows between them."""

    def __init__(self, sandbox: Sandbox, catalog: Path) -> None:
        self.sandbox = sandbox
        self.catalog = catalog

    @property
    def tenant(self) -> Tenant:
        return self.sandbox.tenant

    def config(
        self,
        options: Mapping[str, Any] | None = None,
        *,
        instance: bool = True,
        connection: Mapping[str, Any] | None = None,
        **sections: Any,
    ) -> dict[str, Any]:
        """A workflow as a dict; `options` are those of `sourceConfig.config`."""
        access = self.sandbox.connection()
        given = {
            "type": "DomoDatabase",
            "clientId": access["client_id"],
            "secretToken": access["client_secret"],
            "apiHost": access["public_url"],
        }
        if instance:
            given["accessToken"] = access["access_token"]
            given["instanceDomain"] = access["instance_url"]
        source = {
            "type": "domodatabase",
            "serviceName": "domo",
            "serviceConnection": {"config": {**given, **(connection or {})}},
            "sourceConfig": {"config": {"type": "DatabaseMetadata", **(options or {})}},
        }
        sink = {"type": "catalog", "config": {"path": str(self.catalog)}}
        return {"source": source, "sink": sink, **sections}

    def run(
        self, config: Mapping[str, Any] | None = None, *, dry_run: bool = False, **options: Any
    ) -> Outcome:
        """Create a workflow and execute it, without waiting; errors are in the outcome."""
        changes: list[tuple[str, str, str, dict[str, Any]]] = []

        def note(change: Any) -> None:
            name = fqn.build(change.ref.path)
            pairs = {key: list(pair) for key, pair in change.fields.items()}
            changes.append((change.ref.kind, name, change.action, json.loads(json.dumps(pairs))))

        try:
            workflow = Workflow.create(
                config or self.config(),
                dry_run=dry_run,
                clock=VirtualClock(),
                on_change=note,
                silent=True,
                **options,
            )
        except MetagleanError as error:
            return Outcome(error.exit_code, str(error), error=error)
        workflow.execute()
        error = workflow.error
        assert workflow.run
        return Outcome(
            getattr(error, "exit_code", 70) if error else 0,
            summary(workflow.run, workflow.status, error),
            changes,
            workflow.report(),
            workflow,
            error,
        )

    def good_run(self, config: Mapping[str, Any] | None = None, **options: Any) -> Outcome:
        outcome = self.run(config, **options)
        assert outcome.code == 0, outcome.text
        assert outcome.complete, outcome.text
        return outcome

    def state(self) -> Snapshot:
        return snapshot(self.catalog)

    def tables(self, *, deleted: bool = False) -> dict[str, Entity]:
        """Name → table of the live (or the deleted) ones."""
        return {
            fqn.split(name)[-1]: entity
            for (kind, name), entity in self.state().items()
            if kind == "table" and entity.deleted == deleted
        }

    def table(self, source_id: str) -> Entity:
        """The one live table of this dataset."""
        found = [one for one in self.tables().values() if one.source_id == source_id]
        assert len(found) == 1, found
        return found[0]

    def name_of(self, source_id: str) -> str:
        (name,) = [n for n, one in self.tables().items() if one.source_id == source_id]
        return name

    def history(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """What the last run of the catalog wrote to the history."""
        with contextlib.closing(sqlite3.connect(self.catalog)) as connection:
            rows = connection.execute(
                "SELECT kind, fqn, action, fields FROM history JOIN entities"
                " ON entities.id = history.entity"
                " WHERE history.run = (SELECT max(id) FROM runs)"
            ).fetchall()
        return [(kind, name, action, json.loads(fields)) for kind, name, action, fields in rows]


def snapshot(path: Path) -> Snapshot:
    """All that stands in a catalog file, marked deleted or not."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute(
            "SELECT kind, fqn, source_id, deleted_run IS NOT NULL, state, volatile FROM entities"
        ).fetchall()
    return {
        (kind, name): Entity(
            source_id,
            bool(deleted),
            leaves({**json.loads(state), "volatile": json.loads(volatile)}),
        )
        for kind, name, source_id, deleted, state, volatile in rows
    }


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Path → value of what isn't a block, empty ones left out; the columns of a table are blocks
    by their name."""
    if path.endswith("columns") and isinstance(value, list):
        order = [column["name"] for column in value] if value and "name" in value[0] else []
        named = {column["name"]: column for column in value if isinstance(column, dict)}
        return {**leaves(order, f"{path} order"), **leaves(named, f"{path}[]")}
    if not isinstance(value, dict):
        return {} if value in (None, "", []) else {path: value}
    found = {}
    for key, inner in value.items():
        found |= leaves(inner, f"{path}.{key}" if path else key)
    return found


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(Tenant.demo()) as sandbox:
        yield sandbox


@pytest.fixture
def world(shared_sandbox: Sandbox, tmp_path: Path) -> World:
    """The demo tenant as it is made, no faults, an empty catalog."""
    calm(shared_sandbox)
    shared_sandbox.tenant.restore_from(Tenant.demo())
    return World(shared_sandbox, tmp_path / "catalog.db")


def calm(sandbox: Sandbox) -> None:
    """Everything as on a good day; the counts start anew."""
    sandbox.faults = ()
    sandbox.settings.latency_ms = 0
    sandbox.settings.scopes = frozenset({"data", "user", "dashboard"})
    sandbox.settings.refuse_sort = sandbox.settings.shifting = False
    sandbox.settings.access_token = "sandbox-access-token"
    sandbox.open_plane("public")
    sandbox.open_plane("instance")
    sandbox.stats.reset()


@pytest.fixture(name="calm", scope="session")
def calm_fixture() -> Callable[[Sandbox], None]:
    """For modules with a sandbox of their own."""
    return calm


@pytest.fixture(scope="session")
def world_class() -> type[World]:
    return World
