"""Named items of an entity, columns or tasks: the operations that bring them where they should be.

Items are matched by name, without regard to case where no exact one is there (servers take columns
that differ only in case for the same one, and store no such rename); an item that is matched keeps
all that people added to it. Positions can move under a concurrent patch, so every operation on one
is preceded by a `test` of the name that it is about: a server refuses the patch then, and it is
computed anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from metaglean.builtin.server.client import Json
from metaglean.builtin.server.digest import display, is_own, shape
from metaglean.builtin.server.wire import REFUSED, sendable

_SHAPE = (
    "dataType", "dataLength", "arrayDataType", "precision", "scale", "constraint",
    "taskType", "taskSQL", "sourceUrl", "downstreamTasks",
)  # fmt: skip
_TEXTS = ("description", "displayName")


class Operation(NamedTuple):
    """One operation of a JSON patch. What is `weak` some servers store only together with others
    that aren't."""

    body: Json
    weak: bool = False


class MayWrite(Protocol):
    """`Differ.may_write`."""

    def __call__(self, name: str, stored: Any, wanted: Any, item: str = "") -> bool: ...


class Owning(Protocol):
    """The part of a policy that is needed here."""

    @property
    def own(self) -> Collection[str]: ...


class ItemsDiff:
    """The operations on one list of items at `path`, in the order in which they must be applied;
    order and types for people are weak. `fields` tells what they do."""

    def __init__(self, path: str, label: str, policy: Owning, may_write: MayWrite) -> None:
        self._path = path
        self._label = label
        self._policy = policy
        self._may_write = may_write
        self.operations: list[Operation] = []
        self.fields: dict[str, tuple[Any, Any]] = {}

    def compare(self, stored: Sequence[Mapping[str, Any]], wanted: Sequence[Json]) -> None:
        """Fill the operations: changed items first, at the positions they have, then those that
        go, from the last on, then those that come or move, from the first on."""
        pairs = _matched(stored, wanted)
        before: list[str] = []
        after: list[str] = []
        for index, item in enumerate(stored):
            name = str(item["name"])
            if index not in pairs:
                before.append(_shown(item))
                continue
            self._one(f"{self._path}/{index}", item, pairs[index])
            if shape(item, self._policy.own) != shape(pairs[index], self._policy.own):
                before.append(_shown(item))
                after.append(_shown({**pairs[index], "name": name}))
        self._remove(stored, pairs)
        kept = [str(item["name"]) for n, item in enumerate(stored) if n in pairs]
        named = {id(item): str(stored[n]["name"]) for n, item in pairs.items()}
        after += [_shown(item) for item in wanted if id(item) not in named]
        self._arrange(kept, wanted, named)
        if before or after:
            self.fields[self._label] = (before, after)

    def _one(self, path: str, stored: Mapping[str, Any], wanted: Json) -> None:
        """The operations on one item, after a test that it is the one."""
        name = str(stored["name"])
        found = [
            _set(f"{path}/{key}", wanted.get(key))
            for key in _SHAPE
            if (stored.get(key) or None) != (wanted.get(key) or None)
        ]
        weak = self._for_people(path, stored, wanted, retyped=bool(found))
        for key in _TEXTS:
            given = wanted.get(key)
            label = f"{self._label}.{name}.{key}"
            if self._may_write(label, stored.get(key), given, name):
                found.append(_set(f"{path}/{key}", given))
                self.fields[label] = (stored.get(key), given)
        found += self._tags(path, stored, wanted)
        if found or weak:
            self.operations.append(Operation(_test(path, name), weak=not found))
        self.operations += [Operation(one) for one in found]
        self.operations += [Operation(one, weak=True) for one in weak]
        self._children(path, stored, wanted, name)

    def _for_people(
        self, path: str, stored: Mapping[str, Any], wanted: Json, *, retyped: bool
    ) -> list[Json]:
        """Position and the source's own type, which some servers keep in lower case."""
        found = []
        if display(stored) != display(wanted) and ("dataTypeDisplay" in wanted or retyped):
            value = wanted.get("dataTypeDisplay") or display(wanted)
            found.append(_set(f"{path}/dataTypeDisplay", value))
        position = wanted.get("ordinalPosition")
        if position is not None and position != stored.get("ordinalPosition"):
            found.append(_set(f"{path}/ordinalPosition", position))
        return found

    def _tags(self, path: str, stored: Mapping[str, Any], wanted: Json) -> list[Json]:
        """Our labels follow, people's stay: the whole list, because a server may give none."""
        if "tags" not in wanted and not stored.get("tags"):
            return []
        labels = wanted.get("tags") or []
        names = {label["tagFQN"] for label in labels}
        before = list(stored.get("tags") or ())
        kept = [
            label
            for label in before
            if label.get("tagFQN") in names or not is_own(label, self._policy.own)
        ]
        stands = {label.get("tagFQN") for label in kept}
        new = [one for one in labels if one["tagFQN"] not in stands and REFUSED not in one]
        if not new and len(kept) == len(before):
            return []
        return [_set(f"{path}/tags", [*kept, *new])]

    def _children(self, path: str, stored: Mapping[str, Any], wanted: Json, name: str) -> None:
        if "children" not in wanted and not stored.get("children"):
            return
        below = ItemsDiff(
            f"{path}/children", f"{self._label}.{name}", self._policy, self._may_write
        )
        if not stored.get("children") and wanted.get("children"):
            given = sendable(wanted["children"])
            self.operations += [
                Operation(_test(path, name)),
                Operation(_set(f"{path}/children", given)),
            ]
            return
        below.compare(stored.get("children") or (), wanted.get("children") or [])
        self.operations += below.operations
        self.fields |= below.fields

    def _remove(self, stored: Sequence[Mapping[str, Any]], pairs: Mapping[int, Json]) -> None:
        for index in reversed(range(len(stored))):
            if index not in pairs:
                path = f"{self._path}/{index}"
                self.operations += [
                    Operation(_test(path, str(stored[index]["name"]))),
                    Operation({"op": "remove", "path": path}),
                ]

    def _arrange(self, names: list[str], wanted: Sequence[Json], named: Mapping[int, str]) -> None:
        """Insert what is new and move what stands elsewhere, in the wanted order. A mere move is
        weak; with an insertion it isn't."""
        moves: list[Json] = []
        inserts = False
        for position, item in enumerate(wanted):
            name = named.get(id(item))
            if name is None:
                inserts = True
                moves.append(_set(f"{self._path}/{position}", sendable(item)))
                names.insert(position, str(item["name"]))
            elif names[position] != name:
                current = names.index(name, position)
                moves.append(
                    {
                        "op": "move",
                        "from": f"{self._path}/{current}",
                        "path": f"{self._path}/{position}",
                    }
                )
                names.insert(position, names.pop(current))
        if not moves:
            return
        self.operations += [Operation(one, weak=not inserts) for one in moves]
        if not inserts:
            self.fields[f"{self._label} order"] = ("", names)


def _matched(stored: Sequence[Mapping[str, Any]], wanted: Sequence[Json]) -> dict[int, Json]:
    """Index of a stored item → the wanted one that it is; exact names first."""
    exact = {str(item["name"]): item for item in wanted}
    alike = {str(item["name"]).casefold(): item for item in wanted}
    found: dict[int, Json] = {}
    taken: set[int] = set()
    for names, key in ((exact, str), (alike, str.casefold)):
        for index, item in enumerate(stored):
            match = names.get(key(str(item["name"])))
            if index not in found and match is not None and id(match) not in taken:
                found[index] = match
                taken.add(id(match))
    return found


def _set(path: str, value: Any) -> Json:
    """`add` also replaces; 1.1 fails at a `replace` of what isn't there."""
    if value is None:
        return {"op": "remove", "path": path}
    return {"op": "add", "path": path, "value": value}


def _test(path: str, name: str) -> Json:
    return {"op": "test", "path": f"{path}/name", "value": name}


def _shown(item: Mapping[str, Any]) -> str:
    return f"{item['name']} {item.get('dataType') or item.get('taskType') or ''}".strip()
