"""How fast a system may be asked: found out from its refusals, shared by all threads.

Unlimited until the first refusal; then the rate is halved and grows again. How it grows depends
on what the refusal says. It may be noise (a gateway's hiccup): then the rate doubles each second,
and as refusals within one second count as one, noise can't bring it down for good. Or it is a
limit: it comes with `Retry-After`, so that each refusal costs everybody that pause, or many
answers are refused. Then the rate returns at once to just below what the system bore, stays there
for seconds and probes ever faster.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque

from metaglean.clock import Clock

__all__ = ["Governor"]

_ONE_EVENT = 1.0  # seconds within which refusals count as one
_SLOWEST = 1.0  # requests/s; a lower limit than that would stand still
_UNMEASURED = 10.0  # requests/s that are supposed where the first requests are refused already
_UNLIMITED = 5000.0  # requests/s that no connection pool of ours reaches
_SHORTEST = 0.1  # seconds over which a rate can be measured
_LIMIT_SHARE = 0.12  # share of the answers refused that is no noise any more
_FEW = 3  # refusals that may be chance
_NEAR = 0.9  # of the ceiling: where a limit refuses; noise refuses anywhere


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
        self._firm = False  # whether the refusals come from a limit
        self._refusals = 0  # since the last one that counted
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
            self._refusals += 1
            if retry_after:
                self._resume = max(self._resume, now + retry_after)
            same = sent <= self._refused_at or now - self._refused_at < _ONE_EVENT
            if self._fixed is None and not same:
                self._firm = bool(retry_after) or self._is_limit(before)
                self._ceiling = max(_SLOWEST, self._measure(now, before))
                self._refused_at = now
                self._refusals = 0
                self._since = max(now, self._resume)
                self._next = self._since
            elif self._resume > now:
                self._since = max(self._since, self._resume)
            self._limited = True

    def _is_limit(self, before: float | None) -> bool:
        """Whether refusals that don't say so come from a limit."""
        times = list(self._accepted)
        accepted = len(times) - bisect_left(times, self._refused_at)
        if self._refusals > _FEW and self._refusals > _LIMIT_SHARE * (accepted + self._refusals):
            return True
        return self._firm and (before is None or before >= _NEAR * self._ceiling)

    def _measure(self, now: float, before: float | None) -> float:
        """The rate that the system bore before it refused."""
        times = list(self._accepted)
        oldest = times[0] if times else now
        start = max(now - 1.0, oldest, self._since)
        shortest = _SHORTEST
        if before is None:
            # Nothing held us back yet: of a limit, a burst says little, and what went in a second
            # says all; of noise, the burst's own speed is the rate to return to.
            shortest = 1.0 if self._firm else _SHORTEST / 10
        measured = (len(times) - bisect_left(times, start)) / max(now - start, shortest)
        if before is None:
            return max(_UNMEASURED, measured)
        if now - start < _SHORTEST:
            return before
        # The rate allowed may be far above the one used; but who is idle proves nothing either.
        least = before / (8 if self._firm and self._refusals > _FEW else 2)
        return min(before, max(measured if self._firm else 2 * measured, least))

    def _rate(self, at: float) -> float | None:
        if self._fixed is not None:
            return self._fixed
        seconds = max(0.0, at - self._since)
        if seconds > 60:
            return None
        if not self._firm:
            factor = 0.5 * 2.0**seconds
        elif seconds < 0.5:
            factor = 0.5 + 0.94 * seconds
        else:
            factor = 0.97 + 0.003 * seconds + 0.0001 * seconds**3
        rate = factor * self._ceiling
        return rate if rate < _UNLIMITED else None
