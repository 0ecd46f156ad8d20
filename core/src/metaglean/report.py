"""What a run did, as data: counts, warnings and problems (grouped), systems, deletions."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

SAMPLES = 10
GROUPS = 200
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


def shortened(text: str, length: int = 60) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


class Notice(NamedTuple):
    """One problem or warning: where (`source`, `sink`, …), of which item, what to do about it, and
    the type of the exception where there was one."""

    level: Literal["problem", "warning"]
    stage: str
    message: str
    item: str = ""
    hint: str = ""
    error: str = ""


@dataclass
class Group:
    """Many alike: `count` of them, the first `message`, the first few `items` by name, and, where
    their texts differ, the first few `texts` with their items."""

    stage: str
    message: str
    hint: str = ""
    error: str = ""
    count: int = 0
    items: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value}


def _text(message: str, item: str) -> str:
    return f"{shortened(item)}: {message}" if item else message


class Groups:
    """Messages grouped by their text without names and numbers; bounded, whatever happens."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}
        self.count = 0

    def add(self, stage: str, message: str, item: str, hint: str, error: str) -> Group:
        self.count += 1
        key = (stage, _VARYING.sub("…", message))
        if key not in self._groups and len(self._groups) >= GROUPS:
            key, message = (stage, ""), "more of other kinds"
        group = self._groups.setdefault(key, Group(stage, message, hint, error))
        group.count += 1
        if item and item not in group.items and len(group.items) < SAMPLES:
            group.items.append(item)
        if (message != group.message or group.texts) and len(group.texts) < SAMPLES:
            if not group.texts:
                group.texts.append(_text(group.message, group.items[0] if group.items else ""))
            group.texts.append(_text(message, item))
        return group

    def __iter__(self) -> Any:
        return iter(self._groups.values())

    def in_stage(self, stage: str) -> int:
        return sum(group.count for group in self if group.stage == stage)


class Report:
    """Counts what happened; safe to use from several threads."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], int] = {}
        self.totals: dict[str, int] = {}
        self.warnings = Groups()
        self.problems = Groups()
        self.features_off: dict[str, str] = {}
        self.listings: list[dict[str, Any]] = []
        self.deletions: list[dict[str, Any]] = []
        self.systems: list[Any] = []
        self.spool: dict[str, Any] = {}
        self.failed_items: dict[str, int] = {}
        self.listener: Callable[[Notice], None] | None = None
        self._lock = threading.Lock()

    def count(self, stage: str, kind: str, what: str, number: int = 1) -> None:
        key = (stage, kind, what)
        with self._lock:
            self.counts[key] = self.counts.get(key, 0) + number

    def total(self, kind: str, number: int) -> None:
        """So many of a kind are expected (for the progress and the summary)."""
        with self._lock:
            self.totals[kind] = self.totals.get(kind, 0) + number

    def warn(self, stage: str, message: str, item: str = "", hint: str = "") -> bool:
        """Returns whether this is the first of its group."""
        with self._lock:
            first = self.warnings.add(stage, message, item, hint, "").count == 1
        self._tell(Notice("warning", stage, message, item, hint))
        return first

    def problem(
        self, stage: str, message: str, item: str = "", hint: str = "", error: str = ""
    ) -> bool:
        """Returns whether this is the first of its group."""
        with self._lock:
            first = self.problems.add(stage, message, item, hint, error).count == 1
        self._tell(Notice("problem", stage, message, item, hint, error))
        return first

    def _tell(self, notice: Notice) -> None:
        if self.listener:
            self.listener(notice)

    def item_failed(self, stage: str) -> None:
        with self._lock:
            self.failed_items[stage] = self.failed_items.get(stage, 0) + 1

    def number(self, stage: str, kind: str | None = None, what: str | None = None) -> int:
        """The sum of all counts that match."""
        with self._lock:
            return sum(
                number
                for (a_stage, a_kind, a_what), number in self.counts.items()
                if a_stage == stage and kind in (None, a_kind) and what in (None, a_what)
            )

    def success_percent(self, stage: str) -> float:
        """Of the entities that came to this stage, how many succeeded (0 to 100)."""
        good = self.number("sink") if stage == "sink" else self.number("source", what="read")
        failed = self.failed_items.get(stage, 0)
        if stage == "processor":
            good = max(0, good - failed)
        return 100.0 if not failed else 100.0 * good / (good + failed)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; nothing in it grows with the catalog."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (stage, kind, what), number in sorted(self.counts.items()):
            counts.setdefault(stage, {}).setdefault(kind, {})[what] = number
        return {
            "counts": counts,
            "listed": dict(sorted(self.totals.items())),
            "success_percent": {
                stage: round(self.success_percent(stage), 2) for stage in ("source", "sink")
            },
            "warnings": [group.as_dict() for group in self.warnings],
            "problems": [group.as_dict() for group in self.problems],
            "features_off": dict(self.features_off),
            "listings": list(self.listings),
            "deletions": list(self.deletions),
            "systems": [system.as_dict() for system in self.systems],
            **({"spool": dict(self.spool)} if self.spool else {}),
        }
