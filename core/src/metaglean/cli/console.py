"""What a run shows while it goes: log lines and progress, on standard error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

from metaglean.stream import LEAVES
from metaglean.text import printable, write_line
from metaglean.workflow import Workflow

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_INTERVAL = 10.0
LIVE_INTERVAL = 0.25


@contextmanager
def shown_on(stream: TextIO, workflow: Workflow, *, quiet: bool, debug: bool) -> Iterator[None]:
    """Show the log and the progress of `workflow` while the block runs."""
    with ExitStack() as stack:
        progress = None
        if stream.isatty() and not quiet:
            progress = stack.enter_context(_bar())
        handler = LineHandler(stream, progress)
        if not debug:
            # The rest stands in the summary.
            handler.addFilter(lambda record: getattr(record, "live", False) and not quiet)
        logger = logging.getLogger("metaglean")
        logger.addHandler(handler)
        stack.callback(logger.removeHandler, handler)
        if not quiet:
            stack.enter_context(_polling(workflow, stream, progress))
        yield


class LineHandler(logging.Handler):
    """One line a record, above the progress bar where there is one."""

    def __init__(self, stream: TextIO, progress: Progress | None) -> None:
        super().__init__()
        self._stream = stream
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.levelname.lower()}: {self.format(record)}"
        if self._progress:
            shown = printable(line, self._stream)
            self._progress.console.print(shown, markup=False, highlight=False, soft_wrap=True)
        else:
            write_line(line, self._stream)
            self._stream.flush()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
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


@contextmanager
def _polling(workflow: Workflow, stream: TextIO, progress: Progress | None) -> Iterator[None]:
    """Look at the run's counters from time to time; the run itself knows nothing of it."""
    done = threading.Event()
    task = progress.add_task("listing", total=None, rate="") if progress else None

    def poll() -> None:
        interval = LIVE_INTERVAL if progress else PLAIN_INTERVAL
        while not done.wait(interval):
            _show(workflow, stream, progress, task)

    thread = threading.Thread(target=poll, name="metaglean-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(
    workflow: Workflow, stream: TextIO, progress: Progress | None, task: TaskID | None
) -> None:
    run = workflow.run
    if run is None:
        return
    seconds = max(run.clock.now() - run.started, 0.001)
    total = sum(run.report.totals.get(kind, 0) for kind in LEAVES)
    filtered = sum(run.report.number("source", kind, "filtered") for kind in LEAVES)
    done = sum(run.report.number("sink", kind) for kind in LEAVES) + filtered
    rate = f"{done / seconds:.0f}/s" if done else ""
    if progress and task is not None:
        words = "reading" if total else "listing"
        progress.update(task, description=words, total=total or None, completed=done, rate=rate)
        return
    share = f"{done}/{total} ({100 * done // total} %)" if total else f"{done}"
    left = f", {(total - done) * seconds / done:.0f} s left" if done and total else ""
    said = f"{share}, {rate}{left}" if done else "listing" if not total else f"0/{total}"
    write_line(f"{seconds:.0f} s: {said}", stream)
    stream.flush()
