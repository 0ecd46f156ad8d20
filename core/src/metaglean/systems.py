"""The systems that a run talks to: a session each, what it costs, and what it may be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metaglean.http import Auth, Session
    from metaglean.run import Run


class Systems:
    """The sessions of one run, kept apart by stage and address."""

    def __init__(self, requests_per_second: float | None = None) -> None:
        self._requests_per_second = requests_per_second
        self._sessions: dict[tuple[str, str, str], Session] = {}

    def session(
        self, run: Run, name: str, base_url: str, auth: Auth | None, options: dict[str, Any]
    ) -> Session:
        """The session of `run`'s stage; made at the first call."""
        from metaglean.http import Session

        key = (run.stage, name, base_url)
        if key not in self._sessions:
            options.setdefault("workers", run.workers)
            options.setdefault("requests_per_second", self._requests_per_second)
            session = Session(
                name,
                base_url,
                clock=run.clock,
                redactor=run.redactor,
                auth=auth,
                log=run.log,
                **options,
            )
            self._sessions[key] = session
            run.report.systems.append(session.stats)
        return self._sessions[key]

    def stop(self) -> None:
        """Nothing is sent any more."""
        for session in list(self._sessions.values()):
            session.stop()

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            session.close()
