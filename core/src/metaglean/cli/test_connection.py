"""`metaglean test-connection`: one line a permission."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaglean.cli.failures import Clean, cleaning, report
from metaglean.cli.lines import Lines, add_log_format, logging_in
from metaglean.components import Step
from metaglean.config import load_workflow
from metaglean.errors import catching
from metaglean.plugins import Registry
from metaglean.text import safe, write_line
from metaglean.workflow import Workflow

EXAMPLES = """\
examples:
  metaglean test-connection -c workflow.yaml

Exit code 0 if everything that is required works, else 3.
"""
MARKS = {True: "ok", False: "FAILED", None: "not tried"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Try each permission that the workflow's source and sink need."
    parser.epilog = EXAMPLES
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="the workflow (YAML)")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    add_log_format(parser)


def run(args: argparse.Namespace) -> int:
    config = load_workflow(Path(args.config), Registry())
    # A sink that can plan is opened as in a dry run: a test makes no file and writes no row.
    workflow = Workflow(config, dry_run="plan" in config.sink_class.capabilities, silent=True)
    failed = 0
    lines = Lines(args.log_format, workflow)
    with logging_in(lines), catching(ending=True) as caught:
        for step in workflow.test_connection():
            _print(step, cleaning(workflow))
            failed += step.required and step.ok is False
    if isinstance(caught.error, BrokenPipeError):
        raise caught.error
    if caught.error:
        return report(caught.error, cleaning(workflow), debug=args.debug, lines=lines)
    return 3 if failed else 0


def _print(step: Step, clean: Clean) -> None:
    mark = MARKS[step.ok] if step.required or step.ok else "missing"
    mark = "not tried" if step.ok is None else mark
    detail = clean(f": {step.detail}") if step.detail else ""
    write_line(f"{mark:<11}{safe(clean(step.name))}{detail}", sys.stdout)
    sys.stdout.flush()
