"""Reads a catalog for people: without pydantic, without a lock that outlives a call."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from metaglean import fqn
from metaglean.builtin.catalog.lookup import indexed, named
from metaglean.builtin.catalog.store import Store
from metaglean.builtin.catalog.words import terms
from metaglean.clock import SystemClock
from metaglean.errors import ConfigError

# In the order in which they are shown.
KINDS = (
    "table", "databaseSchema", "database", "databaseService", "pipeline", "pipelineService",
    "dashboard", "chart", "dashboardService", "tag", "classification",
)  # fmt: skip
PAGE = 500
SEVERAL = 20  # of the entities with one name so many are told
NEAREST_AMONG = 20_000
_SELECT = "SELECT id, kind, fqn, source_id, deleted_run, updated, volatile, state FROM entities "


class Entry(NamedTuple):
    """An entity as it stands; `updated` is in epoch seconds, `state` the record's fields."""

    id: int
    kind: str
    fqn: str
    source_id: str | None
    deleted: bool
    updated: float
    volatile: dict[str, Any]
    state: dict[str, Any]


class Event(NamedTuple):
    """One line of an entity's history; `fields` maps a path to [stored, new]."""

    at: float
    run: int
    action: str
    fields: dict[str, list[Any]]


class Reader:
    """A catalog, read only. Raises ConfigError where there is none."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise ConfigError(
                f"there is no catalog {path}",
                "`metaglean ingest` with sink `catalog` makes one; -f FILE names another.",
            )
        # For what reads more than this class does; it can't be written through.
        self.store = Store(path, SystemClock(), writable=False)

    def close(self) -> None:
        self.store.close()

    def find(self, name: str) -> list[Entry]:
        """The entities of this qualified name; if none, those whose name ends with it; if none,
        those with this display name."""
        return (
            self._select("WHERE fqn = ?", name)
            or self._select(
                "WHERE name = ? OR substr(fqn, -length(?)) = ? ORDER BY kind, fqn LIMIT ?",
                fqn.encode(name), f".{name}", f".{name}", SEVERAL,
            )
            or self._displayed(name)
        )  # fmt: skip

    def _displayed(self, name: str) -> list[Entry]:
        """The entities of this display name."""
        query, found = terms([name]), None
        if query and indexed(self.store):
            with self.store.reading():
                found = named(self.store, query)
        if found is None:  # there is no index, or it can't tell
            return self._select(
                "WHERE json_extract(state, '$.display_name') = ? ORDER BY kind, fqn LIMIT ?",
                name, SEVERAL,
            )  # fmt: skip
        entries = (
            entry for entry in self.entries(found) if entry.state.get("display_name") == name
        )
        return sorted(entries, key=lambda entry: (entry.kind, entry.fqn))[:SEVERAL]

    def entries(self, ids: Sequence[int]) -> list[Entry]:
        """The entities of these ids, in their order."""
        found = {
            entry.id: entry
            for entry in self._select(
                "WHERE id IN (SELECT value FROM json_each(?))", json.dumps(list(ids))
            )
        }
        return [found[number] for number in ids if number in found]

    def _select(self, rest: str, *values: object) -> list[Entry]:
        return [_entry(row) for row in self.store.rows(_SELECT + rest, values)]

    def below(self, kind: str, name: str = "", *, deleted: bool = False) -> Iterator[Entry]:
        """Entities of a kind below `name` (all if empty), by name, page by page."""
        last = f"{name}." if name else ""
        end = f"{name}/" if name else "\U0010ffff"
        while True:
            entries = self._select(
                "WHERE kind = ? AND fqn > ? AND fqn < ?"
                " AND (deleted_run IS NOT NULL) <= ? ORDER BY fqn LIMIT ?",
                kind, last, end, deleted, PAGE,
            )  # fmt: skip
            yield from entries
            if len(entries) < PAGE:
                return
            last = entries[-1].fqn

    def counts(self, name: str = "", *, deleted: bool = False) -> dict[str, int]:
        """Kind → number of entities below `name` (all if empty) that are (not) deleted."""
        start, end = (f"{name}.", f"{name}/") if name else ("", "\U0010ffff")
        rows = self.store.rows(
            "SELECT kind, count(*) FROM entities WHERE kind IN (SELECT value FROM json_each(?))"
            " AND fqn > ? AND fqn < ? AND (deleted_run IS NOT NULL) = ? GROUP BY kind",
            (json.dumps(KINDS), start, end, deleted),
        )
        found = dict(rows)
        return {kind: found[kind] for kind in KINDS if kind in found}

    def history(self, entity: int, limit: int = 20, skip: int = 0) -> list[Event]:
        """The last changes of an entity, newest first, without the newest `skip` ones."""
        rows = self.store.rows(
            "SELECT at, run, action, fields FROM history WHERE entity = ?"
            " ORDER BY id DESC LIMIT ? OFFSET ?",
            (entity, limit, skip),
        )
        return [Event(at, run, action, json.loads(fields)) for at, run, action, fields in rows]

    def nearest(self, name: str) -> list[str]:
        """Names that look like `name`."""
        rows = self.store.rows("SELECT fqn FROM entities LIMIT ?", (NEAREST_AMONG,))
        full = {row[0]: row[0].casefold() for row in rows}
        short = {one: fqn.split(one)[-1].casefold() for one in full}
        found: list[str] = []
        for names in (short, full):
            close = difflib.get_close_matches(name.casefold(), set(names.values()), 3)
            found += [one for match in close for one, folded in names.items() if folded == match]
        return list(dict.fromkeys(found))[:3]


def _entry(row: Any) -> Entry:
    number, kind, name, source_id, deleted_run, updated, volatile, state = row
    return Entry(
        number,
        kind,
        name,
        source_id,
        deleted_run is not None,
        updated,
        json.loads(volatile),
        json.loads(state),
    )
