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


@contextmanager
def logging_to(run: Run, level: str) -> Iterator[None]:
    """Redact what the run logs, at the workflow's `loggerLevel`.

    A logger's filter doesn't see what its children log, so the handlers that would write it are
    filtered too.
    """
    redaction = run.redactor.filter()
    before = run.log.level
    filtered = [run.log, *run.log.handlers, *logging.getLogger().handlers]
    for one in filtered:
        one.addFilter(redaction)
    run.log.setLevel(LEVELS.get(level.upper(), logging.INFO))
    try:
        yield
    finally:
        for one in filtered:
            one.removeFilter(redaction)
        run.log.setLevel(before)
