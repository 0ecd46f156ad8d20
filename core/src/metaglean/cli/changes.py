"""How a dry run prints what would change."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from metaglean import fqn
from metaglean.text import safe, write_line

if TYPE_CHECKING:
    from metaglean.components import Change
    from metaglean.records import Ref

MARKS = {
    "created": "+ create ",
    "updated": "~ change ",
    "restored": "+ restore",
    "deleted": "- delete ",
}
LONG = 100


def print_change(change: Change, before: Ref | None = None) -> None:
    """One line an entity, one more a changed field: stored value → new value, and whose it was.
    `before` is the source's own ref of an entity that is renamed."""
    mark = MARKS.get(change.action)
    if not mark:
        return
    renamed = f" (at the source {fqn.build(before.path)})" if before else ""
    _print(f"{mark} {change.kind or change.ref.kind} {fqn.build(change.ref.path)}{renamed}")
    if change.action == "created":
        return
    for name, (stored, new) in change.fields.items():
        writer = change.whose.get(name)
        whose = f" (was {writer}'s)" if writer else ""
        _print(f"      {name}: {_value(stored)} → {_value(new)}{whose}")
    for name, reason in change.kept.items():
        writer = change.whose.get(name)
        whose = f"{writer}'s, " if writer else ""
        _print(f"      {name}: kept ({whose}{reason})")


def _print(line: str) -> None:
    write_line(safe(line), sys.stdout)


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONG else text[: LONG - 1] + "…"
