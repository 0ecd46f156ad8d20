"""`metaglean catalog`: what stands in the embedded catalog, read only."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from metaglean.builtin.catalog.compare import label
from metaglean.builtin.catalog.reader import KINDS, Entry, Event, Reader
from metaglean.builtin.catalog.store import DEFAULT_PATH, ENVIRONMENT, default_path
from metaglean.text import printable, safe, write_line

EXAMPLES = """\
examples:
  metaglean catalog ls                          all tables
  metaglean catalog ls SERVICE --deleted        those of one service, deleted ones included
  metaglean catalog ls --kind databaseSchema    schemas, and how much is in each
  metaglean catalog show SERVICE.DATABASE.SCHEMA.TABLE
"""
WIDEST = 60
HISTORY = 20
NONE = "(none)"
_LONG_TEXTS = ("description", "schema_definition")
_LISTS = ("columns", "tasks")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Look into the embedded catalog."
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("ls", help="list tables, or what --kind names")
    listing.add_argument("name", nargs="?", default="", metavar="NAME", help="only below this name")
    listing.add_argument("--kind", default="table", choices=KINDS, help="what to list")
    listing.add_argument("--deleted", action="store_true", help="deleted ones as well")
    showing = actions.add_parser("show", help="show one entity with its history")
    showing.add_argument("name", metavar="NAME", help="the qualified name, or the end of it")
    for action in (listing, showing):
        action.add_argument("--json", action="store_true", help="print JSON")
        action.add_argument(
            "-f", "--file", metavar="FILE", help=f"the catalog (${ENVIRONMENT}, or {DEFAULT_PATH})"
        )


def run(args: argparse.Namespace) -> int:
    with closing(Reader(Path(args.file or default_path()).expanduser())) as reader:
        return _list(reader, args) if args.action == "ls" else _show(reader, args)


def _list(reader: Reader, args: argparse.Namespace) -> int:
    name = args.name
    if name:
        found = reader.find(name)
        if not found:
            return _missing(reader, name)
        name = found[0].fqn
    entries = reader.below(args.kind, name, deleted=args.deleted)
    if args.json:
        for entry in entries:
            _print_json(_as_json(entry))
        return 0
    rows = [_row(reader, entry, name, args) for entry in entries]
    if rows:
        _print_table(_heads(args), rows)
        _print("")
    _print(_footer(reader, name, args))
    return 0


def _heads(args: argparse.Namespace) -> list[str]:
    middle = ["TYPE", "COLUMNS"] if args.kind == "table" else ["BELOW IT"]
    return ["NAME", *middle, "OWNERS", "TAGS", "UPDATED", *(["DELETED"] if args.deleted else [])]


def _row(reader: Reader, entry: Entry, name: str, args: argparse.Namespace) -> list[str]:
    state = entry.state
    if args.kind == "table":
        middle = [state.get("table_type") or "", str(len(state.get("columns") or ()))]
    else:
        middle = [_counted(reader.counts(entry.fqn))]
    return [
        entry.fqn[len(name) + 1 :] if name else entry.fqn,
        *middle,
        _labels(state.get("owners")),
        _labels(state.get("tags")),
        _time(entry.updated),
        *(["yes" if entry.deleted else ""] if args.deleted else []),
    ]


def _footer(reader: Reader, name: str, args: argparse.Namespace) -> str:
    text = f"{name or 'catalog'}: {_counted(reader.counts(name)) or 'nothing'}"
    gone = reader.counts(name, deleted=True)
    if gone and not args.deleted:
        text += f"; deleted: {_counted(gone)} (--deleted lists them)"
    return text


def _show(reader: Reader, args: argparse.Namespace) -> int:
    found = reader.find(args.name)
    if not found:
        return _missing(reader, args.name)
    if len(found) > 1:
        _complain(f"{args.name!r} is the name of several:")
        for entry in found:
            _complain(f"  {entry.kind}  {entry.fqn}")
        return 1
    entry = found[0]
    events = reader.history(entry.id, HISTORY)
    if args.json:
        history = [event._asdict() for event in events]
        _print_json({**_as_json(entry), "history": history}, indent=2)
        return 0
    _print_entry(reader, entry)
    if events:
        _print("\nHistory")
    for event in events:
        _print_event(event)
    return 0


def _print_entry(reader: Reader, entry: Entry) -> None:
    _print(f"{entry.kind}  {entry.fqn}{'  (deleted)' if entry.deleted else ''}")
    facts = {key: value for key, value in entry.state.items() if key not in _LONG_TEXTS + _LISTS}
    times = {**(facts.pop("life_cycle", None) or {}), "written": entry.volatile.get("updated")}
    for key in ("created", "written"):
        if times.get(key) is not None:
            facts[f"{key} at source"] = _time(times[key] / 1000)
    facts["volatile facets"] = entry.volatile.get("facets")
    facts["last change"] = _time(entry.updated)
    facts["below it"] = _counted(reader.counts(entry.fqn))
    for key, fact in facts.items():
        if _value(fact):
            _print(f"  {key.replace('_', ' '):<18} {_value(fact)}")
    for key in _LONG_TEXTS:
        if entry.state.get(key):
            _print(f"\n{key.replace('_', ' ').capitalize()}")
            for line in str(entry.state[key]).splitlines():
                _print(f"  {line}")
    for key in _LISTS:
        if entry.state.get(key):
            _print(f"\n{key.capitalize()}")
            _print_table(["NAME", "TYPE", "TAGS", "DESCRIPTION"], _part_rows(entry.state[key]))


def _part_rows(parts: Sequence[dict[str, Any]], indent: str = "  ") -> list[list[str]]:
    """Columns or tasks, those inside others indented."""
    rows = []
    for part in parts:
        kind = part.get("data_type_display") or part.get("data_type") or part.get("task_type")
        description = part.get("description") or ""
        rows.append([indent + part["name"], kind or "", _labels(part.get("tags")), description])
        rows += _part_rows(part.get("children") or (), indent + "  ")
    return rows


def _print_event(event: Event) -> None:
    _print(f"  {_time(event.at)}  run {event.run}  {event.action}")
    for path, (stored, new) in event.fields.items():
        _print(f"      {path}: {_value(stored) or NONE} → {_value(new) or NONE}")


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "fqn": entry.fqn,
        "deleted": entry.deleted,
        "updated": entry.updated,
        **entry.state,
        "volatile": entry.volatile,
    }


def _missing(reader: Reader, name: str) -> int:
    _complain(f"error: there is no {name!r} in the catalog")
    nearest = reader.nearest(name)
    if nearest:
        _complain(f"  Did you mean {' or '.join(nearest)}?")
    return 1


def _value(value: Any) -> str:
    """A field in one line, as people write it."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    return _part(value) if isinstance(value, dict) else str(value)


def _part(value: dict[str, Any]) -> str:
    """An owner, a tag, a constraint, or any other dictionary."""
    if value.keys() & {"email", "classification"} or value.get("type") == "team":
        return label(value)
    if "constraint_type" in value:
        return f"{value['constraint_type']} ({', '.join(value.get('columns') or ())})"
    return "  ".join(f"{key}: {_value(item)}" for key, item in value.items() if _value(item))


def _labels(items: Any) -> str:
    return ", ".join(label(item) for item in items or ())


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(
        f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in counts.items()
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%MZ")


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need, up to WIDEST: on a terminal a wider cell is cut, elsewhere it
    stands whole, and its row alone is longer."""
    limit = WIDEST if sys.stdout.isatty() else None
    cells = [[_cell(text, limit) for text in row] for row in rows]
    used = [number for number, _ in enumerate(heads) if any(row[number] for row in cells)]
    widths = {n: min(WIDEST, max(len(heads[n]), *(len(row[n]) for row in cells))) for n in used}
    edge = shutil.get_terminal_size().columns if limit else None
    for row in (heads, *cells):
        line = "  ".join(row[n].ljust(widths[n]) for n in used).rstrip()
        _print(line if edge is None or len(line) <= edge else line[: edge - 1] + "…")


def _cell(text: str, limit: int | None) -> str:
    text = safe(text)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def _print(text: str) -> None:
    write_line(text, sys.stdout)


def _print_json(data: Any, indent: int | None = None) -> None:
    """Readable where the terminal has all of it; JSON's own escapes elsewhere."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    if printable(text, sys.stdout) != text:
        text = json.dumps(data, indent=indent)
    write_line(text, sys.stdout)


def _complain(text: str) -> None:
    write_line(safe(text), sys.stderr)
