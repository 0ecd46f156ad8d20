"""`VirtualClock`: hours of waiting in no time, also where several workers wait at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

START = 1_750_000_000.0
"""Epoch seconds at which a virtual clock starts unless told otherwise: equal in every test run."""

_QUIET = 0.004  # real seconds without a sign of life after which the others count as waiting
_STUCK = 2.0  # the same while something is in flight, so that nothing can wait for ever
_STEP = 0.001


class VirtualClock:
    """A clock whose `sleep` moves time instead of waiting; see `metaglean.clock.Clock`.

    Of several sleeping threads the one that is due first moves the time, and only once all others
    that use this clock sleep too or show no sign of life: eight workers that wait ten seconds each
    take ten seconds together. A test that knows of work in flight says so with `busy`. No lock and
    no blocked call makes a sleeper wait for ever. `slept` holds every wait that was asked for.
    """

    def __init__(self, start: float = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._woken = False
        self._changed = threading.Condition()
        self._due: dict[int, float] = {}
        self._users: set[int] = set()
        self._in_flight = 0
        self._seen = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        with self._changed:
            self._sign_of_life()
            return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move the time at once, whoever sleeps."""
        with self._changed:
            self._move(self._elapsed + seconds)

    def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock; at once after `wake`."""
        if seconds <= 0:
            return
        me = threading.get_ident()
        with self._changed:
            self._sign_of_life()
            self.slept.append(seconds)
            due = self._due[me] = self._elapsed + seconds
            while self._elapsed < due and not self._woken:
                if due == min(self._due.values()) and self._quiet():
                    self._move(due)
                else:
                    self._changed.wait(_STEP)
            del self._due[me]

    def wake(self) -> None:
        """End all waits, now and from now on."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Time stands still while this block runs (an answer is on its way)."""
        with self._changed:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._sign_of_life()

    def _sign_of_life(self) -> None:
        self._users.add(threading.get_ident())
        self._seen = time.monotonic()

    def _move(self, to: float) -> None:
        self._elapsed = to
        self._seen = time.monotonic()
        self._changed.notify_all()

    def _quiet(self) -> bool:
        """Whether nobody who is awake would do anything before the next sleeper is due."""
        self._users &= {thread.ident for thread in threading.enumerate() if thread.ident}
        if not self._in_flight and self._users <= self._due.keys():
            return True
        silent = time.monotonic() - self._seen
        return silent > (_STUCK if self._in_flight else _QUIET)
