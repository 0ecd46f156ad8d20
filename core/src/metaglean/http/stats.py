"""What one system cost: counted by its session, shown in the report."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field

__all__ = ["SystemStats"]


@dataclass
class _Counts:
    name: str = ""
    calls: int = 0
    retries: int = 0
    rate_limited: int = 0
    waited_seconds: float = 0.0
    bytes_received: int = 0
    failures: int = 0


@dataclass
class SystemStats(_Counts):
    """Counters of one system; requests sent are `calls + retries`.

    `rate_limited` counts the requests refused for their rate, `failures` the calls that raised,
    `waited_seconds` the time all workers together spent waiting (back-off, rate, outage),
    `bytes_received` body bytes as they came over the wire.
    """

    _lock: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    def add(
        self,
        *,
        calls: int = 0,
        retries: int = 0,
        rate_limited: int = 0,
        waited_seconds: float = 0.0,
        bytes_received: int = 0,
        failures: int = 0,
    ) -> None:
        """Add to the counters; safe from any thread."""
        with self._lock:
            self.calls += calls
            self.retries += retries
            self.rate_limited += rate_limited
            self.waited_seconds += waited_seconds
            self.bytes_received += bytes_received
            self.failures += failures

    def as_dict(self) -> dict[str, str | int | float]:
        """The counters as plain data."""
        with self._lock:
            counts = _Counts(
                self.name, self.calls, self.retries, self.rate_limited,
                round(self.waited_seconds, 3), self.bytes_received, self.failures,
            )  # fmt: skip
        return asdict(counts)
