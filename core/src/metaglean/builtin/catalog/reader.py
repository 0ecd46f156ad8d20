"""Reads a catalog for people: without pydantic, without a lock that outlives a call."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from metaglean import fqn
from metaglean.builtin.catalog.store import Store
from metaglean.clock import SystemClock
from metaglean.errors import ConfigError

# In the order in which they are shown.
KINDS = (
    "table", "databaseSchema", "database", "databaseService", "pipeline", "pipelineService",
    "dashboard", "chart", "dashboardService", "tag", "classification",
)  # fmt: skip
PAGE = 500
NEAREST_AMONG = 20_000
_COLUMNS = "id, kind, fqn, source_id, deleted_run, updated, volatile, state"


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
        self._store = Store(path, SystemClock(), writable=False)

    @property
    def store(self) -> Store:
        """The file itself, for readers that ask more of it."""
        return self._store

    def close(self) -> None:
        self._store.close()

    def find(self, name: str) -> list[Entry]:
        """The entities of this qualified name; if none, those whose name ends with it."""
        rows = self._store.rows(f"SELECT {_COLUMNS} FROM entities WHERE fqn = ?", (name,))  # noqa: S608  # our own columns
        if not rows:
            rows = self._store.rows(
                f"SELECT {_COLUMNS} FROM entities"  # noqa: S608  # our own columns
                " WHERE name = ? OR substr(fqn, -length(?)) = ? ORDER BY kind, fqn LIMIT 20",
                (fqn.encode(name), f".{name}", f".{name}"),
            )
        return [_entry(row) for row in rows]

    def below(self, kind: str, name: str = "", *, deleted: bool = False) -> Iterator[Entry]:
        """Entities of a kind below `name` (all if empty), by name, page by page."""
        last = f"{name}." if name else ""
        end = f"{name}/" if name else "\U0010ffff"
        while True:
            rows = self._store.rows(
                f"SELECT {_COLUMNS} FROM entities WHERE kind = ? AND fqn > ? AND fqn < ?"  # noqa: S608  # our own columns
                " AND (deleted_run IS NOT NULL) <= ? ORDER BY fqn LIMIT ?",
                (kind, last, end, deleted, PAGE),
            )
            yield from map(_entry, rows)
            if len(rows) < PAGE:
                return
            last = rows[-1][2]

    def counts(self, name: str = "", *, deleted: bool = False) -> dict[str, int]:
        """Kind → number of entities below `name` (all if empty) that are (not) deleted."""
        start, end = (f"{name}.", f"{name}/") if name else ("", "\U0010ffff")
        rows = self._store.rows(
            "SELECT kind, count(*) FROM entities WHERE kind IN (SELECT value FROM json_each(?))"
            " AND fqn > ? AND fqn < ? AND (deleted_run IS NOT NULL) = ? GROUP BY kind",
            (json.dumps(KINDS), start, end, deleted),
        )
        found = dict(rows)
        return {kind: found[kind] for kind in KINDS if kind in found}

    def history(self, entity: int, limit: int = 20) -> list[Event]:
        """The last changes of an entity, newest first."""
        rows = self._store.rows(
            "SELECT at, run, action, fields FROM history WHERE entity = ? ORDER BY id DESC LIMIT ?",
            (entity, limit),
        )
        return [Event(at, run, action, json.loads(fields)) for at, run, action, fields in rows]

    def nearest(self, name: str) -> list[str]:
        """Names that look like `name`."""
        rows = self._store.rows("SELECT fqn FROM entities LIMIT ?", (NEAREST_AMONG,))
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
