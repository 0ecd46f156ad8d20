"""The runs of a catalog: what each one changed, and what changed between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from metaglean.builtin.catalog.compare import UNORDERED
from metaglean.builtin.catalog.reader import KINDS
from metaglean.builtin.catalog.store import Store

PAGE = 500
LAST, PREVIOUS = "last", "previous"
_RUNS = "SELECT id, service, source_type, started, ended, status, counts FROM runs "
Fields = dict[str, list[Any]]


class RunRow(NamedTuple):
    """One run; times are epoch seconds, `counts` kind → action → number. Without `ended` it is
    still going on, or was killed."""

    id: int
    service: str
    source_type: str
    started: float
    ended: float | None
    status: str | None
    counts: dict[str, dict[str, int]]


class EntityChange(NamedTuple):
    """What became of an entity; `fields` maps a path to [before, after]."""

    kind: str
    fqn: str
    action: str
    fields: Fields


def runs(store: Store, limit: int, service: str = "") -> tuple[int, list[RunRow]]:
    """How many runs there were (of one service, if named), and the last ones, newest first."""
    count: int = store.row("SELECT count(*) FROM runs WHERE ? IN ('', service)", (service,))[0]
    rest = "WHERE ? IN ('', service) ORDER BY id DESC LIMIT ?"
    return count, [_run(row) for row in store.rows(_RUNS + rest, (service, limit))]


def named(store: Store, name: str) -> RunRow | None:
    """A run by its number; `last` is the last one, `previous` (or -1) the one before it of the same
    service, -2 the one before that. None where there is no such run."""
    if name.isascii() and name.isdecimal():
        return _first(store, "WHERE id = ?", min(int(name), 2**62))
    last = _first(store, "ORDER BY id DESC LIMIT 1")
    back = "1" if name == PREVIOUS else name.removeprefix("-")
    if name == LAST or last is None:
        return last
    if not (name == PREVIOUS or name.startswith("-")) or not (back.isascii() and back.isdecimal()):
        return None
    rest = "WHERE service = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
    return _first(store, rest, last.service, min(int(back), 2**62))


def changes(store: Store, run: int) -> Iterator[EntityChange]:
    """What a run changed, in its order, page by page."""
    last = 0
    while True:
        rows = store.rows(
            "SELECT h.id, e.kind, e.fqn, h.action, h.fields FROM history h"
            " JOIN entities e ON e.id = h.entity"
            " WHERE h.run = ? AND h.id > ? ORDER BY h.id LIMIT ?",
            (run, last, PAGE),
        )
        for number, kind, name, action, fields in rows:
            last = number
            yield EntityChange(kind, name, action, json.loads(fields))
        if len(rows) < PAGE:
            return


def difference(store: Store, first: int, second: int, below: str = "") -> list[EntityChange]:
    """What is different after run `second` from what was after run `first`, which came before it.

    The net effect of all that was written in between, by whichever run: a change that was taken
    back is none. By kind and name; with `below` only what has or begins with this name.
    """
    after, until = _end(store, first), _end(store, second)
    found: dict[int, _Net] = {}
    while after < until:
        rows = store.rows(
            "SELECT h.id, h.entity, e.kind, e.fqn, h.action, h.fields FROM history h"
            " JOIN entities e ON e.id = h.entity"
            " WHERE h.id > ? AND h.id <= ? ORDER BY h.id LIMIT ?",
            (after, until, PAGE),
        )
        for number, entity, kind, name, action, fields in rows:
            after = number
            if not below or name == below or name.startswith(f"{below}."):
                found.setdefault(entity, _Net(kind, name, action)).add(action, json.loads(fields))
        if len(rows) < PAGE:
            break
    net = [change for change in (one.change() for one in found.values()) if change]
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(net, key=lambda change: (order.get(change.kind, len(order)), change.fqn))


class _Net:
    """The changes of one entity, in their order, as one."""

    def __init__(self, kind: str, fqn: str, first: str) -> None:
        self._kind, self._fqn = kind, fqn
        self._first = self._last = first
        self._fields: Fields = {}

    def add(self, action: str, fields: Fields) -> None:
        self._last = action
        for path, (before, after) in fields.items():
            known = self._fields.get(path)
            first = known[0] if known else self._former(path, before)
            self._fields[path] = [first, after]
            for above, pair in self._fields.items():
                if path.startswith(f"{above}.") and isinstance(pair[1], dict):
                    pair[1] = _with(pair[1], path[len(above) + 1 :], after)

    def _former(self, path: str, value: Any) -> Any:
        """A dictionary as it was before what is known of its parts."""
        for below, pair in self._fields.items():
            if below.startswith(f"{path}.") and isinstance(value, dict):
                value = _with(value, below[len(path) + 1 :], pair[0])
        return value

    def change(self) -> EntityChange | None:
        """The net effect, or None where there is none."""
        gone, fields = self._last == "deleted", self._net()
        if self._first == "created":
            action = "" if gone else "created"
        elif self._first == "restored":
            action = "" if gone else "restored"
        else:
            action = "deleted" if gone else "updated" if fields else ""
        kept = fields if action in {"updated", "restored"} else {}
        return EntityChange(self._kind, self._fqn, action, kept) if action else None

    def _net(self) -> Fields:
        """Fields that differ in the end. What came or went as a whole stands for its parts."""
        net = {path: pair for path, pair in self._fields.items() if not _alike(path, *pair)}
        whole = tuple(f"{path}." for path, pair in net.items() if None in pair)
        net = {path: pair for path, pair in net.items() if not path.startswith(whole)}
        said = {f"{path}_display" for path in net if path.endswith("data_type")}
        return {path: pair for path, pair in net.items() if path not in said}


def _with(value: dict[str, Any], path: str, part: Any) -> dict[str, Any]:
    """A copy of a dictionary with the part at this path replaced; keys may hold dots."""
    for key, inner in value.items():
        if path.startswith(f"{key}.") and isinstance(inner, dict):
            return {**value, key: _with(inner, path[len(key) + 1 :], part)}
    return {**value, path: part}


def _alike(path: str, before: Any, after: Any) -> bool:
    if (
        path.rpartition(".")[2] in UNORDERED
        and isinstance(before, list)
        and isinstance(after, list)
    ):
        return sorted(map(str, before)) == sorted(map(str, after))
    return bool(before == after)


def _end(store: Store, run: int) -> int:
    """The last line of history when a run had ended; of one that changed nothing, the last line of
    the runs before it."""
    last: int | None = store.row("SELECT max(id) FROM history WHERE run = ?", (run,))[0]
    if last is None:
        last = store.row("SELECT max(id) FROM history WHERE run < ?", (run,))[0]
    return last or 0


def _first(store: Store, rest: str, *values: object) -> RunRow | None:
    row = store.row(_RUNS + rest, values)
    return _run(row) if row else None


def _run(row: Any) -> RunRow:
    number, service, source_type, started, ended, status, counts = row
    return RunRow(number, service, source_type, started, ended, status, json.loads(counts or "{}"))
