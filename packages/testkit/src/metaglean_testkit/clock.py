"""`VirtualClock`: hours of waiting in no time, also where several workers wait at once."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

START = 1_750_000_000.0
"""Epoch seconds at which a virtual clock starts unless told otherwise: equal in every test run."""

_GRACE = 0.05
_STEP = 0.001
# Where a thread waits for another one rather than works: pools, queues, events, joins.
_PARKED = ("threading.py", "queue.py", str(Path("concurrent", "futures", "thread.py")))


class VirtualClock:
    """A clock whose `sleep` moves time instead of waiting; see `metaglean.clock.Clock`.

    Of several sleeping threads the one that is due first moves the time, and only once every other
    thread that has used this clock sleeps too, waits for another one, or has been busy for 50 real
    milliseconds: so eight workers that wait ten seconds each take ten seconds together, and no
    lock or blocked call can make a sleeper wait for ever. `slept` holds every wait asked for.
    """

    def __init__(self, start: float = START) -> None:
        self._start = start
        self._elapsed = 0.0
        self._woken = False
        self._changed = threading.Condition()
        self._due: dict[int, float] = {}
        self._users: set[int] = set()
        self.slept: list[float] = []

    def now(self) -> float:
        with self._changed:
            self._users.add(threading.get_ident())
            return self._start + self._elapsed

    def monotonic(self) -> float:
        with self._changed:
            self._users.add(threading.get_ident())
            return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move the time at once, whoever sleeps."""
        with self._changed:
            self._elapsed += seconds
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock; at once after `wake`."""
        if seconds <= 0:
            return
        me = threading.get_ident()
        with self._changed:
            self._users.add(me)
            self.slept.append(seconds)
            due = self._due[me] = self._elapsed + seconds
            self._changed.notify_all()
            give_up = time.monotonic() + _GRACE
            while self._elapsed < due and not self._woken:
                quiet = time.monotonic() > give_up or not self._others_work(me)
                if due == min(self._due.values()) and quiet:
                    self._elapsed = due
                    self._changed.notify_all()
                else:
                    self._changed.wait(_STEP)
            del self._due[me]

    def wake(self) -> None:
        """End all waits, now and from now on."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _others_work(self, me: int) -> bool:
        """Whether a thread that uses this clock is neither asleep nor waiting for another one."""
        frames = sys._current_frames()  # noqa: SLF001  # the one way to see what a thread does
        self._users &= frames.keys()
        return any(
            not frames[user].f_code.co_filename.endswith(_PARKED)
            for user in self._users
            if user != me and user not in self._due
        )
