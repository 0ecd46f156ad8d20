"""How the commands that run a workflow do it: options, progress, signals, report, exit code."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

from metaglean.cli.changes import print_change
from metaglean.cli.console import shown_on
from metaglean.cli.failures import cleaning
from metaglean.cli.failures import report as report_error
from metaglean.cli.lines import Lines, add_log_format
from metaglean.cli.saving import check_report, write_report
from metaglean.cli.signals import stopping_on_signals
from metaglean.components import Change
from metaglean.config import load_workflow
from metaglean.errors import MetagleanError, catching
from metaglean.plugins import Registry
from metaglean.summary import in_short, summary
from metaglean.workflow import Workflow


def configure(parser: argparse.ArgumentParser, *, dry_run: str) -> None:
    """The options that they share; `dry_run` is what that one does."""
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="the workflow (YAML)")
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
    parser.add_argument("--report", metavar="FILE", help="write a report of the run as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("--debug", action="store_true", help="log everything, with tracebacks")
    add_log_format(parser)


def execute(args: argparse.Namespace, **options: Any) -> int:
    """Run the workflow of `args`; `options` are further ones of `Workflow`."""
    config = load_workflow(Path(args.config), Registry())
    if args.report:
        check_report(Path(args.report), Path(args.config))
    workflow = Workflow(
        config,
        dry_run=args.dry_run,
        on_change=(lambda change: _print(change, workflow)) if args.dry_run else None,
        silent=True,
        debug=args.debug,
        **options,
    )
    lines = Lines(args.log_format, workflow)
    with (
        shown_on(
            sys.stderr, workflow, quiet=args.quiet, debug=args.debug, log_format=args.log_format
        ),
        stopping_on_signals(workflow, lines),
        catching(ending=True) as caught,
    ):
        workflow.execute()
    if args.report:
        text = json.dumps(workflow.report(), indent=2) + "\n"
        if problem := write_report(Path(args.report), text):
            lines.say(logging.WARNING, problem)
    return _finish(workflow, workflow.error or caught.error, args, lines)


def _print(change: Change, workflow: Workflow) -> None:
    before = workflow.run.renaming.before(change.ref) if workflow.run else change.ref
    print_change(change, before if before != change.ref else None)


def _finish(
    workflow: Workflow, error: BaseException | None, args: argparse.Namespace, lines: Lines
) -> int:
    """Print the summary, then the error last, where a reader looks first."""
    with catching() as printing:  # nobody may read it any more (`| head`)
        if not args.quiet or (error and not isinstance(error, MetagleanError)):
            _summarise(workflow, lines)
        sys.stdout.flush()
    if error is None and printing.error is not None:
        raise printing.error
    if error is None:
        return 0
    code = report_error(error, cleaning(workflow), debug=args.debug, lines=lines)
    return 0 if workflow.excused and error is workflow.error else code


def _summarise(workflow: Workflow, lines: Lines) -> None:
    if not lines.json or workflow.run is None:
        workflow.print_status(with_error=False)
        return
    told = summary(workflow.run, workflow.status).partition("\n")[0]
    lines.say(logging.INFO, told, summary=in_short(workflow.report()))
