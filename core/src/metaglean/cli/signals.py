"""Ctrl-C and SIGTERM end a run in order: what is in flight is written, the summary printed.

Only the command line installs handlers; inside a host (Airflow) its own are left alone.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from metaglean.cli.lines import Lines
from metaglean.errors import Interrupted
from metaglean.workflow import Workflow

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_on_signals(workflow: Workflow, lines: Lines | None = None) -> Iterator[None]:
    """The first signal ends the run in order, the second at once."""
    say = (lines or Lines()).say

    def stop(number: int, _frame: FrameType | None) -> None:
        run = workflow.run
        if run is None:
            raise Interrupted(number)
        if run.stopping:
            os._exit(128 + number)
        say(logging.INFO, "stopping; what is in flight is written (again: at once)")
        run.stop(number)
        if run.reading():
            raise Interrupted(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
