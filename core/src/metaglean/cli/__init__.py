"""The command line: one module a command, imported when it is named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from metaglean.cli.parser import Parser

COMMANDS = {
    "ingest": "run a workflow",
    "check": "validate workflow files, without connecting to anything; rewrite old spellings",
    "push": "send what a run kept in a spool while its sink was away",
    "test-connection": "try the permissions that a workflow needs, one by one",
    "selfcheck": "test on the live systems what was never seen there",
    "plugins": "list what is installed, show or check one",
    "schema": "print JSON Schema for editors",
    "new": "make a new connector, processor, sink or profiler",
    "catalog": "look into the embedded catalog",
    "completion": "print what makes a shell complete these commands",
    "man": "print the manual page",
}

EPILOG = """\
examples:
  metaglean check -c workflow.yaml
  metaglean ingest -c workflow.yaml --dry-run
  metaglean ingest -c workflow.yaml
  metaglean catalog ls

exit codes:
  0  done          1  incomplete, or too little succeeded    2  configuration or usage
  3  a system is away or refuses the credentials             70  a fault of metaglean or of a plugin
  130/143  stopped by a signal

`metaglean COMMAND --help` tells more.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    named = next((word for word in arguments if not word.startswith("-")), "")
    parser = make_parser(named)
    options = parser.parse_args(arguments)
    if options.version:
        return _print_version()
    if not options.command:
        parser.print_help()
        return 0
    from metaglean.cli.failures import exit_code

    return exit_code(options)


def make_parser(*named: str) -> argparse.ArgumentParser:
    """The parser of the command line. Only the commands in `named` have their options: to know
    them is to import them."""
    parser = Parser(
        prog="metaglean",
        description="Read metadata from systems and write it to a catalog.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-v", "--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(
            name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in named:
            module = import_module(f"metaglean.cli.{name.replace('-', '_')}")
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser


def _print_version() -> int:
    from importlib.metadata import version

    print(f"metaglean {version('metaglean-core')}")
    return 0
