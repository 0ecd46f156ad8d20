"""`metaglean catalog`: what stands in the embedded catalog, read only. One module an action."""

from __future__ import annotations

import argparse
from contextlib import closing
from importlib import import_module
from pathlib import Path

from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.store import DEFAULT_PATH, ENVIRONMENT, default_path

# A module of this package has the action's name; it offers `configure(parser)` and
# `run(reader, args)`, which returns the exit code, and imports what is heavy inside `run`.
ACTIONS = {
    "ls": "list tables, or what --kind names",
    "show": "show one entity with its history",
    "search": "find entities by the words of their texts",
    "lineage": "show where data comes from and goes to",
    "runs": "list the runs, or show one with its changes",
    "diff": "show what is different after one run from after another",
    "history": "show all changes of one entity",
    "export": "write entities as CSV, JSON Lines or Markdown",
    "html": "write a page with all of it, to look at in a browser",
}
EXAMPLES = """\
examples:
  metaglean catalog ls                          all tables
  metaglean catalog ls domo --deleted           those of one service, deleted ones included
  metaglean catalog ls --kind databaseSchema    schemas, and how much is in each
  metaglean catalog show domo.default.default.orders
  metaglean catalog search customer             wherever it stands: names, columns, texts, tags
  metaglean catalog lineage orders              where its data comes from and goes to
  metaglean catalog diff                        what the last run changed
  metaglean catalog export --format csv         for a spreadsheet
  metaglean catalog html -o catalog.html        one page for a browser, with search
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Look into the embedded catalog."
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in ACTIONS.items():
        action = actions.add_parser(
            name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module = import_module(f"metaglean.cli.catalog.{name}")
        module.configure(action)
        action.add_argument(
            "-f", "--file", metavar="FILE", help=f"the catalog (${ENVIRONMENT}, or {DEFAULT_PATH})"
        )
        action.set_defaults(run_action=module.run)


def run(args: argparse.Namespace) -> int:
    with closing(Reader(Path(args.file or default_path()).expanduser())) as reader:
        return int(args.run_action(reader, args))
