"""When a call is tried again, when it has failed, and when a whole system is away."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime

from metaglean.clock import Clock
from metaglean.errors import ItemError
from metaglean.http.response import Response, Unreachable
from metaglean.http.transport import Fault, TransportError

__all__ = ["CALL_SECONDS", "FATAL", "UNREACHED", "Attempts", "Health", "retry_after", "waiter"]

CALL_ATTEMPTS = 6
CALL_SECONDS = 120.0  # for one call; and for a system, from its first refused connection
FIRST_SECONDS = 20.0  # for the first call of a session: a typing error must not cost minutes
SPENT_IN_A_ROW = 20  # calls whose retries are spent: the system is away

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 30.0
_LONGEST_OUTAGE_WAIT = 5.0  # a probe of a refused connection costs nothing

# The outages that all workers wait through together; and what waiting doesn't mend.
UNREACHED = frozenset({Fault.REFUSED, Fault.NAME, Fault.PROXY})
FATAL = frozenset({Fault.CERTIFICATE, Fault.TLS, Fault.PROXY_LOGIN})


def retry_after(response: Response, now: float) -> float | None:
    """Seconds that an answer asks to wait; None where it doesn't say (or not legibly).

    A date counts from the answer's own `Date` where there is one: clocks differ.
    """
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return (
            max(0.0, float(value))
            if value.replace(".", "", 1).isdigit()
            else _until(value, response.headers.get("Date", ""), now)
        )
    except (TypeError, ValueError):
        return None


def _until(value: str, sent: str, now: float) -> float:
    return max(0.0, _epoch(value) - (_epoch(sent) if sent else now))


def _epoch(value: str) -> float:
    moment = parsedate_to_datetime(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


class Attempts:
    """The attempts of one call."""

    def __init__(self, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self._rng = rng
        self._counted = 0
        self._begun: float | None = None
        self.total = 0
        self.sent = 0.0

    def begin(self) -> None:
        """A request is sent now."""
        self.sent = self._clock.monotonic()
        self._counted += 1
        self.total += 1
        if self._begun is None:
            self._begun = self.sent

    def uncounted(self) -> None:
        """The last attempt reached nothing, or came with a token that had run out."""
        self._counted -= 1

    def patience(self) -> float:
        """The least seconds to wait after a refusal for the rate that doesn't say how long."""
        return self._rng.uniform(1.0, 2.0) * _FIRST_WAIT * 2.0 ** (self._counted - 1)

    def remaining(self, seconds: float) -> float:
        """What is left of the call's `seconds`, which count from its first request."""
        begun = self._clock.monotonic() if self._begun is None else self._begun
        return begun + seconds - self._clock.monotonic()

    def wait(self, seconds: float, at_least: float = 0.0) -> float | None:
        """Seconds until the next attempt (back-off with full jitter); None: there is none."""
        remaining = self.remaining(seconds)
        if self._counted >= CALL_ATTEMPTS or remaining <= 0 or at_least > remaining:
            return None
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (self._counted - 1))
        return max(at_least, min(remaining, self._rng.uniform(0.0, longest)))


class Health:
    """What all calls of a session know together of the system: is it there?"""

    def __init__(self, name: str, host: str, clock: Clock, rng: random.Random) -> None:
        self._name = name
        self._host = host
        self._clock = clock
        self._rng = rng
        self._lock = threading.Lock()
        self._refused_since: float | None = None
        self._refusals = 0
        self._gate = 0.0
        self._spent = 0
        self._away: tuple[str, str] | None = None  # no exception: its traceback holds connections
        self.answered = False  # whether the system ever gave an answer that shows it at work

    def check(self) -> None:
        """Raises Unreachable where the system was found away."""
        if self._away is not None:
            raise Unreachable(*self._away)

    @property
    def seconds(self) -> float:
        """How long a call may try, and how long a refused connection is tried."""
        return CALL_SECONDS if self.answered else FIRST_SECONDS

    def heard(self, *, gateway: bool) -> None:
        """An answer came, be it an error; from a `gateway` it says nothing of the system."""
        if self._refused_since is not None or not (gateway or self.answered):
            with self._lock:
                self._refused_since = None
                self._refusals = 0
                self.answered = self.answered or not gateway

    def alive(self) -> None:
        """An answer came that needs no retry."""
        if self._spent:
            with self._lock:
                self._spent = 0

    def gate(self) -> tuple[int, float]:
        """How many refusals were seen, and the seconds that all wait before they try again."""
        with self._lock:
            if self._refused_since is None:
                return self._refusals, 0.0
            return self._refusals, max(0.0, self._gate - self._clock.monotonic())

    def refused(self, seen: int, error: TransportError, hint: str) -> bool:
        """A connection was refused after `seen` refusals; returns whether it is the first of an
        outage. Raises Unreachable when it is enough."""
        with self._lock:
            now = self._clock.monotonic()
            first = self._refused_since is None
            if self._refused_since is None:
                self._refused_since = now
            remaining = self._refused_since + self.seconds - now
            if remaining > 0:
                if seen == self._refusals:  # else another worker has moved the gate already
                    self._refusals += 1
                    longest = min(_LONGEST_OUTAGE_WAIT, _FIRST_WAIT * 2.0**self._refusals)
                    self._gate = now + min(remaining, self._rng.uniform(longest / 2, longest))
                return first
        raise self.lost(f"{error.words} (tried for {self.seconds:.0f} s)", hint) from error

    def spent(self, cause: str, *, no_answer: bool) -> Exception | None:
        """The retries of a call are spent: Unreachable where that says more than the call's error.

        `no_answer`: nothing came but errors of the way there (connection, gateway).
        """
        with self._lock:
            self._spent += 1
            count = self._spent
        if no_answer and not self.answered:
            return self.lost(cause)
        if count >= SPENT_IN_A_ROW:
            return self.lost(f"{cause} ({count} calls in a row failed after all retries)")
        return None

    def lost(self, cause: str, hint: str = "") -> Unreachable:
        """Mark the system as away for all calls to come; the error to raise."""
        state = "is away" if self.answered else f"can't be reached at {self._host}"
        message = f"{self._name} {state}: {cause}"
        away = (message, hint or "Check the address, the network and the proxy settings.")
        self._away = self._away or away
        return Unreachable(*away)


def waiter(
    clock: Clock, stopped: Callable[[], bool], waited: Callable[[float], None]
) -> Callable[[float], None]:
    """A function that waits, and raises ItemError when the session stops or the clock is woken."""

    def wait(seconds: float) -> None:
        begin = clock.monotonic()
        end = begin + seconds
        try:
            while (left := end - clock.monotonic()) > 0:
                piece = min(left, 1.0)
                before = clock.monotonic()
                clock.sleep(piece)
                if stopped() or clock.monotonic() - before < piece / 2:
                    raise ItemError("stopped", "The run was asked to end.")
        finally:
            waited(clock.monotonic() - begin)

    return wait
