"""What the page asks of a catalog beyond its entities: for many tables at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from metaglean.builtin.catalog.reader import Event
from metaglean.builtin.catalog.store import Store

_UPSTREAM = """
SELECT edge.target, other.kind, other.fqn, edge.state
FROM lineage AS edge JOIN entities AS other ON other.id = edge.entity
WHERE edge.target IN (SELECT value FROM json_each(?)) ORDER BY other.fqn, other.kind
"""
_DOWNSTREAM = """
SELECT edge.entity, other.kind, other.fqn, edge.state
FROM lineage AS edge JOIN entities AS other ON other.id = edge.target
WHERE edge.entity IN (SELECT value FROM json_each(?)) ORDER BY other.fqn, other.kind
"""


class Edge(NamedTuple):
    """The other end of a lineage edge, and the edge's fields."""

    kind: str
    fqn: str
    state: dict[str, Any]


class Links(NamedTuple):
    """What hangs on some tables, by their ids."""

    history: dict[int, list[Event]]
    upstream: dict[int, list[Edge]]
    downstream: dict[int, list[Edge]]
    profiles: dict[int, tuple[int, dict[str, Any]]]


def links(store: Store, ids: Iterable[int], events: int) -> Links:
    """History (the last `events` of each, newest first), lineage and the last profile of these."""
    wanted = json.dumps(list(ids))
    return Links(
        _history(store, wanted, events),
        _edges(store, wanted, _UPSTREAM),
        _edges(store, wanted, _DOWNSTREAM),
        _profiles(store, wanted),
    )


def _history(store: Store, wanted: str, events: int) -> dict[int, list[Event]]:
    rows = store.rows(
        "SELECT entity, at, run, action, fields FROM ("
        " SELECT *, row_number() OVER (PARTITION BY entity ORDER BY id DESC) AS place FROM history"
        " WHERE entity IN (SELECT value FROM json_each(?))"
        ") WHERE place <= ? ORDER BY entity, place",
        (wanted, events),
    )
    found: dict[int, list[Event]] = defaultdict(list)
    for entity, at, run, action, fields in rows:
        found[entity].append(Event(at, run, action, json.loads(fields)))
    return found


def _edges(store: Store, wanted: str, query: str) -> dict[int, list[Edge]]:
    found: dict[int, list[Edge]] = defaultdict(list)
    for entity, kind, name, state in store.rows(query, (wanted,)):
        found[entity].append(Edge(kind, name, json.loads(state)))
    return found


def _profiles(store: Store, wanted: str) -> dict[int, tuple[int, dict[str, Any]]]:
    # SQLite takes the other columns from the row that has the maximum.
    rows = store.rows(
        "SELECT entity, max(timestamp), state FROM profiles"
        " WHERE entity IN (SELECT value FROM json_each(?)) GROUP BY entity",
        (wanted,),
    )
    return {entity: (at, json.loads(state)) for entity, at, state in rows}
