"""What the actions print: tables, JSON, values in one line, messages about names."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TextIO

from metaglean.builtin.catalog.compare import label
from metaglean.builtin.catalog.reader import Entry, Reader
from metaglean.builtin.catalog.runs import EntityChange
from metaglean.cli.changes import MARKS
from metaglean.text import printable, safe, write_line

WIDEST = 60
NONE = "(none)"


def as_json(entry: Entry) -> dict[str, Any]:
    """An entity whole."""
    return {
        "kind": entry.kind,
        "fqn": entry.fqn,
        "deleted": entry.deleted,
        "updated": entry.updated,
        **entry.state,
        "volatile": entry.volatile,
    }


def one(reader: Reader, name: str) -> Entry | None:
    """The one entity of this name. Where there is none or several, that is said, and None given."""
    found = reader.find(name)
    if len(found) == 1:
        return found[0]
    if not found:
        missing(reader, name)
        return None
    complain(f"{name!r} is the name of several:")
    for entry in found:
        complain(f"  {entry.kind}  {entry.fqn}")
    return None


def missing(reader: Reader, name: str) -> None:
    """Say that there is no such name, and which ones are like it."""
    complain(f"error: there is no {name!r} in the catalog")
    nearest = reader.nearest(name)
    if nearest:
        complain(f"  Did you mean {' or '.join(nearest)}?")


def value(item: Any) -> str:
    """A field in one line, as people write it."""
    if item is None or item in ("", [], {}):
        return ""
    if isinstance(item, list):
        return ", ".join(value(part) for part in item)
    return _part(item) if isinstance(item, dict) else str(item)


def _part(item: dict[str, Any]) -> str:
    """An owner, a tag, a constraint, or any other dictionary."""
    if item.keys() & {"email", "classification"} or item.get("type") == "team":
        return label(item)
    if "constraint_type" in item:
        return f"{item['constraint_type']} ({', '.join(item.get('columns') or ())})"
    return "  ".join(f"{key}: {value(part)}" for key, part in item.items() if value(part))


def say_fields(fields: Mapping[str, Sequence[Any]]) -> None:
    """Changed fields: what stood → what stands."""
    for path, (stored, new) in fields.items():
        say(f"      {safe(path)}: {_once(stored)} → {_once(new)}")


def say_change(change: EntityChange) -> None:
    """What became of an entity, as a dry run prints it."""
    say(f"{MARKS[change.action]} {change.kind} {change.fqn}")
    say_fields(change.fields)


def _once(item: Any) -> str:
    return safe(value(item)) or NONE


def labels(items: Any) -> str:
    """Owners or tags in one line."""
    return ", ".join(label(item) for item in items or ())


def counted(counts: dict[str, int]) -> str:
    """How many of each kind, in words."""
    return ", ".join(
        f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in counts.items()
    )


def time(seconds: float) -> str:
    """Epoch seconds as people write them, in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%MZ")


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need, up to WIDEST: on a terminal a wider cell is cut, elsewhere it
    stands whole, and its row alone is longer."""
    limit = WIDEST if sys.stdout.isatty() else None
    cells = [[_cell(text, limit) for text in row] for row in rows]
    used = [number for number, _ in enumerate(heads) if any(row[number] for row in cells)]
    widths = {n: min(WIDEST, max(len(heads[n]), *(len(row[n]) for row in cells))) for n in used}
    edge = shutil.get_terminal_size().columns if limit else None
    for row in (heads, *cells):
        line = "  ".join(row[n].ljust(widths[n]) for n in used).rstrip()
        say(line if edge is None or len(line) <= edge else line[: edge - 1] + "…")


def _cell(text: str, limit: int | None) -> str:
    text = safe(text)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def say(text: str) -> None:
    write_line(text, sys.stdout)


def say_json(data: Any, indent: int | None = None) -> None:
    write_line(json_text(data, sys.stdout, indent), sys.stdout)


def json_text(data: Any, stream: TextIO, indent: int | None = None) -> str:
    """Readable where the stream can show all of it; with JSON's own escapes elsewhere."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    return text if printable(text, stream) == text else json.dumps(data, indent=indent)


def complain(text: str) -> None:
    write_line(safe(text), sys.stderr)


def positive(text: str) -> int:
    """An argument that is a number from 1 on. Raises argparse's error for anything else."""
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
