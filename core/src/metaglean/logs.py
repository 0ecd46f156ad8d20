"""Logging of a run: one logger, `metaglean`, whose records are redacted for the time of the run.

The level of the workflow acts on this logger only; other libraries and the host keep theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from metaglean.run import Run

LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING,
          "WARNING": logging.WARNING, "ERROR": logging.ERROR}  # fmt: skip


class _Before(logging.Filter):
    """Passes everything; keeps the level that the logger had before the first of the runs that go
    on, as the last one to end isn't always the first that began."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level = level


@contextmanager
def logging_to(run: Run, level: str) -> Iterator[None]:
    """Redact what the run logs, at the workflow's `loggerLevel`.

    A logger's filter doesn't see what its children log, so the handlers that would write it are
    filtered too.
    """
    redaction = run.redactor.filter()
    others = [one for one in run.log.filters if isinstance(one, _Before)]
    mark = _Before(others[0].level if others else run.log.level)
    run.log.addFilter(mark)
    filtered = [run.log, *run.log.handlers, *logging.getLogger().handlers]
    for one in filtered:
        one.addFilter(redaction)
    run.log.setLevel(LEVELS.get(level.upper(), logging.INFO))
    try:
        yield
    finally:
        for one in filtered:
            one.removeFilter(redaction)
        run.log.removeFilter(mark)
        if not any(isinstance(one, _Before) for one in run.log.filters):
            run.log.setLevel(mark.level)
