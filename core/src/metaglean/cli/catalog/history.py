"""`metaglean catalog history`: all changes of one entity."""

from __future__ import annotations

import argparse

from metaglean.builtin.catalog.reader import Reader
from metaglean.cli.catalog.output import one, positive, say, say_fields, say_json, time

DESCRIPTION = "Show what happened to one entity, and in which run, newest first."
EPILOG = """\
examples:
  metaglean catalog history domo.default.default.orders
  metaglean catalog history orders --limit 10 --page 1    `show` prints the last 20 as well

exit codes: 0, or 1 where there is no such entity, or there are several
"""
LIMIT = 50


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "name", metavar="NAME", help="the qualified name, the end of it, or the display name"
    )
    parser.add_argument(
        "--limit", type=positive, default=LIMIT, metavar="N", help=f"N a page (default: {LIMIT})"
    )
    parser.add_argument(
        "--page", type=positive, default=1, metavar="P", help="which page, 1 is the newest"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one change a line")


def run(reader: Reader, args: argparse.Namespace) -> int:
    entry = one(reader, args.name)
    if entry is None:
        return 1
    count = reader.store.row("SELECT count(*) FROM history WHERE entity = ?", (entry.id,))[0]
    skip = (args.page - 1) * args.limit
    events = reader.history(entry.id, args.limit, skip) if skip < count else []
    if args.json:
        for event in events:
            say_json(event._asdict())
        return 0
    say(f"{entry.kind}  {entry.fqn}{'  (deleted)' if entry.deleted else ''}")
    for event in events:
        say(f"  {time(event.at)}  run {event.run}  {event.action}")
        say_fields(event.fields)
    shown = f"{skip + 1} to {skip + len(events)}" if events else "none"
    say(f"\nchanges {shown} of {count}")
    if skip + len(events) < count:
        say(f"--page {args.page + 1} shows those before them")
    return 0
