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
            for part in ("fieldsAdded", "fieldsUpdated", "fieldsDeleted"):
                for entry in change.get(part) or ():
                    name = str(entry.get("name", "")).replace('"', "")
                    added = part == "fieldsAdded" and item and name == field.partition(".")[0]
                    if name == plain or (added and _holds(entry.get("newValue"), item)):
                        return str(version.get("updatedBy") or UNKNOWN)
        if versions and _is_first(versions[-1]):
            return str(versions[-1].get("updatedBy") or UNKNOWN)
        return UNKNOWN

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


def _holds(value: object, item: str) -> bool:
    """Whether a list of added items, as the history keeps it (JSON in a text), has this one."""
    try:
        items = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return False
    return isinstance(items, list) and any(
        isinstance(one, dict) and one.get("name") == item for one in items
    )
