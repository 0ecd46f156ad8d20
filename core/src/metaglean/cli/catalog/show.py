"""`metaglean catalog show`: one entity with its history."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from metaglean.builtin.catalog.reader import Entry, Reader
from metaglean.cli.catalog.output import (
    as_json,
    counted,
    labels,
    one,
    say,
    say_fields,
    say_json,
    say_table,
    time,
    value,
)

HISTORY = 20
_LONG_TEXTS = ("description", "schema_definition")
_LISTS = ("columns", "tasks")

EXAMPLES = """\
examples:
  metaglean catalog show domo.default.default.orders
  metaglean catalog show orders                 the end of the name, where it is the only one
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument(
        "name", metavar="NAME", help="the qualified name, the end of it, or the display name"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(reader: Reader, args: argparse.Namespace) -> int:
    entry = one(reader, args.name)
    if entry is None:
        return 1
    events = reader.history(entry.id, HISTORY)
    if args.json:
        history = [event._asdict() for event in events]
        say_json({**as_json(entry), "history": history}, indent=2)
        return 0
    _say_entry(reader, entry)
    if events:
        say("\nHistory")
    for event in events:
        say(f"  {time(event.at)}  run {event.run}  {event.action}")
        say_fields(event.fields)
    return 0


def _say_entry(reader: Reader, entry: Entry) -> None:
    say(f"{entry.kind}  {entry.fqn}{'  (deleted)' if entry.deleted else ''}")
    facts = {key: item for key, item in entry.state.items() if key not in _LONG_TEXTS + _LISTS}
    times = {**(facts.pop("life_cycle", None) or {}), "written": entry.volatile.get("updated")}
    for key in ("created", "written"):
        if times.get(key) is not None:
            facts[f"{key} at source"] = time(times[key] / 1000)
    facts["volatile facets"] = entry.volatile.get("facets")
    facts["last change"] = time(entry.updated)
    facts["below it"] = counted(reader.counts(entry.fqn))
    for key, fact in facts.items():
        if value(fact):
            say(f"  {key.replace('_', ' '):<18} {value(fact)}")
    for key in _LONG_TEXTS:
        if entry.state.get(key):
            say(f"\n{key.replace('_', ' ').capitalize()}")
            for line in str(entry.state[key]).splitlines():
                say(f"  {line}")
    for key in _LISTS:
        if entry.state.get(key):
            say(f"\n{key.capitalize()}")
            say_table(["NAME", "TYPE", "TAGS", "DESCRIPTION"], _part_rows(entry.state[key]))


def _part_rows(parts: Sequence[dict[str, Any]], indent: str = "  ") -> list[list[str]]:
    """Columns or tasks, those inside others indented."""
    rows = []
    for part in parts:
        kind = part.get("data_type_display") or part.get("data_type") or part.get("task_type")
        description = part.get("description") or ""
        rows.append([indent + part["name"], kind or "", labels(part.get("tags")), description])
        rows += _part_rows(part.get("children") or (), indent + "  ")
    return rows
