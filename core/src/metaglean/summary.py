"""The summary of a run as text: counts, time, what each system cost, warnings and problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metaglean.errors import MetagleanError
from metaglean.report import Group, Report, shortened
from metaglean.run import Run
from metaglean.text import safe

ACTIONS = {
    "created": "to create",
    "updated": "to change",
    "restored": "to restore",
    "unchanged": "unchanged",
    "skipped": "skipped",
    "deleted": "to delete",
}
"""What a sink does, and how a dry run says it."""
SHOWN_GROUPS = 12
SHOWN_ITEMS = 3


def summary(run: Run, status: str, error: BaseException | None = None) -> str:
    """Several lines of plain text, secrets removed."""
    seconds = run.clock.now() - run.started
    report = run.report
    notes = [f"into {run.target}"] if run.target else []
    notes += ["dry run: nothing was written"] if run.dry_run else []
    notes += [f"limited to {run.limit}: nothing was deleted"] if run.limit is not None else []
    about = f" ({'; '.join(notes)})" if notes else ""
    lines = [f"{run.service}: {status} in {seconds:.1f} s{about}", *_kinds(report, run.dry_run)]
    lines += _systems(report)
    lines += _spool(report)
    lines += _groups("warning", report.warnings.count, report.warnings)
    lines += _groups("problem", report.problems.count, report.problems)
    lines = [safe(run.redactor.clean(line)) for line in lines]
    if error is not None:
        told = run.redactor.clean("\n".join(_error(error)))  # of several lines, as for a workflow
        lines += ["", *map(safe, told.split("\n"))]
    return "\n".join(lines)


def in_short(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report (`Workflow.report()`) without its lists: figures that fit on one line."""
    short = {
        key: report[key]
        for key in (
            "status",
            "exit_code",
            "seconds",
            "dry_run",
            "counts",
            "listed",
            "systems",
            "spool",
        )
        if key in report
    }
    for key in ("warnings", "problems"):
        short[key] = sum(group.get("count", 1) for group in report.get(key, ()))
    return short


def _kinds(report: Report, dry_run: bool) -> Iterator[str]:
    """One line a kind: read, then what the sink did."""
    kinds = {kind for stage, kind, _ in report.counts if stage == "sink"} | set(report.totals)
    for kind in sorted(kinds):
        parts = [f"{report.totals[kind]} listed"] if kind in report.totals else []
        filtered = report.number("source", kind, "filtered")
        if filtered:
            parts.append(f"{filtered} filtered")
        parts += [
            f"{number} {planned if dry_run else action}"
            for action, planned in ACTIONS.items()
            if (number := report.number("sink", kind, action))
        ]
        yield f"  {kind:<16} {', '.join(parts) or 'nothing'}"


def _systems(report: Report) -> Iterator[str]:
    for system in report.systems:
        data = system.as_dict()
        limited = f", {data['rate_limited']} refused for their rate" if data["rate_limited"] else ""
        yield (
            f"  calls to {data['name']}: {data['calls']}, {data['retries']} retried{limited}, "
            f"{data['waited_seconds']:.1f} s waited"
        )


def _spool(report: Report) -> Iterator[str]:
    if report.spool:
        yield f"  spool            {report.spool['records']} records in {report.spool['path']}"
        yield f"                   to send them: {report.spool['command']}"


def _groups(word: str, count: int, groups: Iterable[Group]) -> Iterator[str]:
    if not count:
        return
    yield ""
    yield f"{count} {word}{'s' if count != 1 else ''}:"
    shown = sorted(groups, key=lambda group: -group.count)
    for group in shown[:SHOWN_GROUPS]:
        if group.texts:
            yield f"  {group.count} alike, such as"
            yield from (f"      {text}" for text in group.texts[:SHOWN_ITEMS])
            continue
        times = f"{group.count} x " if group.count > 1 else ""
        items = ", ".join(shortened(item) for item in group.items[:SHOWN_ITEMS])
        more = ", …" if group.count > SHOWN_ITEMS and items else ""
        yield f"  {times}{group.message}{f' [{items}{more}]' if items else ''}"
        if group.hint:
            yield f"      {group.hint}"
    if len(shown) > SHOWN_GROUPS:
        yield f"  … and {len(shown) - SHOWN_GROUPS} more kinds (all are in --report FILE)"


def _error(error: BaseException) -> Iterator[str]:
    if isinstance(error, KeyboardInterrupt):
        yield "stopped before its end; what was read is written, nothing was deleted"
        return
    if isinstance(error, MetagleanError):
        yield f"error: {error.message}"
        if error.hint:
            yield f"  {error.hint}"
    else:
        yield f"error: {type(error).__name__}: {error}"
