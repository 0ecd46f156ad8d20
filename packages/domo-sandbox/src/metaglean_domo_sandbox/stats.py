"""What the server counts: requests, connections, refusals, violations."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import NamedTuple

from metaglean_domo_sandbox.model import Json
from metaglean_domo_sandbox.routing import INSTANCE, PUBLIC

#: How many requests the log keeps.
LOG_LENGTH = 200_000


class Logged(NamedTuple):
    """One answered request. `path` has the query but never a secret; `status` 0 means that the
    connection was dropped without an answer."""

    method: str
    path: str
    status: int
    plane: str = PUBLIC
    route: str = ""


class Stats:
    """Counters of one server; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._clear()

    def _clear(self) -> None:
        self.requests = 0
        self.routes: Counter[str] = Counter()
        self.planes: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.connections: Counter[str] = Counter()
        self.max_connections: Counter[str] = Counter(self._open)
        self.faults: Counter[str] = Counter()
        #: Requests refused by the rate limit.
        self.refusals = 0
        #: Calls that carried the credentials of the other plane.
        self.violations = 0
        self.log: deque[Logged] = deque(maxlen=LOG_LENGTH)

    def reset(self) -> None:
        """Start counting anew; connections that are open count as open."""
        with self._lock:
            self._clear()

    def opened(self, plane: str) -> None:
        """A connection was accepted."""
        with self._lock:
            self.connections[plane] += 1
            self._open[plane] += 1
            self.max_connections[plane] = max(self.max_connections[plane], self._open[plane])

    def closed(self, plane: str) -> None:
        """A connection ended."""
        with self._lock:
            self._open[plane] -= 1

    def answered(self, entry: Logged) -> None:
        """A request was answered or dropped."""
        with self._lock:
            self.requests += 1
            self.routes[entry.route] += 1
            self.planes[entry.plane] += 1
            self.statuses[entry.status] += 1
            self.log.append(entry)

    def fault(self, kind: str) -> None:
        """A fault was injected."""
        with self._lock:
            self.faults[kind] += 1

    def refused(self) -> None:
        """The rate limit refused a request."""
        with self._lock:
            self.refusals += 1

    def violated(self) -> None:
        """A call carried the credentials of the other plane."""
        with self._lock:
            self.violations += 1

    def as_json(self) -> Json:
        """The counters, for `GET /__sandbox__/stats`."""
        with self._lock:
            both = (PUBLIC, INSTANCE)
            return {
                "requests": self.requests,
                "routes": dict(sorted(self.routes.items())),
                "planes": {p: self.planes[p] for p in both},
                "statuses": {str(k): v for k, v in sorted(self.statuses.items())},
                "connections": {p: self.connections[p] for p in both},
                "max_connections": {p: self.max_connections[p] for p in both},
                "faults": dict(sorted(self.faults.items())),
                "refusals": self.refusals,
                "violations": self.violations,
            }
