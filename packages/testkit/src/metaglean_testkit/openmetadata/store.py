"""The state: entities, labels, edges, statuses. Plain data, so that it can be copied whole."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from metaglean_testkit.openmetadata.errors import Json
from metaglean_testkit.openmetadata.names import normal


@dataclass(slots=True)
class Record:
    """An entity as it is stored: its own JSON, and apart from it what points to others."""

    kind: str
    body: Json
    parent: str | None = None
    owners: list[tuple[str, str]] = field(default_factory=list)  # (user or team, id)
    domains: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)  # older versions as JSON text, newest first
    broken: bool = False  # its relations were never stored: whoever reads it gets a 500

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def fqn(self) -> str:
        return str(self.body["fullyQualifiedName"])

    @property
    def deleted(self) -> bool:
        return bool(self.body.get("deleted"))


class State:
    """All that the server knows."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.by_name: dict[str, dict[str, str]] = {}
        self.children: dict[str, dict[str, None]] = {}
        self.labels: dict[str, list[Json]] = {}
        self.edges: dict[tuple[str, str], Json] = {}
        self.statuses: dict[str, dict[int, Json]] = {}
        self.runs: dict[str, dict[str, Json]] = {}
        self._last = 0

    def now(self) -> int:
        """Milliseconds; never the same twice, so that versions keep their order."""
        self._last = max(self._last + 1, int(time.time() * 1000))
        return self._last

    # -- entities --------------------------------------------------------------------------

    def find(self, kind: str, fqn: str) -> Record | None:
        """By qualified name; users without regard to case, everything else exactly."""
        key = fqn.lower() if kind == "user" else normal(fqn)
        found = self.by_name.get(kind, {}).get(key)
        return None if found is None else self.records[found]

    def get(self, kind: str, entity_id: str) -> Record | None:
        """By id."""
        found = self.records.get(entity_id)
        return found if found is not None and found.kind == kind else None

    def add(self, record: Record) -> None:
        """Store a new one."""
        names = self.by_name.setdefault(record.kind, {})
        key = record.fqn.lower() if record.kind == "user" else normal(record.fqn)
        names[key] = record.id
        self.records[record.id] = record
        if record.parent is not None:
            self.children.setdefault(record.parent, {})[record.id] = None

    def drop(self, record: Record) -> None:
        """Remove one for good, with its labels and edges."""
        del self.records[record.id]
        key = record.fqn.lower() if record.kind == "user" else normal(record.fqn)
        self.by_name[record.kind].pop(key, None)
        self.children.pop(record.id, None)
        if record.parent is not None:
            self.children.get(record.parent, {}).pop(record.id, None)
        for name in [record.fqn, *column_names(record.body.get("columns"))]:
            self.labels.pop(name, None)
        for pair in [pair for pair in self.edges if record.id in pair]:
            del self.edges[pair]
        self.statuses.pop(record.fqn, None)
        self.runs.pop(record.fqn, None)

    def below(self, record: Record, kinds: Iterable[str] | None = None) -> list[Record]:
        """The direct children."""
        found = [self.records[one] for one in self.children.get(record.id, ())]
        return found if kinds is None else [one for one in found if one.kind in kinds]

    def descendants(self, record: Record, kind: str) -> Iterator[Record]:
        """Children of one kind, at any depth."""
        for child in self.below(record):
            if child.kind == kind:
                yield child
            else:
                yield from self.descendants(child, kind)

    def all(self, kind: str) -> list[Record]:
        """Every entity of a kind."""
        return [self.records[one] for one in self.by_name.get(kind, {}).values()]

    # -- whole ----------------------------------------------------------------------------

    def dump(self) -> Json:
        """A copy of everything, for `load`."""
        return copy.deepcopy(self.__dict__)

    def load(self, dumped: Json) -> None:
        """Everything as it was."""
        self.__dict__.update(copy.deepcopy(dumped))


def new_id() -> str:
    """An id for an entity."""
    return str(uuid.uuid4())


def column_names(columns: Any) -> Iterator[str]:
    """The qualified names of stored columns, at any depth."""
    for column in columns or ():
        yield column["fullyQualifiedName"]
        yield from column_names(column.get("children"))
