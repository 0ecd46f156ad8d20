"""`metaglean selfcheck`: test on the live systems what was never seen there."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

from metaglean.cli.failures import report as report_error
from metaglean.cli.saving import check_report, write_report
from metaglean.config import load_workflow
from metaglean.errors import Interrupted
from metaglean.plugins import Registry
from metaglean.redaction import Redactor
from metaglean.selfcheck import Finding, Selfcheck, as_json, as_markdown
from metaglean.selfcheck.report import MARKS, Shown
from metaglean.text import safe, write_line

DESCRIPTION = """\
Test on your own systems what Metaglean takes for true of them and nobody has seen there. The source
is only read. In the target a scratch service is made, and removed again, also after Ctrl-C. The
report is made to be attached to an issue: it has no names, addresses or values of yours.
"""
EXAMPLES = """\
examples:
  metaglean selfcheck -c workflow.yaml                          say what would be tested
  metaglean selfcheck --live -c workflow.yaml --report self.md  test it (.json: as JSON)

exit codes: 0 nothing is broken, 1 something is, or a service could not be removed, 2 without
--live, 3 a system is away, so that a part was not tested
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help="the workflow (YAML)")
    parser.add_argument("--live", action="store_true", help="do it: without, it is only described")
    parser.add_argument("--report", metavar="FILE", help="write a report: Markdown, or .json")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def run(args: argparse.Namespace) -> int:
    check = Selfcheck(load_workflow(Path(args.config), Registry()))
    if not args.live:
        _describe(check)
        return 2
    report = Path(args.report) if args.report else None
    if report:
        check_report(report, Path(args.config))
    findings: list[Finding] = []
    with _terminated(), closing(check.findings()) as found:
        try:
            for one in found:
                findings.append(one)
                _print(one, check)
        finally:
            found.close()  # before what is left is told
            _finish(check, findings, report)
    if check.error:
        clean = Redactor(*check.config.secrets).clean
        return report_error(check.error, clean, debug=args.debug)
    return 1 if check.left or any(one.ok is False for one in findings) else 0


def _describe(check: Selfcheck) -> None:
    for component, assumptions in check.plan():
        _say(f"{component} would be tested for:" if assumptions else f"{component}: nothing")
        for one in assumptions:
            _say(f"  {one.text}")
    _say("")
    _say("The source is only read. In the target a service like this is made and removed:")
    _say(f"  {check.scratch}")
    _say("Nothing was done: add --live.")


def _print(one: Finding, check: Selfcheck) -> None:
    _say(f"{MARKS[one.ok]:<12}{one.component}, {one.name}: {one.text}")
    if one.detail:
        _say(f"{'':<12}{Shown(check.config)(one.detail)}")


def _finish(check: Selfcheck, findings: list[Finding], report: Path | None) -> None:
    notes = list(check.notes)
    notes += [
        f"{name} could not be removed: delete this service by hand, with all below it"
        for name in check.left
    ]
    for note in notes:
        _say(note)
    counts = {mark: sum(one.ok is ok for one in findings) for ok, mark in MARKS.items()}
    _say(", ".join(f"{number} {mark}" for mark, number in counts.items()))
    if report:
        make = as_json if report.suffix == ".json" else as_markdown
        text = make(check.config, findings, notes)
        text = text if isinstance(text, str) else json.dumps(text, indent=2) + "\n"
        _say(write_report(report, text) or f"the report is in {report}")


def _say(text: str) -> None:
    write_line(safe(text), sys.stdout)
    sys.stdout.flush()


@contextmanager
def _terminated() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: in order."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
