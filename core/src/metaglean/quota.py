"""What a system may be asked in one run: so many requests, for so long."""

from __future__ import annotations

import threading
from typing import NamedTuple

from metaglean.clock import Clock
from metaglean.errors import LimitReached

__all__ = ["Bound", "Limits", "Quota"]

_HINT = "What was written until then stays, and nothing is deleted. Raise the limit to read more."


class Bound(NamedTuple):
    """A limit, and the setting that it stands in."""

    value: float
    setting: str


class Limits(NamedTuple):
    """What one system may be asked: requests a second, requests a run, and the seconds from the
    start of the run until the last one. None: as much as it allows."""

    rate: float | None = None
    requests: Bound | None = None
    seconds: Bound | None = None


class Quota:
    """Counts the requests of all threads against the limits of one run, which began at `began` (on
    the clock's `monotonic`)."""

    def __init__(self, name: str, limits: Limits, clock: Clock, began: float) -> None:
        self._name = name
        self._limits = limits
        self._clock = clock
        self._began = began
        self._lock = threading.Lock()
        self._used = 0

    def check(self) -> None:
        """Raises LimitReached where nothing may be asked any more."""
        requests, seconds = self._limits.requests, self._limits.seconds
        if requests and self._used >= requests.value:
            raise LimitReached(
                f"{self._name}: the run has used up its {requests.value:g} requests "
                f"({requests.setting})",
                _HINT,
            )
        if seconds and self._clock.monotonic() - self._began >= seconds.value:
            raise LimitReached(
                f"{self._name}: the run has used up its {seconds.value / 60:g} minutes "
                f"({seconds.setting})",
                _HINT,
            )

    def take(self) -> None:
        """One request is sent now. Raises LimitReached where it may not be."""
        with self._lock:
            self.check()
            self._used += 1
