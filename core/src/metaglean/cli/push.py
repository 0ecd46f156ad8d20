"""`metaglean push`: send what a run kept in a spool while its sink was away."""

from __future__ import annotations

import argparse

from metaglean.cli import execution

DESCRIPTION = """\
Send what a run kept in a spool (limits.spool) while its sink was away. The workflow is the one that
wrote it: the spool holds no address and no credentials.
"""
EXAMPLES = """\
examples:
  metaglean push spool.jsonl -c workflow.yaml
  metaglean push spool.jsonl -c workflow.yaml --dry-run   show what would change, write nothing

Nothing is deleted: not in the target, and not the spool. It may be sent again.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.add_argument("spool", metavar="SPOOL", help="the file that the run named")
    execution.configure(
        parser, dry_run="print what would be created and changed (field by field); write nothing"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="send also what a later run has written since; by default that is left as it is",
    )


def run(args: argparse.Namespace) -> int:
    return execution.execute(args, push=args.spool, overwrite=args.overwrite)
