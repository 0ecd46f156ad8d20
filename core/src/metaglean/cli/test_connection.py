"""`metaglean test-connection`: one line a permission."""

from __future__ import annotations

import argparse
from pathlib import Path

from metaglean.config import load_workflow
from metaglean.plugins import Registry
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


def run(args: argparse.Namespace) -> int:
    config = load_workflow(Path(args.config), Registry())
    # A sink that can plan is opened as in a dry run: a test makes no file and writes no row.
    workflow = Workflow(config, dry_run="plan" in config.sink_class.capabilities, silent=True)
    failed = 0
    for step in workflow.test_connection():
        mark = MARKS[step.ok] if step.required or step.ok else "missing"
        mark = "not tried" if step.ok is None else mark
        print(f"{mark:<10}{step.name}{f': {step.detail}' if step.detail else ''}", flush=True)
        failed += step.required and step.ok is False
    return 3 if failed else 0
