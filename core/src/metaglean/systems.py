"""The systems that a run talks to: a session each, what it costs, and what it may be asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from metaglean.quota import Limits, Quota

if TYPE_CHECKING:
    from metaglean.http import Auth, Session, SystemStats
    from metaglean.http.rate import Governor
    from metaglean.run import Run

OF_SINK = frozenset({"sink", "status"})
"""The stages whose systems are the sink's."""
UNBOUND = "status"
"""How a run ended is told in any case."""


class LimitsOf(Protocol):
    """What the workflow says that a system may be asked."""

    def __call__(self, name: str, *, of_source: bool) -> Limits: ...


class Systems:
    """The sessions of one run, kept apart by stage and address; what the systems cost and may be
    asked is counted by their names. Any thread may ask for one."""

    def __init__(self, limits: LimitsOf | None = None) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, str, str], Session] = {}
        self._stats: dict[str, SystemStats] = {}
        self._governors: dict[tuple[str, bool], Governor] = {}
        self._quotas: dict[tuple[str, bool], Quota] = {}

    def session(
        self, run: Run, name: str, base_url: str, auth: Auth | None, options: dict[str, Any]
    ) -> Session:
        """The session of `run`'s stage; made at the first call."""
        from metaglean.http import Session

        key = (run.stage, name, base_url)
        with self._lock:
            if key not in self._sessions:
                options.setdefault("workers", run.workers)
                self._sessions[key] = Session(
                    name,
                    base_url,
                    clock=run.clock,
                    redactor=run.redactor,
                    auth=auth,
                    log=run.log,
                    **{**self._shared(run, name), **options},
                )
            return self._sessions[key]

    def _shared(self, run: Run, name: str) -> dict[str, Any]:
        """What all sessions of one system have in common."""
        from metaglean.http import SystemStats
        from metaglean.http.rate import Governor

        if name not in self._stats:
            self._stats[name] = SystemStats(name)
            run.report.systems.append(self._stats[name])
        shared: dict[str, Any] = {"stats": self._stats[name]}
        of_source = run.stage not in OF_SINK
        key = name, of_source
        limits = self._limits(name, of_source=of_source) if self._limits else Limits()
        if limits.rate is not None:
            governor = Governor(run.clock, limits.rate)
            shared["governor"] = self._governors.setdefault(key, governor)
        if (limits.requests or limits.seconds) and run.stage != UNBOUND:
            quota = Quota(name, limits, run.clock, run.began)
            shared["quota"] = self._quotas.setdefault(key, quota)
        return shared

    def stop(self) -> None:
        """Nothing is sent any more."""
        for session in list(self._sessions.values()):
            session.stop()

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            session.close()
