"""Lineage, pipeline runs and profiles: what hangs on entities that stand in the catalog."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from metaglean import Change, fqn
from metaglean.builtin.catalog.compare import differences
from metaglean.builtin.catalog.store import Store
from metaglean.records import Lineage, PipelineRun, Profile, Record, Ref

_TABLES = {
    Lineage.KIND: ("lineage", "target"),
    PipelineRun.KIND: ("pipeline_runs", "timestamp"),
    Profile.KIND: ("profiles", "timestamp"),
}


class Link(NamedTuple):
    """A record that belongs to `ref`; `other` is an edge's target or the time of the rest."""

    kind: str
    ref: Ref
    other: Ref | int
    text: str


class LinkPlan(NamedTuple):
    """What becomes of a link: where it goes, and its state (None: as it stands)."""

    change: Change
    kind: str
    entity: int | None = None
    other: int | None = None
    state: str | None = None

    @property
    def writes(self) -> bool:
        return self.state is not None


def draft(record: Record) -> Link | None:
    """The link of a record, or None for a kind that this catalog doesn't store."""
    if isinstance(record, Lineage):
        other: Ref | int = record.target
        text = record.model_dump_json(exclude_unset=True, exclude={"ref", "target"})
    elif isinstance(record, PipelineRun | Profile):
        other = record.timestamp
        text = record.model_dump_json(exclude_unset=True, exclude={"ref", "timestamp"})
    else:
        return None
    return Link(record.KIND, record.ref, other, text)


def plan(store: Store, link: Link, planned: set[tuple[str, str]]) -> LinkPlan:
    """Compare with what stands; `planned` are the entities that a dry run would have created.

    An end that isn't there makes the change `skipped`.
    """
    entity = _resolve(store, link.ref, planned)
    other = _resolve(store, link.other, planned) if isinstance(link.other, Ref) else link.other
    if entity is None or other is None:
        return LinkPlan(Change(link.ref, "skipped", kind=link.kind), link.kind)
    table, key = _TABLES[link.kind]
    row = store.row(
        f"SELECT state FROM {table} WHERE entity = ? AND {key} = ?",  # noqa: S608  # our own names
        (entity, other),
    )
    if row is None:
        return LinkPlan(
            Change(link.ref, "created", kind=link.kind), link.kind, entity, other, link.text
        )
    stored, read = json.loads(row[0]), json.loads(link.text)
    fields = differences(stored, {**stored, **read})
    if not fields:
        return LinkPlan(Change(link.ref, "unchanged", kind=link.kind), link.kind)
    state = json.dumps({**stored, **read}, ensure_ascii=False, separators=(",", ":"))
    return LinkPlan(
        Change(link.ref, "updated", fields, kind=link.kind), link.kind, entity, other, state
    )


def carry_out(store: Store, plan: LinkPlan, run_id: int) -> None:
    """Write a plan, inside `store.writing()`."""
    table, key = _TABLES[plan.kind]
    store.execute(
        f"INSERT OR REPLACE INTO {table} (entity, {key}, updated_run, state)"  # noqa: S608  # our own names
        " VALUES (?, ?, ?, ?)",
        (plan.entity, plan.other, run_id, plan.state),
    )


def _resolve(store: Store, ref: Ref, planned: set[tuple[str, str]]) -> int | None:
    """The id of an entity; 0 for one that stands only in the plan of a dry run."""
    name = fqn.build(ref.path)
    row: Any = store.row("SELECT id FROM entities WHERE kind = ? AND fqn = ?", (ref.kind, name))
    if row:
        found: int = row[0]
        return found
    return 0 if (ref.kind, name) in planned else None
