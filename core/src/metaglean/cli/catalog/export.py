"""`metaglean catalog export`: entities for other tools, as CSV, JSON Lines or Markdown."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from metaglean.builtin.catalog.exports import csv_lines, markdown_lines
from metaglean.builtin.catalog.reader import KINDS, Entry, Reader
from metaglean.builtin.catalog.replacing import replacing
from metaglean.cli.catalog.output import as_json, complain, json_text, one
from metaglean.text import write_line

DESCRIPTION = """\
Write entities for other tools. csv: one line a table, with --columns one line a column; a cell that
begins with = + - @ gets an apostrophe before it, so that no spreadsheet takes it for a formula.
jsonl: one whole entity a line, of all kinds. markdown: a document to read, with columns and SQL.
"""
EPILOG = """\
examples:
  metaglean catalog export --format csv -o tables.csv
  metaglean catalog export --format csv --columns domo.default > columns.csv
  metaglean catalog export --format jsonl --kind tag
  metaglean catalog export --format markdown -o schema.md domo.default.default

exit codes: 0, or 1 where there is no such name or FILE can't be written, 2 where FILE is no place
for it
"""
FORMATS = ("csv", "jsonl", "markdown")
EVERY = 5.0  # seconds between two lines of progress


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="only this entity and what is below it"
    )
    parser.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    parser.add_argument(
        "--kind", choices=KINDS, help="what to export (default: table; of jsonl all)"
    )
    parser.add_argument("--columns", action="store_true", help="csv: one line a column")
    parser.add_argument("--deleted", action="store_true", help="deleted ones as well")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write or replace FILE, whole or not at all"
    )
    parser.set_defaults(usage_error=parser.error)


def run(reader: Reader, args: argparse.Namespace) -> int:
    if args.columns and args.format != "csv":
        args.usage_error(f"--columns is for csv; {args.format} has them in any case")
    scope = None
    if args.name:
        scope = one(reader, args.name)
        if scope is None:
            return 1
    kinds = [args.kind] if args.kind else list(KINDS) if args.format == "jsonl" else ["table"]
    counted = _Counted(_entries(reader, kinds, scope, deleted=args.deleted))
    lines = {
        "csv": lambda: csv_lines(counted, columns=args.columns),
        "markdown": lambda: markdown_lines(counted, scope.fqn if scope else "Catalog"),
    }
    with _opened(reader, args.output) as stream:
        if args.format == "jsonl":
            for entry in counted:
                stream.write(json_text(as_json(entry), stream) + "\n")
        else:
            for line in lines[args.format]():
                write_line(line, stream)
    if args.output:
        complain(f"{args.output}: {counted.number} entit{'y' if counted.number == 1 else 'ies'}")
    return 0


def _entries(
    reader: Reader, kinds: Iterable[str], scope: Entry | None, *, deleted: bool
) -> Iterator[Entry]:
    for kind in kinds:
        if scope and scope.kind == kind and (deleted or not scope.deleted):
            yield scope
        yield from reader.below(kind, scope.fqn if scope else "", deleted=deleted)


class _Counted:
    """Counts what passes, and says how far it is from time to time."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self.number = 0
        self._entries = entries

    def __iter__(self) -> Iterator[Entry]:
        due = time.monotonic() + EVERY
        for entry in self._entries:
            yield entry
            self.number += 1
            if time.monotonic() >= due:
                due += EVERY
                complain(f"{self.number} entities so far")


@contextmanager
def _opened(reader: Reader, name: str | None) -> Iterator[TextIO]:
    """Standard output, or a file that is there when all is written."""
    if name is None:
        yield sys.stdout
        return
    with replacing(Path(name).expanduser(), reader.store.path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="\n")
        yield text
        text.flush()
        text.detach()
