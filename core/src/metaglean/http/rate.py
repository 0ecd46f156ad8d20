"""How fast a system may be asked: found out from its refusals, shared by all threads.

Unlimited until the first refusal; then the rate is halved and grows again. How it grows depends
on what the refusal says. Without `Retry-After` it may be noise (a gateway's hiccup), so the rate
doubles each second: as refusals within one second count as one, noise alone can't bring it down
for good. With `Retry-After` the limit is real and each refusal costs everybody that pause, so the
rate returns quickly to just below where it was refused, stays there and probes ever faster.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque

from metaglean.clock import Clock

__all__ = ["Governor"]

_ONE_EVENT = 1.0  # seconds within which refusals count as one
_SLOWEST = 1.0  # requests/s
_UNLIMITED = 5000.0  # requests/s that no connection pool of ours reaches
_SHORTEST = 0.1  # seconds over which a rate can be measured


class Governor:
    """Gives each request its time. `requests_per_second` fixes the rate."""

    def __init__(self, clock: Clock, requests_per_second: float | None = None) -> None:
        self._clock = clock
        self._fixed = requests_per_second
        self._lock = threading.Lock()
        self._limited = requests_per_second is not None
        self._next = float("-inf")  # the first slot that is free
        self._resume = float("-inf")  # nothing is sent before (Retry-After)
        self._refused_at = float("-inf")
        self._since = float("-inf")  # the rate grows from here
        self._ceiling = 0.0  # the rate at the last refusal
        self._hinted = False
        self._accepted: deque[float] = deque(maxlen=4096)

    @property
    def rate(self) -> float | None:
        """Requests per second that are allowed now; None is unlimited."""
        with self._lock:
            return self._rate(self._clock.monotonic()) if self._limited else None

    def delay(self) -> float:
        """Take the next free slot: the seconds until it comes (0 where there is no limit)."""
        if not self._limited:
            return 0.0
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, self._resume, self._next)
            rate = self._rate(start)
            if rate is None:
                self._limited = False
                return start - now
            self._next = start + 1 / rate
            return start - now

    def pause(self) -> float:
        """Seconds for which the system asked everybody to wait (0: none)."""
        return max(0.0, self._resume - self._clock.monotonic()) if self._limited else 0.0

    def accepted(self, now: float) -> None:
        """A request was not refused."""
        self._accepted.append(now)

    def refused(self, sent: float, retry_after: float | None = None) -> None:
        """A request sent at `sent` was refused; all wait `retry_after` seconds."""
        with self._lock:
            now = self._clock.monotonic()
            before = self._rate(now) if self._limited else None
            if retry_after:
                self._resume = max(self._resume, now + retry_after)
            same = sent <= self._refused_at or now - self._refused_at < _ONE_EVENT
            if self._fixed is None and not same:
                self._ceiling = max(_SLOWEST, self._measure(now, before, bool(retry_after)))
                self._hinted = bool(retry_after)
                self._refused_at = now
                self._since = max(now, self._resume)
                self._next = self._since
            elif retry_after and self._hinted:
                self._since = max(self._since, self._resume)
            self._limited = True

    def _measure(self, now: float, before: float | None, hinted: bool) -> float:
        """The rate that the system bore before it refused."""
        times = list(self._accepted)
        oldest = times[0] if times else now
        start = max(now - 1.0, oldest, self._since)
        # Until then nothing held us back: a burst says little, what went in a second says all.
        shortest = 1.0 if hinted and before is None else _SHORTEST
        measured = (len(times) - bisect_left(times, start)) / max(now - start, shortest)
        if before is None:
            return measured
        return before if now - start < _SHORTEST else min(before, 1.5 * measured)

    def _rate(self, at: float) -> float | None:
        if self._fixed is not None:
            return self._fixed
        seconds = max(0.0, at - self._since)
        if seconds > 60:
            return None
        if not self._hinted:
            factor = 0.5 * 2.0**seconds
        elif seconds < 1:
            factor = 0.5 + 0.45 * seconds
        else:
            factor = 0.95 + 0.01 * (seconds - 1) + 0.0005 * (seconds - 1) ** 3
        rate = factor * self._ceiling
        return rate if rate < _UNLIMITED else None
