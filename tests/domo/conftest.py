"""A Domo sandbox on real sockets, workflows on a virtual clock, and what stands in the catalog."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
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
from metaglean_testkit.openmetadata import FakeServer

SCOPE = ("domo", "default", "default")
PREFIX = fqn.build(SCOPE)


ALL = "METAGLEAN_ALL_FAULTS"
SHARE = 10


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On servers every tenth fault is tried, each time the same ones; all of them where the
    variable METAGLEAN_ALL_FAULTS is set. The catalog has them all, and the source is the same."""
    if os.environ.get(ALL):
        return
    left_out = {item for item in items if _on_server(item) and _number(item) % SHARE}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


def _on_server(item: pytest.Item) -> bool:
    target = getattr(item, "callspec", None)
    return target is not None and target.params.get("module_stage", "catalog") != "catalog"


def _number(item: pytest.Item) -> int:
    return zlib.crc32(item.nodeid.encode())


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

    def saved(self) -> bytes:
        """All that the sink keeps, for `restore`."""
        return self.catalog.read_bytes()

    def restore(self, saved: bytes) -> None:
        self.catalog.write_bytes(saved)

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


class ServerWorld(World):
    """One sandbox, one fake OpenMetadata server, and workflows between them."""

    def __init__(self, sandbox: Sandbox, server: FakeServer) -> None:
        super().__init__(sandbox, Path())
        self.server = server

    def reset(self) -> None:
        """A new server that knows the tenant's people."""
        self.server.reset()
        for user in self.tenant.users.values():
            if user.email:
                name = user.email.partition("@")[0]
                self.server.call("PUT", "/users", {"name": name, "email": user.email})
        for group in self.tenant.groups.values():
            self.server.call("PUT", "/teams", {"name": group.name, "teamType": "Group"})

    def config(
        self,
        options: Mapping[str, Any] | None = None,
        *,
        instance: bool = True,
        connection: Mapping[str, Any] | None = None,
        **sections: Any,
    ) -> dict[str, Any]:
        found = super().config(options, instance=instance, connection=connection, **sections)
        found["sink"] = {"type": "metadata-rest", "config": {}}
        found["workflowConfig"] = {
            "openMetadataServerConfig": {
                "hostPort": self.server.url,
                "authProvider": "openmetadata",
                "securityConfig": {"jwtToken": self.server.token},
            }
        }
        return found

    def state(self) -> Snapshot:
        found: Snapshot = {}
        for kind, collection in _COLLECTIONS.items():
            query = f"?limit=1000&include=all{_FIELDS.get(kind, '')}"
            if kind == "table" and self.server.app.world.definition_key == "schemaDefinition":
                query = query.replace("viewDefinition", "schemaDefinition")
            if self.server.app.world.owner_key == "owners":
                query = query.replace("owner", "owners")
            for entity in self.server.call("GET", f"/{collection}{query}")["data"]:
                name = entity["fullyQualifiedName"]
                if kind != "tag" or name.startswith("Domo"):
                    found[kind, name] = _entity(entity)
        return found

    def saved(self) -> bytes:
        return self.server.snapshot()

    def restore(self, saved: bytes) -> None:
        self.server.restore(saved)


_COLLECTIONS = {
    "database": "databases",
    "databaseSchema": "databaseSchemas",
    "table": "tables",
    "tag": "tags",
}
_FIELDS = {"table": "&fields=owner,tags,viewDefinition,tableConstraints,lifeCycle,columns"}
# What moves with any write, and what a server adds to it.
_NOT_COMPARED = frozenset(
    "id version updatedAt updatedBy href changeDescription incrementalChangeDescription "
    "sourceHash deleted usageSummary provider database databaseSchema service serviceType "
    "fullyQualifiedName name".split()
)


def _entity(entity: Mapping[str, Any]) -> Entity:
    link = str(entity.get("sourceUrl") or "")
    source_id = link.partition("/datasources/")[2].partition("/")[0] or None
    own = {key: value for key, value in entity.items() if key not in _NOT_COMPARED}
    tags = sorted(label["tagFQN"] for label in own.pop("tags", None) or ())
    owners = own.pop("owners", None) or [own.pop("owner", None) or {}]
    people = sorted(str(one["name"]) for one in owners if one)
    return Entity(source_id, bool(entity.get("deleted")), leaves(own) | leaves({"tags": tags})
                  | leaves({"owners": people}))  # fmt: skip


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


@pytest.fixture(scope="session")
def server_world() -> type[ServerWorld]:
    return ServerWorld
