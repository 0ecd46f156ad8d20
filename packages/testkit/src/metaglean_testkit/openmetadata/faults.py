"""Faults on purpose: refused, dropped, slow and cut answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What goes wrong, and at which requests.

    `method` and `path` (a regular expression, searched in the decoded path below `/api/v1`) pick
    the requests; of these the `nth` (from 1), or every `every`-th, or all, at most `times`.
    `status` answers so instead of doing anything; `drop` breaks the connection; both with `after`
    do it only once the request has been carried out. `delay` (seconds) comes before, `cut` sends
    so many bytes of the true answer.
    """

    status: int | None = None
    drop: bool = False
    delay: float = 0.0
    cut: int | None = None
    after: bool = False
    method: str | None = None
    path: str | None = None
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    seen: int = 0
    made: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is one of them; counts it."""
        if self.method is not None and method != self.method:
            return False
        if self.path is not None and not re.search(self.path, path):
            return False
        self.seen += 1
        if self.times is not None and self.made >= self.times:
            return False
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.every is not None and self.seen % self.every:
            return False
        self.made += 1
        return True
