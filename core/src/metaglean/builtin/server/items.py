"""Named items of an entity, columns or tasks: the operations that bring them where they should be.

Items are matched by name, without regard to case where no exact one is there (servers take columns
that differ only in case for the same one, and store no such rename); an item that is matched keeps
all that people added to it.

Servers don't apply a patch in its order: they sort the operations by path, as text, and remove last
(measured on 1.2). So no operation may depend on another one: where items come, go or move the whole
list is one operation, else each differing key of an item is one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from metaglean.builtin.server.client import Json
from metaglean.builtin.server.digest import SHAPE, display, is_own, own_of
from metaglean.builtin.server.wire import REFUSED, sendable
from metaglean.fqn import decode

_TEXTS = ("description", "displayName")
_FOR_PEOPLE = frozenset({"dataTypeDisplay", "ordinalPosition"})
_TOLD_APART = _FOR_PEOPLE.union(_TEXTS)


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
    """The operations on one list of items at `path`; `fields` tells what they do."""

    def __init__(self, path: str, label: str, policy: Owning, may_write: MayWrite) -> None:
        self._path = path
        self._label = label
        self._policy = policy
        self._may_write = may_write
        self.operations: list[Operation] = []
        self.fields: dict[str, tuple[Any, Any]] = {}

    def compare(self, stored: Sequence[Mapping[str, Any]], wanted: Sequence[Json]) -> None:
        """Fill operations and fields."""
        pairs = _matched(stored, wanted)
        of = {id(item): index for index, item in pairs.items()}
        indices = [of.get(id(item)) for item in wanted]
        after = [
            sendable(item) if index is None else self._merged(stored[index], item)
            for index, item in zip(indices, wanted, strict=True)
        ]
        self._tell(stored, after, indices)
        if indices == list(range(len(stored))):
            for index, item in enumerate(after):
                self._keys(f"{self._path}/{index}", stored[index], item)
        else:
            moved = set(indices) == set(range(len(stored)))
            alike = moved and not any(
                _differs(stored[index], item)
                for index, item in zip(indices, after, strict=True)
                if index is not None
            )
            whole = {"op": "add", "path": self._path, "value": after}
            self.operations.append(Operation(whole, weak=alike))

    def _merged(self, stored: Mapping[str, Any], wanted: Json) -> Json:
        """The stored item as it should be: all that isn't ours stays as it is."""
        merged = dict(stored)
        name = str(stored["name"])
        for key in ("dataType", *SHAPE):
            _put(merged, key, wanted.get(key) or None)
        for key in _TEXTS:
            label = f"{self._label}.{_quoted(name)}.{key}"
            if self._may_write(label, stored.get(key), wanted.get(key), name):
                merged[key] = wanted[key]
                self.fields[label] = (stored.get(key), wanted[key])
        retyped = _differs(stored, merged, but=_TOLD_APART)
        if display(stored) != display(wanted) and ("dataTypeDisplay" in wanted or retyped):
            merged["dataTypeDisplay"] = wanted.get("dataTypeDisplay") or display(wanted)
        if wanted.get("ordinalPosition") is not None:
            merged["ordinalPosition"] = wanted["ordinalPosition"]
        labels = self._labels(stored.get("tags") or (), wanted)
        if labels is not None:
            merged["tags"] = labels
        if "children" in wanted or stored.get("children"):
            self._children(merged, stored, wanted, name)
        return merged

    def _labels(self, stored: Sequence[Json], wanted: Json) -> list[Json] | None:
        """Our labels follow, people's stay; None where nothing changes."""
        labels = wanted.get("tags") or ()
        names = {label["tagFQN"] for label in labels}
        own = own_of(self._policy.own, wanted)
        kept = [label for label in stored if label.get("tagFQN") in names or not is_own(label, own)]
        stands = {label.get("tagFQN") for label in kept}
        new = [one for one in labels if one["tagFQN"] not in stands and REFUSED not in one]
        return [*kept, *new] if new or len(kept) < len(stored) else None

    def _children(self, merged: Json, stored: Mapping[str, Any], wanted: Json, name: str) -> None:
        """Below an item everything is one value."""
        label = f"{self._label}.{_quoted(name)}"
        below = ItemsDiff("", label, self._policy, self._may_write)
        before = stored.get("children") or []
        pairs = _matched(before, wanted.get("children") or [])
        of = {id(item): index for index, item in pairs.items()}
        merged["children"] = [
            below._merged(before[of[id(item)]], item) if id(item) in of else sendable(item)
            for item in wanted.get("children") or ()
        ]
        self.fields |= below.fields

    def _keys(self, path: str, stored: Mapping[str, Any], merged: Json) -> None:
        """One operation for each key of an item that differs."""
        strong = _differs(stored, merged)
        for key in {**stored, **merged}:
            if stored.get(key) == merged.get(key):
                continue
            weak = key in _FOR_PEOPLE and not strong
            self.operations.append(Operation(_set(f"{path}/{key}", merged.get(key)), weak))

    def _tell(
        self,
        stored: Sequence[Mapping[str, Any]],
        after: Sequence[Json],
        indices: Sequence[int | None],
    ) -> None:
        """Which items come, go, change their shape, or move."""
        gone = [_shown(item) for index, item in enumerate(stored) if index not in set(indices)]
        old, new = list(gone), []
        for index, item in zip(indices, after, strict=True):
            if index is None:
                new.append(_shown(item))
            elif _differs(stored[index], item, but=_TOLD_APART):
                old.append(_shown(stored[index]))
                new.append(_shown(item))
        if not old and not new:  # else positions and types for people move along
            for index, item in zip(indices, after, strict=True):
                if index is not None:
                    self._tell_for_people(stored[index], item)
        if old or new:
            self.fields[self._label] = (old, new)
        kept = [index for index in indices if index is not None]
        if kept != sorted(kept):
            names = [str(item["name"]) for item in stored], [str(item["name"]) for item in after]
            self.fields[f"{self._label} order"] = names

    def _tell_for_people(self, stored: Mapping[str, Any], after: Json) -> None:
        for key in sorted(_FOR_PEOPLE):
            if stored.get(key) != after.get(key):
                label = f"{self._label}.{_quoted(str(stored['name']))}.{key}"
                self.fields[label] = (stored.get(key), after.get(key))


def _differs(
    stored: Mapping[str, Any], merged: Mapping[str, Any], but: Collection[str] = _FOR_PEOPLE
) -> bool:
    """Whether an item differs, by default in what every server stores by itself."""
    return any(
        (stored.get(key) or None) != (merged.get(key) or None)
        for key in {**stored, **merged}
        if key not in but
    )


def _matched(stored: Sequence[Mapping[str, Any]], wanted: Sequence[Json]) -> dict[int, Json]:
    """Index of a stored item → the wanted one that it is; exact names first. Before 1.3 some stood
    unencoded (`>`): they are the same ones on a server that was upgraded."""
    exact = {str(item["name"]): item for item in wanted}
    alike = {_alike(str(item["name"])): item for item in wanted}
    found: dict[int, Json] = {}
    taken: set[int] = set()
    for names, key in ((exact, str), (alike, _alike)):
        for index, item in enumerate(stored):
            match = names.get(key(str(item["name"])))
            if index not in found and match is not None and id(match) not in taken:
                found[index] = match
                taken.add(id(match))
    return found


def _alike(name: str) -> str:
    return decode(name).casefold()


def _put(item: Json, key: str, value: Any) -> None:
    if value is None:
        item.pop(key, None)
    else:
        item[key] = value


def _set(path: str, value: Any) -> Json:
    """`add` also replaces; 1.1 fails at a `replace` of what isn't there."""
    if value is None:
        return {"op": "remove", "path": path}
    return {"op": "add", "path": path, "value": value}


def _quoted(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _shown(item: Mapping[str, Any]) -> str:
    return f"{item['name']} {item.get('dataType') or item.get('taskType') or ''}".strip()
