"""Writes the page: a frame, the catalog in blocks, a script, in one file.

The blocks are JSON, deflated and in base64: a tenth of the size, and text that no parser of HTML
can take for anything else. Each holds a few hundred tables, so memory doesn't grow with the
catalog; only the dictionaries do. The same catalog gives the same bytes.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from metaglean.builtin.catalog.page.content import Numbers, detail, flat, index_row
from metaglean.builtin.catalog.page.head import head
from metaglean.builtin.catalog.page.queries import links
from metaglean.builtin.catalog.reader import Entry, Reader
from metaglean.builtin.catalog.replacing import replacing

SCRIPTS = ("data.js", "search.js", "dom.js", "home.js", "list.js", "table.js", "app.js")
BATCH = 100  # tables whose history and lineage are asked for at once
BLOCK = 1_000_000  # characters of JSON, about, after which a block ends
LONG = ("description", "columns", "columnTexts")  # fields of a row that may be long
EVENTS = 10
POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; base-uri 'none';"
    " form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


Json = dict[str, Any]


class Page(NamedTuple):
    """What was written: how many tables, how many bytes."""

    tables: int
    size: int


def write_page(reader: Reader, target: Path) -> Page:
    """Write the page of a catalog to `target`, whole or not at all.

    Raises ConfigError where `target` is no place for it, RunError where it can't be written.
    """
    before, after = frame()
    with replacing(target, reader.store.path) as file:
        file.write(before)
        tables = 0
        numbers = Numbers()
        for rows, details in _blocks(reader, numbers):
            tables += len(rows)
            _write_block(file, "index", _json(_columnar(rows)))
            _write_block(file, "detail", f"[{','.join(details)}]")
        _write_block(file, "head", _json(head(reader, numbers)))
        file.write(after)
        return Page(tables, file.tell())


def frame() -> tuple[bytes, bytes]:
    """What stands before and after the data. The policy lets this script and style run, nothing
    else, and no network be used."""
    assets = files("metaglean.builtin.catalog.page") / "assets"
    style = "\n" + (assets / "style.css").read_text("utf-8")
    scripts = "\n".join((assets / name).read_text("utf-8") for name in SCRIPTS)
    script = f'\n"use strict";\n(() => {{\n{scripts}}})();\n'
    policy = POLICY.format(script=_source(script), style=_source(style))
    page = (assets / "frame.html").read_text("utf-8")
    page = page.replace("{policy}", policy).replace("{style}", style).replace("{script}", script)
    before, _, after = page.partition("{data}\n")
    return before.encode(), after.encode()


def _source(text: str) -> str:
    """A script or style as a content security policy names it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _blocks(reader: Reader, numbers: Numbers) -> Iterator[tuple[list[Json], list[str]]]:
    """Tables as rows of the index and as details, the latter JSON already; of bounded size."""
    rows: list[Json] = []
    details: list[str] = []
    size = 0
    for batch in _batches(reader.below("table", deleted=True)):
        found = links(reader.store, [entry.id for entry in batch], EVENTS)
        for entry in batch:
            columns = flat(entry.state.get("columns") or ())
            rows.append(index_row(entry, columns, numbers))
            details.append(_json(detail(entry, columns, found)))
            size += len(details[-1]) + sum(len(rows[-1][key]) for key in LONG)
            if size >= BLOCK:
                yield rows, details
                rows, details, size = [], [], 0
    if rows:
        yield rows, details


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, BATCH)):
        yield batch


def _columnar(rows: list[Json]) -> Json:
    """One list a field: the names of the fields stand once."""
    return {key: [row[key] for row in rows] for key in rows[0]}


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _write_block(file: BinaryIO, kind: str, text: str) -> None:
    packed = b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode()
    file.write(f'<script type="text/plain" data-block="{kind}">{packed}</script>\n'.encode())
