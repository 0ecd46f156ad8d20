"""`metaglean catalog html`: the whole catalog as one page for a browser."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaglean.builtin.catalog.reader import Reader
from metaglean.cli.catalog.output import say

EXAMPLES = """\
examples:
  metaglean catalog html -o catalog.html        then open it: everything is in this one file
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.description = (
        "Write one page with everything in it: search, tables, columns, owners, tags, history,\n"
        "runs. It works from a file and loads nothing."
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the page to write or replace"
    )


def run(reader: Reader, args: argparse.Namespace) -> int:
    from metaglean.builtin.catalog.page import write_page

    target = Path(args.output).expanduser()
    page = write_page(reader, target)
    tables = f"{page.tables:,} table{'' if page.tables == 1 else 's'}"
    say(f"{target}: {tables}, {page.size / 1e6:.1f} MB")
    return 0
