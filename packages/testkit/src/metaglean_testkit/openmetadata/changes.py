"""What changed from one version to the next, as the server records it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from metaglean_testkit.openmetadata.errors import Json


class Changes:
    """Collects the fields that were added, updated and deleted."""

    def __init__(self) -> None:
        self.added: list[Json] = []
        self.updated: list[Json] = []
        self.deleted: list[Json] = []
        self.major = False

    def __bool__(self) -> bool:
        return bool(self.added or self.updated or self.deleted)

    def record(self, name: str, old: Any, new: Any, *, text: bool = False) -> bool:
        """Compare two values; `text` writes objects as JSON text. Whether they differ."""
        if old == new or (old is None and new is None):
            return False
        if text:
            old, new = (None if value is None else dumps(value) for value in (old, new))
        if old is None:
            self.added.append({"name": name, "newValue": new})
        elif new is None:
            self.deleted.append({"name": name, "oldValue": old})
        else:
            self.updated.append({"name": name, "oldValue": old, "newValue": new})
        return True

    def record_list(
        self, name: str, old: list[Json], new: list[Json], same: Callable[[Json, Json], bool]
    ) -> tuple[list[Json], list[Json]]:
        """Compare two lists; returns what was added and what is gone."""
        gone = [one for one in old if not any(same(one, other) for other in new)]
        come = [one for one in new if not any(same(other, one) for other in old)]
        if come:
            self.added.append({"name": name, "newValue": dumps(come)})
        if gone:
            self.deleted.append({"name": name, "oldValue": dumps(gone)})
        return come, gone

    def describe(self, previous: float) -> Json:
        """The `changeDescription`."""
        return {
            "fieldsAdded": list(self.added),
            "fieldsUpdated": list(self.updated),
            "fieldsDeleted": list(self.deleted),
            "previousVersion": previous,
        }


def dumps(value: Any) -> str:
    """JSON without blanks, as in a change's values."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def next_version(version: float, *, major: bool) -> float:
    """0.1 more, or 1.0 where something was lost."""
    return round(version + (1.0 if major else 0.1), 1)
