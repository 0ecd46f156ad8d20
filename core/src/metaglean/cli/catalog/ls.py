"""`metaglean catalog ls`: the entities of one kind."""

from __future__ import annotations

import argparse

from metaglean import fqn
from metaglean.builtin.catalog.reader import KINDS, Entry, Reader
from metaglean.cli.catalog.output import (
    as_json,
    counted,
    labels,
    missing,
    say,
    say_json,
    say_table,
    time,
)

EXAMPLES = """\
examples:
  metaglean catalog ls
  metaglean catalog ls domo --deleted           those of one service, deleted ones included
  metaglean catalog ls --kind databaseSchema    schemas, and how much is in each
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="only below this name")
    parser.add_argument("--kind", default="table", choices=KINDS, help="what to list")
    parser.add_argument("--deleted", action="store_true", help="deleted ones as well")
    parser.add_argument("--json", action="store_true", help="print JSON, one entity a line")


def run(reader: Reader, args: argparse.Namespace) -> int:
    name = args.name
    if name:
        found = reader.find(name)
        if not found:
            missing(reader, name)
            return 1
        name = found[0].fqn
    entries = reader.below(args.kind, name, deleted=args.deleted)
    if args.json:
        for entry in entries:
            say_json(as_json(entry))
        return 0
    rows = [_row(reader, entry, name, args) for entry in entries]
    if rows:
        say_table(_heads(args), rows)
        say("")
    say(_footer(reader, name, args))
    return 0


def _heads(args: argparse.Namespace) -> list[str]:
    middle = ["TYPE", "COLUMNS"] if args.kind == "table" else ["BELOW IT"]
    return [
        "NAME",
        "DISPLAY NAME",
        *middle,
        "OWNERS",
        "TAGS",
        "UPDATED",
        *(["DELETED"] if args.deleted else []),
    ]


def _row(reader: Reader, entry: Entry, name: str, args: argparse.Namespace) -> list[str]:
    state = entry.state
    display = state.get("display_name") or ""
    if args.kind == "table":
        middle = [state.get("table_type") or "", str(len(state.get("columns") or ()))]
    else:
        middle = [counted(reader.counts(entry.fqn))]
    return [
        entry.fqn[len(name) + 1 :] if name else entry.fqn,
        "" if display == fqn.split(entry.fqn)[-1] else display,
        *middle,
        labels(state.get("owners")),
        labels(state.get("tags")),
        time(entry.updated),
        *(["yes" if entry.deleted else ""] if args.deleted else []),
    ]


def _footer(reader: Reader, name: str, args: argparse.Namespace) -> str:
    text = f"{name or 'catalog'}: {counted(reader.counts(name)) or 'nothing'}"
    gone = reader.counts(name, deleted=True)
    if gone and not args.deleted:
        text += f"; deleted: {counted(gone)} (--deleted lists them)"
    return text
