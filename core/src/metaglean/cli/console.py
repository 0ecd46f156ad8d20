"""What a run shows while it goes: log lines and progress, on standard error."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO

from metaglean.cli.lines import JsonHandler, Lines
from metaglean.stream import LEAVES
from metaglean.text import printable, write_line
from metaglean.workflow import Workflow

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from metaglean.run import Run

PLAIN_INTERVAL = 10.0
LIVE_INTERVAL = 0.25


@contextmanager
def shown_on(
    stream: TextIO, workflow: Workflow, *, quiet: bool, debug: bool, log_format: str = "text"
) -> Iterator[None]:
    """Show the log and the progress of `workflow` while the block runs."""
    with ExitStack() as stack:
        bar = None
        handler: logging.Handler
        if log_format == "json":
            handler = JsonHandler(stream, workflow)
            handler.setLevel(logging.ERROR if quiet and not debug else logging.NOTSET)
        else:
            if stream.isatty() and not quiet:
                bar = stack.enter_context(_bar())
            handler = LineHandler(stream, bar)
            if not debug:
                # The rest stands in the summary.
                handler.addFilter(lambda record: getattr(record, "live", False) and not quiet)
        logger = logging.getLogger("metaglean")
        logger.addHandler(handler)
        stack.callback(logger.removeHandler, handler)
        if not quiet:
            show = _on_bar(bar) if bar else _in_lines(Lines(log_format, workflow))
            interval = LIVE_INTERVAL if bar else PLAIN_INTERVAL
            stack.enter_context(_polling(workflow, show, interval))
        yield


class LineHandler(logging.Handler):
    """One line a record, above the progress bar where there is one."""

    def __init__(self, stream: TextIO, bar: Bar | None) -> None:
        super().__init__()
        self._stream = stream
        self._bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.levelname.lower()}: {self.format(record)}"
        if self._bar:
            shown = printable(line, self._stream)
            self._bar.console.print(shown, markup=False, highlight=False, soft_wrap=True)
        else:
            write_line(line, self._stream)
            self._stream.flush()


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    return Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class Progress(NamedTuple):
    """How far a run is; `total` is 0 while it is not known."""

    seconds: float
    done: int
    total: int

    @property
    def rate(self) -> str:
        return f"{self.done / self.seconds:.0f}/s" if self.done else ""

    def __str__(self) -> str:
        done, total, seconds = self.done, self.total, self.seconds
        share = f"{done}/{total} ({100 * done // total} %)" if total else f"{done}"
        left = f", {(total - done) * seconds / done:.0f} s left" if done and total else ""
        said = f"{share}, {self.rate}{left}" if done else "listing" if not total else f"0/{total}"
        return f"{seconds:.0f} s: {said}"


def progress_of(run: Run) -> Progress:
    """How far this run is, by its counters."""
    seconds = max(run.clock.now() - run.started, 0.001)
    total = sum(run.report.totals.get(kind, 0) for kind in LEAVES)
    filtered = sum(run.report.number("source", kind, "filtered") for kind in LEAVES)
    done = sum(run.report.number("sink", kind) for kind in LEAVES) + filtered
    return Progress(seconds, done, total)


@contextmanager
def _polling(
    workflow: Workflow, show: Callable[[Progress], None], interval: float
) -> Iterator[None]:
    """Look at the run's counters from time to time; the run itself knows nothing of it."""
    done = threading.Event()

    def poll() -> None:
        while not done.wait(interval):
            if workflow.run:
                show(progress_of(workflow.run))

    thread = threading.Thread(target=poll, name="metaglean-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _on_bar(bar: Bar) -> Callable[[Progress], None]:
    task = bar.add_task("listing", total=None, rate="")

    def show(progress: Progress) -> None:
        words = "reading" if progress.total else "listing"
        bar.update(
            task,
            description=words,
            total=progress.total or None,
            completed=progress.done,
            rate=progress.rate,
        )

    return show


def _in_lines(lines: Lines) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        seconds = round(progress.seconds, 1)
        lines.say(logging.INFO, str(progress), progress={**progress._asdict(), "seconds": seconds})
        sys.stderr.flush()

    return show
