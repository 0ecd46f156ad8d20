"""Who wrote what stands: the versions that a server keeps of each entity."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from metaglean.builtin.server.client import Json, Server
from metaglean.errors import ItemError

UNKNOWN = ""


class History:
    """The versions of one entity, read when first asked for (`GET /<coll>/{id}/versions`).

    `author` is the name of the user who wrote the stored value last; UNKNOWN where that can't be
    read, and then the value must stay; `failed` says that the versions could not be asked for.
    """

    def __init__(self, load: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._load = load
        self._versions: list[Mapping[str, Any]] | None = None
        self.failed = False

    def author(self, field: str, item: str = "") -> str:
        """Who wrote `field` last: of the entity (`description`), or of its item (the field is then
        `columns.NAME.description`, `item` the name)."""
        versions = self._read()
        plain = field.replace('"', "")
        for version in versions:
            change = version.get("changeDescription") or {}
            parts = ("fieldsAdded", "fieldsUpdated", "fieldsDeleted")
            named = any(
                plain == _named(entry) for part in parts for entry in change.get(part) or ()
            )
            if named or (item and _came(change, plain, item)):
                return str(version.get("updatedBy") or UNKNOWN)
        if versions and _is_first(versions[-1]):
            return str(versions[-1].get("updatedBy") or UNKNOWN)
        return UNKNOWN

    def written(self, is_writer: Callable[[str], bool]) -> float | None:
        """When one of these users wrote a version last, in epoch seconds; 0 for never, None where
        that can't be read."""
        versions = self._read()
        if self.failed:
            return None
        times = (
            float(version.get("updatedAt") or 0) / 1000
            for version in versions
            if is_writer(str(version.get("updatedBy") or UNKNOWN))
        )
        return max(times, default=0.0)

    def _read(self) -> list[Mapping[str, Any]]:
        if self._versions is None:
            try:
                self._versions = sorted(self._load(), key=_number, reverse=True)
            except (ItemError, ValueError):
                self._versions = []
                self.failed = True
        return self._versions


def history(server: Server, collection: str, entity_id: str) -> History:
    """The history of one entity."""

    def load() -> list[Json]:
        body = server.get(f"{collection}/{entity_id}/versions")
        found = body.get("versions") if isinstance(body, dict) else None
        parsed = [json.loads(one) if isinstance(one, str) else one for one in found or ()]
        return [one for one in parsed if isinstance(one, dict)]

    return History(load)


def _number(version: Mapping[str, Any]) -> float:
    number = version.get("version")
    return float(number) if isinstance(number, int | float) else 0.0


def _is_first(version: Mapping[str, Any]) -> bool:
    """Whether the history reaches back to the entity's creation."""
    return _number(version) <= 0.1


def _named(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name", "")).replace('"', "")


def _came(change: Mapping[str, Any], field: str, item: str) -> bool:
    """Whether the item came with a text of its own in this version. (One that changes its type goes
    and comes in one, with the text that somebody else wrote.)"""
    key = field.rpartition(".")[2]
    place = field.removesuffix(f".{item}.{key}")
    new = _item(change.get("fieldsAdded"), place, "newValue", item)
    old = _item(change.get("fieldsDeleted"), place, "oldValue", item)
    return new is not None and (old is None or old.get(key) != new.get(key))


def _item(entries: Any, place: str, side: str, item: str) -> Mapping[str, Any] | None:
    """The item among those that were added to, or deleted from, the list at `place`; the history
    keeps them as JSON in a text."""
    for entry in entries or ():
        value = entry.get(side) if _named(entry) == place else None
        try:
            items = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            continue
        for one in items if isinstance(items, list) else ():
            if isinstance(one, dict) and one.get("name") == item:
                return one
    return None
