"""Lineage edges: what stands and what a record says, merged into one. Pure.

An edge that a person drew (source Manual, or none) keeps all it says; only columns are added to it.
On other edges the record wins where it says something, and what it doesn't say stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from metaglean.builtin.server.client import Json

BY_HAND = "Manual"
# The server's keys → the fields of a record.
FIELDS = {
    "source": "source",
    "sqlQuery": "sql_query",
    "description": "description",
    "pipeline": "pipeline",
}
COLUMNS = "columnsLineage"
# Who wrote it when: servers set these themselves at each write.
_STAMPS = frozenset({"createdAt", "createdBy", "updatedAt", "updatedBy"})


class Merged(NamedTuple):
    """An edge's details as they should stand, the record's fields that differ as (stored, new),
    and those that stay as they are, with the reason."""

    details: Json
    fields: dict[str, tuple[Any, Any]]
    kept: dict[str, str]


def drawn(details: Mapping[str, Any]) -> bool:
    """Whether a person drew an edge with these details."""
    return (details.get("source") or BY_HAND) == BY_HAND


def merge(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Merged:
    """The stored details with what a record wants in them; `wanted` has only what it says."""
    details = {key: value for key, value in stored.items() if key not in _STAMPS}
    if details.get("pipeline"):
        details["pipeline"] = _reference(details["pipeline"])
    theirs = drawn(stored)
    fields: dict[str, tuple[Any, Any]] = {}
    kept: dict[str, str] = {}
    for key, field in FIELDS.items():
        old, new = details.get(key), wanted.get(key)
        if not new or old == new:
            continue
        if theirs:
            kept[field] = "a person drew this edge"
        else:
            fields[field] = (_shown(stored.get(key)), _shown(new))
            details[key] = new
    before = stored.get(COLUMNS) or []
    after = unite(before, wanted.get(COLUMNS) or [], functions=not theirs)
    if after != before:
        fields["columns_lineage"] = (before, after)
        details[COLUMNS] = after
    return Merged(details, fields, kept)


def unite(stored: Iterable[Json], wanted: Iterable[Json], *, functions: bool) -> list[Json]:
    """Stored column edges and those of a record: one entry a target column gets the source columns
    that it lacks, and the record's function where `functions` says so."""
    united = [dict(entry) for entry in stored]
    for new in wanted:
        entries = [entry for entry in united if entry.get("toColumn") == new["toColumn"]]
        if not entries:
            united.append(dict(new))
            continue
        there = {column for entry in entries for column in entry.get("fromColumns") or ()}
        missing = [column for column in new["fromColumns"] if column not in there]
        first = entries[0]
        if missing:
            first["fromColumns"] = [*(first.get("fromColumns") or ()), *missing]
        if functions and new.get("function"):
            first["function"] = new["function"]
    return united


def standing(columns: Iterable[Json], stands: Callable[[str], bool]) -> list[Json]:
    """Column edges without the columns that are gone: a server refuses a whole edge for one."""
    left = []
    for entry in columns:
        sources = [column for column in entry.get("fromColumns") or () if stands(column)]
        if sources and stands(str(entry.get("toColumn"))):
            left.append({**entry, "fromColumns": sources})
    return left


def _reference(entity: Mapping[str, Any]) -> Json:
    return {"id": entity.get("id"), "type": entity.get("type")}


def _shown(value: Any) -> Any:
    """A value for people: of a reference its name, where it is known."""
    return value.get("fullyQualifiedName") or value.get("id") if isinstance(value, dict) else value
