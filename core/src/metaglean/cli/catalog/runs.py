"""`metaglean catalog runs`: the runs that wrote the catalog, or one of them with its changes."""

from __future__ import annotations

import argparse

from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.runs import RunRow, changes, named, runs
from metaglean.cli.catalog.output import (
    complain,
    positive,
    say,
    say_change,
    say_json,
    say_table,
    time,
)

DESCRIPTION = """\
List the runs that wrote this catalog, newest first; or show one of them with everything it changed.
"""
EPILOG = """\
examples:
  metaglean catalog runs
  metaglean catalog runs last                  the last one, with what it changed
  metaglean catalog runs 1 --json

exit codes: 0, or 1 where there is no such run
"""
LIMIT = 20
ACTIONS = ("created", "updated", "restored", "deleted", "unchanged")
RUN_HELP = "the number of a run; `last`, `previous` (or -1), -2, … count back from the last one"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("run_name", nargs="?", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--service", default="", metavar="NAME", help="only runs of this service")
    parser.add_argument(
        "--limit", type=positive, default=LIMIT, metavar="N", help=f"the last N (default: {LIMIT})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one run or change a line")


def run(reader: Reader, args: argparse.Namespace) -> int:
    if args.run_name is not None:
        return _one(reader, args)
    count, found = runs(reader.store, args.limit, args.service)
    if args.json:
        for row in found:
            say_json(_as_json(row))
        return 0
    if found:
        heads = ["RUN", "SERVICE", "SOURCE", "STARTED", "SECONDS", "STATUS"]
        say_table([*heads, *(action.upper() for action in ACTIONS)], [_cells(row) for row in found])
        say("")
    of = f" of service {args.service}" if args.service else ""
    say(f"{len(found)} of {count} run{'' if count == 1 else 's'}{of}")
    return 0


def missing(reader: Reader, name: str) -> int:
    """Say that there is no such run, and which there are; the exit code."""
    complain(f"error: there is no run {name!r} in the catalog")
    count, last = runs(reader.store, 1)
    if not last:
        complain("  There is none.")
    elif count == 1:
        complain(
            f"  The only one is {last[0].id}; `metaglean catalog runs last` shows what it did."
        )
    else:
        complain(f"  There are {count}, the last one is {last[0].id}.")
    return 1


def _one(reader: Reader, args: argparse.Namespace) -> int:
    row = named(reader.store, args.run_name)
    if row is None:
        return missing(reader, args.run_name)
    if args.json:
        say_json(_as_json(row))
        for change in changes(reader.store, row.id):
            say_json(change._asdict())
        return 0
    say(f"run {row.id}  {row.service}  {row.source_type}")
    say(f"  started  {time(row.started)}")
    say(f"  seconds  {_seconds(row) or '-'}")
    say(f"  status   {_status(row)}")
    for kind, counts in row.counts.items():
        say(f"  {kind}: {', '.join(f'{number} {action}' for action, number in counts.items())}")
    say("")
    changed = False
    for change in changes(reader.store, row.id):
        changed = True
        say_change(change)
    if not changed:
        say("no entity was changed")
    return 0


def _cells(row: RunRow) -> list[str]:
    total = dict.fromkeys(ACTIONS, 0)
    for counts in row.counts.values():
        for action, number in counts.items():
            total[action] = total.get(action, 0) + number
    return [
        str(row.id),
        row.service,
        row.source_type,
        time(row.started),
        _seconds(row),
        _status(row),
        *(str(total[action] or "") for action in ACTIONS),
    ]


def _as_json(row: RunRow) -> dict[str, object]:
    return {**row._asdict(), "seconds": _length(row)}


def _length(row: RunRow) -> float | None:
    return None if row.ended is None else round(max(0.0, row.ended - row.started), 3)


def _seconds(row: RunRow) -> str:
    length = _length(row)
    return "" if length is None else f"{length:.1f}"


def _status(row: RunRow) -> str:
    return row.status or "not ended"
