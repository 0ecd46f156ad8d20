"""Faults on request: which request, and what happens to it instead of a good answer."""

from __future__ import annotations

import dataclasses
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from metaglean_domo_sandbox.model import Json
from metaglean_domo_sandbox.routing import Request, Response, error, html

#: All kinds. A number is the status of the answer; the others are explained in `Fault`.
KINDS = frozenset(
    "401 403 403-rate 400-wrapped 404 406 429 500 502 503 wrong-instance html "
    "timeout slow drop cut-json short-body duplicate-page".split()
)
_BEFORE = KINDS - {"slow", "cut-json", "short-body", "duplicate-page"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule: what happens (`kind`), to which requests.

    Kinds that aren't a status: `401` looks like an expired token; `403-rate` is a rate limit in
    a 403, `400-wrapped` a refusal in a 400, `wrong-instance` the 403 of a wrong host name, `html`
    a 200 with a page; `timeout` never answers within `seconds`, `slow` answers after them; `drop`
    resets the connection; `cut-json` is half a body with the right length, `short-body` half a
    body with the length of the whole; `duplicate-page` answers with the page before the asked one.

    A request must match all of `plane` (`public`, `instance`), `route` (regular expression over
    the route's name), `target` (the same over path and query) and `predicate`. Of those that
    match, the `nth` (counting from 1; one number or several) is hit, or each with this
    `probability`; with neither, all are. After `times` hits the rule is spent.
    """

    kind: str
    plane: str = ""
    route: str = ""
    target: str = ""
    predicate: Callable[[Request], bool] | None = None
    nth: int | tuple[int, ...] | None = None
    probability: float | None = None
    times: int | None = None
    retry_after: int | None = None
    html: bool = False
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")

    def matches(self, request: Request) -> bool:
        """Whether the rule is about such a request."""
        if self.plane and self.plane != request.plane:
            return False
        if self.route and not re.search(self.route, request.route):
            return False
        if self.target and not re.search(self.target, request.target):
            return False
        return self.predicate is None or self.predicate(request)

    @classmethod
    def from_json(cls, value: Json) -> Fault:
        """A rule from its fields; raises `ValueError` for an unknown field or kind."""
        known = {f.name for f in dataclasses.fields(cls)} - {"predicate"}
        unknown = sorted(set(value) - known)
        if unknown or "kind" not in value:
            raise ValueError(f"a fault needs a kind and knows {sorted(known)}, not {unknown}")
        nth = value.get("nth")
        return cls(**{**value, "nth": tuple(nth) if isinstance(nth, list) else nth})


@dataclass(slots=True)
class _State:
    seen: int = 0
    hits: int = 0


@dataclass(slots=True)
class FaultPlan:
    """Rules and the count of what they have met. The first rule that hits decides; all of them
    count. The same seed and the same order of requests give the same faults."""

    rules: tuple[Fault, ...] = ()
    seed: int = 0
    _states: list[_State] = field(init=False, repr=False)
    _random: list[random.Random] = field(init=False, repr=False)
    _lock: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.rules = tuple(self.rules)
        self.restart()

    @classmethod
    def at_random(
        cls, rate: float, seed: int = 0, kinds: Iterable[str] = ("429", "503", "drop")
    ) -> FaultPlan:
        """Hit this share of all requests, with these kinds in equal parts."""
        chosen = tuple(kinds)
        rules = []
        left = 1.0
        for kind in chosen:
            # Rules are tried in order, so a later one must hit more of what the earlier ones left.
            share = rate / len(chosen)
            rules.append(Fault(kind, probability=share / left))
            left -= share
        return cls(tuple(rules), seed)

    def restart(self) -> None:
        """Forget what was met; the random numbers start anew."""
        self._states = [_State() for _ in self.rules]
        self._random = [random.Random(self.seed * 1000 + i) for i in range(len(self.rules))]

    def pick(self, request: Request) -> Fault | None:
        """The fault for this request, if any."""
        if not self.rules:
            return None
        chosen: Fault | None = None
        with self._lock:
            for rule, state, rng in zip(self.rules, self._states, self._random, strict=True):
                if rule.matches(request):
                    state.seen += 1
                    if self._hits(rule, state, rng) and chosen is None:
                        state.hits += 1
                        chosen = rule
        return chosen

    @staticmethod
    def _hits(rule: Fault, state: _State, rng: random.Random) -> bool:
        # Drawn even where the rule is spent, so that the draws depend on the order alone.
        lucky = rule.probability is None or rng.random() < rule.probability
        if rule.times is not None and state.hits >= rule.times:
            return False
        if rule.nth is not None:
            wanted = rule.nth if isinstance(rule.nth, tuple) else (rule.nth,)
            return state.seen in wanted and lucky
        return lucky


class RateLimit:
    """At most `rate` requests in any second; the time of refused ones doesn't count."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._accepted: deque[float] = deque(maxlen=max(rate, 1))

    def allows(self) -> bool:
        """Whether a request that comes now is served."""
        with self._lock:
            now = self._clock()
            if len(self._accepted) == self.rate and now - self._accepted[0] < 1.0:
                return False
            self._accepted.append(now)
            return True


def instead(fault: Fault) -> Response | None:
    """The answer that replaces the real one; `None` where the real one is needed or none is sent
    (`timeout`, `drop`)."""
    if fault.kind not in _BEFORE or fault.kind in ("timeout", "drop"):
        return None
    if fault.kind == "html":
        return html(200)
    if fault.kind == "403-rate":
        return error(403, "API Rate limit reached")
    if fault.kind == "400-wrapped":
        return error(400, "Infrastructure problem (403): Access is denied")
    if fault.kind == "wrong-instance":
        return error(403, "Access denied")
    status = int(fault.kind)
    answer = html(status) if fault.html or status == 406 else error(status, f"Injected {status}")
    if status == 401:
        answer.headers["WWW-Authenticate"] = (
            'Bearer error="invalid_token", error_description="Jwt expired at 2026-01-01T00:00:00Z"'
        )
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer


def damage(fault: Fault, answer: Response) -> Response:
    """The real answer as the fault leaves it."""
    half = len(answer.body) // 2
    if fault.kind == "cut-json":
        answer.body = answer.body[:half]
    elif fault.kind == "short-body":
        answer.cut, answer.announce = half, len(answer.body)
    return answer


def redirect_page(request: Request, default_limit: int = 50) -> None:
    """Make a paged request ask for the page before the one it asked for."""
    values = request.query()
    limit, offset = values.get("limit", str(default_limit)), values.get("offset", "0")
    if limit.isdigit() and offset.isdigit():
        request.override["offset"] = str(max(0, int(offset) - int(limit)))
