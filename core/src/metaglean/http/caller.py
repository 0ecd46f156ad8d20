"""One call from its first request to its answer or error: the order in which the rules apply."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

from metaglean.clock import Clock
from metaglean.errors import ItemError, LimitReached, MetagleanError
from metaglean.http.auth import Auth
from metaglean.http.messages import failure, fault_hint
from metaglean.http.rate import Governor
from metaglean.http.response import Response, Verdict
from metaglean.http.retry import (
    CALL_SECONDS,
    FATAL,
    UNREACHED,
    Attempts,
    Health,
    retry_after,
    waiter,
)
from metaglean.http.stats import SystemStats
from metaglean.http.transport import Fault, Transport, TransportError
from metaglean.quota import Quota
from metaglean.redaction import Redactor

__all__ = ["Call", "Caller"]

_GATEWAY = frozenset({502, 503, 504})
_VERDICTS = {
    401: Verdict.UNAUTHENTICATED,
    403: Verdict.DENIED,
    404: Verdict.GONE,
    408: Verdict.RETRY,
    410: Verdict.GONE,
    425: Verdict.RETRY,
    429: Verdict.RATE_LIMITED,
}


class Call(NamedTuple):
    """One call, ready to be sent. `path` and `where` are redacted and stand in messages."""

    method: str
    url: str
    path: str
    where: str
    headers: Mapping[str, str]
    body: bytes | None
    idempotent: bool
    authenticated: bool
    timeout: tuple[float, float] | None
    is_json: bool  # the caller wants JSON, whatever the answer's type says


class Caller:
    """Performs the calls of one session. Safe from any thread."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        redactor: Redactor,
        stats: SystemStats,
        log: logging.Logger,
        transport: Transport,
        timeout: tuple[float, float],
        auth: Auth | None,
        classify: Callable[[Response], Verdict | None] | None,
        governor: Governor,
        quota: Quota | None,
        health: Health,
        rng: random.Random,
    ) -> None:
        self._name = name
        self._clock = clock
        self._redactor = redactor
        self._stats = stats
        self._log = log
        self._transport = transport
        self._timeout = timeout
        self._auth = auth
        self._classify = classify
        self._governor = governor
        self._quota = quota
        self._health = health
        self._rng = rng
        self._renewal = threading.Lock()
        self._renewals = 0
        self.stopped = False
        self._wait = waiter(
            clock, lambda: self.stopped, lambda seconds: stats.add(waited_seconds=seconds)
        )

    def perform(self, call: Call) -> Response:
        """Send until there is a good answer. Raises what `Session` promises."""
        try:
            return self._perform(call)
        except LimitReached:
            raise
        except MetagleanError:
            self._stats.add(failures=1)
            raise

    def _perform(self, call: Call) -> Response:
        attempts = Attempts(self._clock, self._rng)
        renewed = False
        while True:
            headers, renewals = self._headers(call)
            seen = self._ready(call)
            try:
                response = self._send(call, headers, attempts)
                verdict = self._judge(call, response)
            except TransportError as error:
                self._fault(call, attempts, seen, error)
                continue
            if verdict is None:
                self._governor.accepted(self._clock.monotonic())
                self._health.alive()
                if 200 <= response.status < 300:
                    return response
                raise failure(response, None, self._redactor)
            if verdict is Verdict.UNAUTHENTICATED and call.authenticated and not renewed:
                renewed = True
                if self._renew(renewals):
                    attempts.uncounted()
                    continue
            self._refusal(call, attempts, response, verdict)

    # -- before ---------------------------------------------------------------------------------

    def _headers(self, call: Call) -> tuple[Mapping[str, str], int]:
        """The headers to send, and how often the credentials had been renewed by then."""
        renewals = self._renewals
        if self._auth is None or not call.authenticated:
            return call.headers, renewals
        return {**call.headers, **self._auth.headers()}, renewals

    def _ready(self, call: Call) -> int:
        """Wait until the call may be sent; returns the refused connections seen by then."""
        while True:
            if self.stopped:
                raise ItemError(f"{call.where}: stopped", "The run was asked to end.")
            self._health.check()
            if self._quota:
                self._quota.check()  # before a wait that nothing would come of
            seen, delay = self._health.gate()
            if not delay:
                break
            self._wait(delay)
        delay = self._governor.delay()
        while delay > 0:
            pause = self._governor.pause()
            if pause > CALL_SECONDS:
                raise self._spent(call, f"it asks for a pause of {pause:.0f} s", 429)
            self._wait(delay)
            # Meanwhile another worker may have been told to wait.
            delay = self._governor.delay() if self._governor.pause() else 0.0
        if self._quota:
            self._quota.take()
        return seen

    def _renew(self, renewals: int) -> bool:
        """New credentials after a 401; those that another thread has got meanwhile will do."""
        if self._auth is None:
            return False
        with self._renewal:
            if renewals == self._renewals:
                if not self._auth.renew():
                    return False
                self._renewals += 1
            return True

    # -- one request ----------------------------------------------------------------------------

    def _send(self, call: Call, headers: Mapping[str, str], attempts: Attempts) -> Response:
        connect, read = call.timeout or self._timeout
        if not self._health.answered:
            connect = min(connect, max(1.0, attempts.remaining(self._health.seconds)))
        attempts.begin()
        first = attempts.total == 1
        received, outcome = 0, "no answer"
        try:
            answer = self._transport.exchange(
                call.method, call.url, headers, call.body, (connect, read)
            )
            received, outcome = answer.received, str(answer.status)
        except TransportError as error:
            outcome = error.words
            raise
        finally:
            self._stats.add(calls=int(first), retries=int(not first), bytes_received=received)
            if self._log.isEnabledFor(logging.DEBUG):
                self._log.debug(
                    "%s: %s %s %s in %.0f ms", self._name, call.method,
                    self._redactor.url(call.url), outcome,
                    1000 * (self._clock.monotonic() - attempts.sent),
                )  # fmt: skip
        return Response(
            answer.status,
            answer.headers,
            answer.content,
            method=call.method,
            path=call.path,
            where=call.where,
        )

    def _judge(self, call: Call, response: Response) -> Verdict | None:
        """What the answer means; None is what its status says. Raises TransportError (cut)."""
        status = response.status
        self._health.heard(gateway=status in _GATEWAY)
        good = 200 <= status < 300
        if good and call.idempotent and response.content:
            self._whole(call, response)
        verdict = self._classify(response) if self._classify else None
        if verdict is not None or good:
            return verdict
        if status >= 500:
            return None if response.wraps_404 else Verdict.RETRY
        return _VERDICTS.get(status)

    @staticmethod
    def _whole(call: Call, response: Response) -> None:
        """Where JSON was promised, half of it is a broken connection."""
        promised = "json" in response.content_type
        if promised or (call.is_json and response.content.lstrip()[:1] in {b"{", b"["}):
            try:
                response.parse()
            except ValueError as error:
                raise TransportError(Fault.CUT, "the answer is cut off, or no JSON") from error

    # -- after ----------------------------------------------------------------------------------

    def _fault(self, call: Call, attempts: Attempts, seen: int, error: TransportError) -> None:
        """An exchange failed: wait for the next attempt, or raise."""
        hint = fault_hint(error)
        if error.fault in FATAL:
            raise self._health.lost(error.words, hint) from error
        if error.fault in UNREACHED:
            attempts.uncounted()
            if self._health.refused(seen, error, hint):
                self._log.warning(
                    "%s: %s; tried again for up to %.0f s",
                    self._name, error.words, self._health.seconds, extra={"live": True},
                )  # fmt: skip
            return
        delay = attempts.wait(self._health.seconds) if call.idempotent else None
        if delay is None:
            no_answer = error.fault is not Fault.CUT
            raise self._spent(call, error.words, None, no_answer=no_answer) from error
        self._wait(delay)

    def _refusal(
        self, call: Call, attempts: Attempts, response: Response, verdict: Verdict
    ) -> None:
        """An answer was no good: wait for the next attempt, or raise."""
        limited = verdict is Verdict.RATE_LIMITED
        if not limited and verdict is not Verdict.RETRY:
            self._governor.accepted(self._clock.monotonic())
            self._health.alive()
            raise failure(response, verdict, self._redactor)
        asked = retry_after(response, self._clock.now())
        at_least = asked or 0.0
        if limited:
            self._stats.add(rate_limited=1)
            self._governor.refused(attempts.sent, asked)
            # Six quick attempts could all fall into the second in which the rate settles.
            at_least = asked or attempts.patience()
        delay = attempts.wait(self._health.seconds, at_least) if call.idempotent else None
        if delay is None:
            error = failure(response, verdict, self._redactor)
            gateway = response.status in _GATEWAY
            if call.idempotent or gateway:
                error = self._health.spent(str(error.args[0]), no_answer=gateway) or error
            raise error
        # A pause asked for is waited by all, in `_ready`, and ends paced.
        if not (limited and asked):
            self._wait(delay)

    def _spent(
        self, call: Call, cause: str, status: int | None, *, no_answer: bool = False
    ) -> Exception:
        message = f"{call.where} failed: {cause}"
        error = ItemError(message, "Try again later, or look at the network.", status=status)
        return self._health.spent(message, no_answer=no_answer) or error
