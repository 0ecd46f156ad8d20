"""Entities in the catalog: drafts of what was read, plans of what becomes of them, their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from metaglean import Change, Existing, fqn
from metaglean.builtin.catalog.merge import merge
from metaglean.builtin.catalog.store import Store
from metaglean.records import ANCESTORS, Entity, Ref

PAGE = 5000
# When data was last loaded changes with every load, like the volatile facets.
_EXCLUDED: Any = {"ref": True, "volatile_facets": True, "life_cycle": {"updated"}}
_NOTHING = "{}"


class Draft(NamedTuple):
    """An entity's record as JSON: `text` without `ref` and `volatile`; `digest` is of `text`."""

    ref: Ref
    fqn: str
    source_id: str | None
    text: str
    digest: bytes
    volatile: str


class Plan(NamedTuple):
    """What becomes of a draft: the change, and the values to store (None: as it stands)."""

    change: Change
    id: int | None
    source_id: str | None
    state: str | None
    digest: bytes | None
    volatile: str | None

    @property
    def writes(self) -> bool:
        """Whether there is anything to store."""
        return self.change.action != "unchanged" or self.volatile is not None


def draft(record: Entity) -> Draft:
    """Raises pydantic's errors for facets that aren't JSON."""
    text = record.model_dump_json(exclude_unset=True, exclude=_EXCLUDED)
    volatile: dict[str, Any] = {}
    if "volatile_facets" in record.model_fields_set:
        volatile["facets"] = record.volatile_facets
    if record.life_cycle and "updated" in record.life_cycle.model_fields_set:
        volatile["updated"] = record.life_cycle.updated
    return Draft(
        record.ref,
        fqn.build(record.ref.path),
        record.source_id,
        text,
        blake2b(text.encode(), digest_size=16).digest(),
        _json(volatile) if volatile else _NOTHING,
    )


def find(store: Store, draft: Draft) -> Any:
    """(id, hash, deleted_run, volatile, source_id) of what stands under the draft's name."""
    return store.row(
        "SELECT id, hash, deleted_run, volatile, source_id FROM entities"
        " WHERE kind = ? AND fqn = ?",
        (draft.ref.kind, draft.fqn),
    )


def same(row: Any, draft: Draft) -> bool:
    """Whether the draft would change nothing of this row (from `find`)."""
    return bool(
        row
        and row[1] == draft.digest
        and row[2] is None
        and (draft.volatile in (_NOTHING, row[3]) or _volatile(row[3], draft) == row[3])
    )


def plan(store: Store, draft: Draft, *, override: bool) -> Plan:
    """Compare the draft with what stands."""
    row = find(store, draft)
    if row is None:
        change = Change(draft.ref, "created")
        text = draft.text
        if '"tags_of"' in text:  # it is about this reading, no state of the entity
            text = _json(merge({}, json.loads(text), override=override).state)
        return Plan(change, None, draft.source_id, text, draft.digest, draft.volatile)
    number, digest, deleted_run, stored_volatile, source_id = row
    merged_volatile = _volatile(stored_volatile, draft)
    volatile = None if merged_volatile == stored_volatile else merged_volatile
    if digest == draft.digest:
        change = Change(draft.ref, "unchanged" if deleted_run is None else "restored")
        return Plan(change, number, source_id, None, digest, volatile)
    stored = json.loads(store.row("SELECT state FROM entities WHERE id = ?", (number,))[0])
    merged = merge(stored, json.loads(draft.text), override=override)
    if deleted_run is not None:
        change = Change(draft.ref, "restored", merged.fields, merged.kept)
    elif merged.fields:
        change = Change(draft.ref, "updated", merged.fields, merged.kept)
    else:
        change = Change(draft.ref, "unchanged", {}, merged.kept)
    if not merged.fields:
        return Plan(change, number, source_id, None, digest, volatile)
    # Where something was kept, the same record must be looked at again next time.
    digest = None if merged.kept else draft.digest
    source_id = merged.state.get("source_id")
    return Plan(change, number, source_id, _json(merged.state), digest, volatile)


def carry_out(store: Store, plan: Plan, run_id: int, now: float) -> None:
    """Write a plan, inside `store.writing()`."""
    ref, action = plan.change.ref, plan.change.action
    number = plan.id
    if number is None:
        number = store.execute(
            "INSERT INTO entities (kind, parent, name, fqn, source_id, hash, updated, created_run,"
            " updated_run, volatile, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ref.kind, fqn.build(ref.path[:-1]), fqn.encode(ref.name), fqn.build(ref.path),
                plan.source_id, plan.digest, now, run_id, run_id, plan.volatile, plan.state,
            ),
        )  # fmt: skip
    elif action == "unchanged":
        store.execute("UPDATE entities SET volatile = ? WHERE id = ?", (plan.volatile, number))
        return
    else:
        store.execute(
            "UPDATE entities SET source_id = ?, hash = ?, deleted_run = NULL, updated = ?,"
            " updated_run = ?, volatile = ifnull(?, volatile), state = ifnull(?, state)"
            " WHERE id = ?",
            (plan.source_id, plan.digest, now, run_id, plan.volatile, plan.state, number),
        )
    remember(store, number, run_id, now, plan.change)


def remember(store: Store, number: int, run_id: int, now: float, change: Change) -> None:
    """Add a change to the history of an entity."""
    store.execute(
        "INSERT INTO history (entity, run, at, action, fields) VALUES (?, ?, ?, ?, ?)",
        (number, run_id, now, change.action, _json(change.fields) if change.fields else _NOTHING),
    )


def standing(store: Store, kind: str, scope: Ref) -> Iterator[Existing]:
    """What stands right below `scope`, page by page: no lock is held between pages.

    Core holds all of it for a run, so it is as little as can be: no hash (`find` reads it again),
    and one number for all that were written at one time.
    """
    last, parent, time = 0, fqn.build(scope.path), 0.0
    while True:
        rows = store.rows(
            "SELECT id, name, source_id, deleted_run, updated FROM entities"
            " WHERE kind = ? AND parent = ? AND id > ? ORDER BY id LIMIT ?",
            (kind, parent, last, PAGE),
        )
        for number, name, source_id, deleted_run, updated in rows:
            ref = scope.child(kind, fqn.decode(name))
            time = time if time == updated else updated
            yield Existing(ref, number, source_id, None, deleted_run is not None, time)
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def with_descendants(store: Store, entity: Existing, before: float) -> Iterator[tuple[int, Ref]]:
    """(id, ref) of this entity and what lives below it, as far as they aren't marked deleted and
    weren't written since `before` (epoch seconds: an overlapping run may have made them)."""
    name = fqn.build(entity.ref.path)
    row = store.row("SELECT id FROM entities WHERE id = ? AND deleted_run IS NULL", (entity.id,))
    if row:
        yield row[0], entity.ref
    for kind, ancestors in ANCESTORS.items():
        if entity.ref.kind in ancestors:
            # "/" follows "." in ASCII: the range of all names that begin with `name.`.
            rows: Sequence[Any] = store.rows(
                "SELECT id, fqn FROM entities"
                " WHERE kind = ? AND fqn > ? AND fqn < ? AND deleted_run IS NULL AND updated < ?",
                (kind, f"{name}.", f"{name}/", before),
            )
            for number, below in rows:
                yield number, Ref(kind, fqn.split(below))


def _volatile(stored: str, draft: Draft) -> str:
    if draft.volatile in (_NOTHING, stored):
        return stored
    before, read = json.loads(stored), json.loads(draft.volatile)
    if before.get("facets") and read.get("facets"):
        read["facets"] = {**before["facets"], **read["facets"]}
    return _json({**before, **read})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
