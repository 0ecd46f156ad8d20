"""What a phase of a run does with an error that isn't ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from metaglean.errors import RunError, catching
from metaglean.run import Run


@contextmanager
def phase(run: Run, what: str) -> Iterator[None]:
    """A foreign error inside becomes ours; its own text, which may hold a secret, is cleaned, and
    its traceback goes through the log's filter only."""
    with catching() as caught:
        yield
    if caught.error:
        message = f"{what}: {run.describe(caught.error)}"
        run.problem(message, error=caught.error)
        raise RunError(message) from None
