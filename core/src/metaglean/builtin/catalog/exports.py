"""Entities as lines of CSV and Markdown, one entity at a time. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from metaglean import fqn
from metaglean.builtin.catalog.compare import label
from metaglean.builtin.catalog.documents import walk
from metaglean.builtin.catalog.reader import Entry
from metaglean.text import safe

TABLE_HEADS = (
    "kind", "name", "display_name", "type", "columns", "description", "owners", "tags",
    "source_url", "source_id", "changed", "deleted",
)  # fmt: skip
COLUMN_HEADS = (
    "table", "position", "column", "type", "display_name", "constraint", "description", "tags",
    "deleted",
)  # fmt: skip
# A spreadsheet takes a cell that begins so for a formula; tab and end of line are skipped by some.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_SPECIAL = re.compile(r"[\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|(?m:^\s*[#+=-]|^\s*\d+[.)])")


def csv_lines(entries: Iterable[Entry], *, columns: bool) -> Iterator[str]:
    """The heads, then one line an entity; with `columns` one a column or task. A cell that a
    spreadsheet would take for a formula gets an apostrophe before it."""
    yield _csv(COLUMN_HEADS if columns else TABLE_HEADS)
    for entry in entries:
        if columns:
            yield from map(_csv, _column_cells(entry))
        else:
            yield _csv(_cells(entry))


def _cells(entry: Entry) -> list[object]:
    state = entry.state
    return [
        entry.kind,
        entry.fqn,
        state.get("display_name"),
        _type(state),
        len(_parts(state)) or None,
        state.get("description"),
        _labels(state.get("owners")),
        _labels(state.get("tags")),
        state.get("source_url"),
        entry.source_id,
        datetime.fromtimestamp(entry.updated, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "yes" if entry.deleted else "",
    ]


def _column_cells(entry: Entry) -> Iterator[list[object]]:
    for number, (above, part) in enumerate(walk(_parts(entry.state)), 1):
        yield [
            entry.fqn,
            part.get("ordinal_position") or number,
            above + part["name"],
            _part_type(part),
            part.get("display_name"),
            part.get("constraint"),
            part.get("description"),
            _labels(part.get("tags")),
            "yes" if entry.deleted else "",
        ]


def _csv(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_guarded(cell) for cell in cells])
    return line.getvalue().removesuffix("\n")


def _guarded(cell: object) -> str:
    text = "" if cell is None else _plain(str(cell))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def markdown_lines(entries: Iterable[Entry], title: str) -> Iterator[str]:
    """A document: a heading a container, below it each of its entities with columns and SQL."""
    yield f"# {_text(title)}"
    container = ""
    for entry in entries:
        path = fqn.split(entry.fqn)
        above = fqn.build(path[:-1])
        if above != container:
            container = above
            yield from ("", f"## {_text(above)}")
        yield from _section(entry, path[-1])


def _section(entry: Entry, name: str) -> Iterator[str]:
    state = entry.state
    display = state.get("display_name")
    shown = f"{_text(display)} ({_code(name)})" if display and display != name else _text(name)
    yield from ("", f"### {shown}{' (deleted)' if entry.deleted else ''}")
    if state.get("description"):
        yield from ("", _text(state["description"].strip()))
    facts = {
        "Kind": "" if entry.kind == "table" else entry.kind,
        "Type": _type(state),
        "Owners": _text(_labels(state.get("owners"))),
        "Tags": _text(_labels(state.get("tags"))),
        "Link": _link(state.get("source_url") or ""),
    }
    lines = [f"- {key}: {value}" for key, value in facts.items() if value]
    if lines:
        yield ""
        yield from lines
    parts = [(above + part["name"], part) for above, part in walk(_parts(state))]
    if parts:
        yield from ("", "| name | type | tags | description |", "|---|---|---|---|")
    for title, part in parts:
        cells = [_text(_labels(part.get("tags"))), _text(part.get("description") or "")]
        row = [_code(title), _text(_part_type(part)), *cells]
        yield f"| {' | '.join(' '.join(cell.split()) for cell in row)} |"
    if state.get("schema_definition"):
        yield from ("", *_fenced(state["schema_definition"]))


def _fenced(sql: str) -> Iterator[str]:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", sql)), default=0))
    yield f"{fence}sql"
    yield _plain(sql)
    yield fence


def _text(text: str) -> str:
    """A text that shows as it is: nothing in it is Markdown or HTML."""
    return _SPECIAL.sub(lambda found: _escaped(found[0]), _plain(text).replace("&", "&amp;"))


def _plain(text: str) -> str:
    """Ends of lines alike, no tabs, control characters as escapes."""
    if text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    return "\n".join(map(safe, lines))


def _escaped(found: str) -> str:
    return {"<": "&lt;", ">": "&gt;"}.get(found) or f"{found[:-1]}\\{found[-1]}"


def _code(text: str) -> str:
    """A name as it is; in a table a bar needs a backslash even here."""
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    edge = " " if len(ticks) > 1 else ""
    return f"{ticks}{edge}{text}{edge}{ticks}".replace("|", "\\|")


def _link(url: str) -> str:
    """Only what a browser opens as a page."""
    if re.fullmatch(r"https?://[^\s<>]+", url):
        return f"<{url}>"
    return _code(url) if url else ""


def _type(state: dict[str, Any]) -> str:
    return str(state.get("table_type") or state.get("service_type") or "")


def _part_type(part: dict[str, Any]) -> str:
    for key in ("data_type_display", "data_type", "task_type"):
        if part.get(key):
            return str(part[key])
    return ""


def _parts(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(state.get("columns") or ()), *(state.get("tasks") or ())]


def _labels(items: Any) -> str:
    return ", ".join(label(item) for item in items or ())
