"""`metaglean catalog diff`: what is different after one run from what was after another."""

from __future__ import annotations

import argparse
from collections import Counter

from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.runs import LAST, PREVIOUS, difference, named
from metaglean.cli.catalog.output import complain, one, say, say_change, say_json, time
from metaglean.cli.catalog.runs import RUN_HELP, missing

DESCRIPTION = """\
Show what is different after run RUN2 from what was after run RUN1: entities that were created,
changed (field by field), restored and deleted in between, by whichever run. It is the net effect:
a change that was taken back is none. Lineage, profiles and runs of pipelines keep no history.
"""
EPILOG = """\
examples:
  metaglean catalog diff                       what the last run changed
  metaglean catalog diff 1 2
  metaglean catalog diff previous last --below domo.default --json

exit codes: 0 (also where nothing differs), 1 where there is no such run or name, 2 where RUN1 is
the later one
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "first", nargs="?", default=PREVIOUS, metavar="RUN1", help=f"{RUN_HELP} (default: previous)"
    )
    parser.add_argument(
        "second", nargs="?", default=LAST, metavar="RUN2", help="the later one (default: last)"
    )
    parser.add_argument("--below", metavar="NAME", help="only this entity and what is below it")
    parser.add_argument("--json", action="store_true", help="print JSON, one entity a line")
    parser.set_defaults(usage_error=parser.error)


def run(reader: Reader, args: argparse.Namespace) -> int:
    ends = []
    for name in (args.first, args.second):
        row = named(reader.store, name)
        if row is None:
            return missing(reader, name)
        ends.append(row)
    first, second = ends
    if first.id > second.id:
        args.usage_error(
            f"run {first.id} is later than run {second.id}: name the earlier one first"
        )
    below = ""
    if args.below:
        entry = one(reader, args.below)
        if entry is None:
            return 1
        below = entry.fqn
    found = difference(reader.store, first.id, second.id, below)
    if args.json:
        for change in found:
            say_json(change._asdict())
        return 0
    for change in found:
        say_change(change)
    counts = Counter(change.action for change in found)
    said = ", ".join(f"{number} {action}" for action, number in sorted(counts.items()))
    say(
        f"{chr(10) if found else ''}run {first.id} ({time(first.started)}) → run {second.id} "
        f"({time(second.started)}): {said or 'nothing differs'}"
    )
    if first.id == second.id:
        complain("  Both are the same run; `metaglean catalog runs RUN` shows what one changed.")
    return 0
