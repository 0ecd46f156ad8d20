"""Lineage of an entity, near to far, as a list of steps that reads as a tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from metaglean import fqn
from metaglean.builtin.catalog.store import Store

Direction = Literal["up", "down"]
Seen = Literal["", "cycle", "above"]

_UP = (
    "SELECT e.id, e.kind, e.fqn, e.deleted_run IS NOT NULL, l.state FROM lineage l"
    " JOIN entities e ON e.id = l.entity WHERE l.target = ? ORDER BY e.fqn, e.kind"
)
_DOWN = (
    "SELECT e.id, e.kind, e.fqn, e.deleted_run IS NOT NULL, l.state FROM lineage l"
    " JOIN entities e ON e.id = l.target WHERE l.entity = ? ORDER BY e.fqn, e.kind"
)


class ColumnStep(NamedTuple):
    """Columns (qualified names) that a column comes from, by which function."""

    sources: list[str]
    target: str
    function: str | None


class Step(NamedTuple):
    """An entity `depth` edges away, and the edge by which it was reached.

    `seen` is "cycle" where it stands on the way from the first one to here, "above" where it was a
    step before; neither is followed again. `more` says that edges lead on beyond the depth asked.
    """

    depth: int
    kind: str
    fqn: str
    deleted: bool
    seen: Seen
    more: bool
    edge: dict[str, Any]
    columns: list[ColumnStep]


def steps(store: Store, entity: int, direction: Direction, depth: int | None) -> Iterator[Step]:
    """What lies up or down from an entity, each one followed by what lies behind it."""
    known = {entity}
    path: list[int] = [entity]
    waiting = [(1, row) for row in reversed(_edges(store, entity, direction))]
    while waiting:
        level, (number, kind, name, deleted, text) = waiting.pop()
        del path[level:]
        seen: Seen = "cycle" if number in path else "above" if number in known else ""
        beyond: list[Any] = [] if seen else _edges(store, number, direction)
        ends = depth is not None and level >= depth
        edge = json.loads(text)
        columns = _columns(edge.pop("columns_lineage", None) or ())
        yield Step(level, kind, name, bool(deleted), seen, bool(beyond) and ends, edge, columns)
        if seen:
            continue
        if not ends:
            known.add(number)
            path.append(number)
            waiting += [(level + 1, row) for row in reversed(beyond)]


def _edges(store: Store, entity: int, direction: Direction) -> list[Any]:
    return store.rows(_UP if direction == "up" else _DOWN, (entity,))


def _columns(lines: Any) -> list[ColumnStep]:
    return [
        ColumnStep(
            [fqn.build((*ref[1], column)) for ref, column in line["from_columns"]],
            line["to_column"],
            line.get("function"),
        )
        for line in lines
    ]
