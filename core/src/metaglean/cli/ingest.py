"""`metaglean ingest`: run a workflow."""

from __future__ import annotations

import argparse

from metaglean.cli import execution

EXAMPLES = """\
examples:
  metaglean ingest -c workflow.yaml
  metaglean ingest -c workflow.yaml --dry-run           show what would change, write nothing
  metaglean ingest -c workflow.yaml --limit 20          a first look; deletes nothing
  metaglean ingest -c workflow.yaml --report run.json   counts, warnings and problems as JSON
  metaglean ingest -c workflow.yaml --log-format json   for a collector of logs
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Read a source and write what it has to a sink."
    parser.epilog = EXAMPLES
    execution.configure(
        parser,
        dry_run="print what would be created, changed (field by field) and deleted; write nothing",
    )
    parser.add_argument(
        "--limit", type=_positive, metavar="N", help="stop after N tables; deletes nothing"
    )


def run(args: argparse.Namespace) -> int:
    return execution.execute(args, limit=args.limit)


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)
