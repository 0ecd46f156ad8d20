"""What tells observers of a run: each on a thread of its own, so that none can change the run.

The run only puts calls into bounded queues. An observer that fails, is too slow for its queue, or
doesn't end in time is switched off for the rest of the run, which costs one warning.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from metaglean.clock import SystemClock
from metaglean.components import Change, Config, ObservedRun, Observer, Phase
from metaglean.errors import catching
from metaglean.records import Ref
from metaglean.redaction import Redactor
from metaglean.report import Notice
from metaglean.run import Run

STAGE = "observer"
BATCH = 200  # changes, or notices, in one call
BATCH_SECONDS = 1.0
QUEUED = 250  # calls that may wait for one observer
END_SECONDS = 5.0  # that the end of a run waits for its observers, at most

_STOP: Any = None


class Watch:
    """The observers of one run. Every method may be called from any thread, and never raises."""

    def __init__(
        self, observers: Iterable[tuple[type[Observer], Config]], run: Run, source: str, sink: str
    ) -> None:
        self._run = run
        # Telling may switch an observer off, which is a warning, of which the others are told.
        self._lock = threading.RLock()
        self._changes: list[Change] = []
        self._notices: list[Notice] = []
        self._flushed = time.monotonic()
        self._open: list[Phase] = []
        self._told = [_Told(cls, config, run) for cls, config in observers]
        if self._told:
            run.report.listener = self._noticed
        for told in self._told:
            told.thread.start()
            told.tell("started", _about(run, source, sink, told.session))

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Tell of a phase: its begin, and its end with what went wrong in it."""
        self.begin(name)
        with catching(ending=True) as caught:
            yield
        self.end(name, caught.error)
        if caught.error:
            raise caught.error

    def reading(self, records: Iterator[Any]) -> Iterator[Any]:
        """The same records; the phase `read` is from the first one to the last."""
        with self.during("read"):
            yield from records

    def begin(self, name: str) -> None:
        phase = Phase(name, self._run.clock.now())
        self._open.append(phase)
        self._tell("phase_began", phase)

    def end(self, name: str, error: BaseException | None = None) -> None:
        """End a phase, and all that began in it and have not ended."""
        while any(phase.name == name for phase in self._open):
            phase = self._open.pop()
            said = self._run.describe(error) if error else ""
            self.flush()
            self._tell("phase_ended", phase._replace(ended=self._run.clock.now(), error=said))
            self._tell("called", self._systems())

    def changed(self, change: Change) -> None:
        if self._told:
            with self._lock:
                self._changes.append(change)
                self._gathered()

    def _noticed(self, notice: Notice) -> None:
        with self._lock:
            self._notices.append(notice)
            self._gathered()

    def _gathered(self) -> None:
        due = time.monotonic() - self._flushed > BATCH_SECONDS
        if due or max(len(self._changes), len(self._notices)) >= BATCH:
            self._send()

    def flush(self) -> None:
        """Tell what was gathered."""
        with self._lock:
            self._send()

    def _send(self) -> None:
        self._flushed = time.monotonic()
        changes, self._changes = self._changes, []
        notices, self._notices = self._notices, []
        for name, batch in (("changed", changes), ("noticed", notices)):
            if batch:
                self._tell(name, tuple(batch))

    def _tell(self, name: str, *arguments: Any) -> None:
        for told in self._told:
            told.tell(name, *arguments)

    def _systems(self) -> tuple[dict[str, Any], ...]:
        return tuple(system.as_dict() for system in self._run.report.systems)

    def close(self, report: Callable[[], dict[str, Any]]) -> None:
        """The run is over: `report()` is the last thing that observers are told."""
        if not self._told:
            return
        for phase in list(self._open):
            self.end(phase.name)
        self.flush()
        self._run.report.listener = None
        last = report()
        deadline = time.monotonic() + END_SECONDS
        for told in self._told:
            told.tell("ended", last)
            told.stop()
        for told in self._told:
            told.join(deadline)


class _Told:
    """One observer and its thread."""

    def __init__(self, cls: type[Observer], config: Config, run: Run) -> None:
        self._class = cls
        self._config = config
        self._run = run.at(STAGE)
        self._calls: queue.Queue[Any] = queue.Queue()  # bounded in `tell`
        self._lock = threading.Lock()
        self._off = False
        self._sessions: list[Any] = []
        self.thread = threading.Thread(
            target=self._work, name=f"metaglean-observer-{cls.type}", daemon=True
        )

    def tell(self, name: str, *arguments: Any) -> None:
        if self._off:
            return
        if self._calls.qsize() >= QUEUED and name != "ended":
            self._switch_off("is too slow")
        else:
            self._calls.put((name, arguments))

    def stop(self) -> None:
        if not self._off:
            self._calls.put(_STOP)

    def join(self, deadline: float) -> None:
        """Wait for its end until then, and leave it behind."""
        if not self._off:
            self.thread.join(max(0.0, deadline - time.monotonic()))
        if self.thread.is_alive():
            self._switch_off(f"did not end within {END_SECONDS:g} seconds")
        for session in self._sessions:
            session.close()

    def session(self, name: str, base_url: str, auth: Any = None, **options: Any) -> Any:
        """An HTTP session that the run neither counts nor stops."""
        from metaglean.http import Session

        made = Session(
            name,
            base_url,
            clock=SystemClock(),
            redactor=self._run.redactor,
            auth=auth,
            log=self._run.log.getChild(STAGE),
            **{"workers": 1, **options},
        )
        self._sessions.append(made)
        return made

    def _work(self) -> None:
        with catching(ending=True) as caught:
            observer = self._class(self._config)
            while (call := self._calls.get()) is not _STOP and not self._off:
                name, arguments = call
                cleaned = (_clean(argument, self._run.redactor) for argument in arguments)
                getattr(observer, name)(*cleaned)
        if caught.error:
            self._switch_off(f"failed: {self._run.describe(caught.error)}")

    def _switch_off(self, why: str) -> None:
        with self._lock:
            if self._off:
                return
            self._off = True
        name = f"the observer {self._class.type}"
        self._run.warn(f"{name} {why}; it is off for the rest of the run", feature=name)


def _about(run: Run, source: str, sink: str, session: Callable[..., Any]) -> ObservedRun:
    return ObservedRun(
        id=run.id,
        service=run.service,
        source=source,
        sink=sink,
        target=run.redactor.url(run.target),
        started=run.started,
        dry_run=run.dry_run,
        limit=run.limit,
        pipeline=run.ingestion_pipeline_fqn or "",
        session=session,
    )


def _clean(value: Any, redactor: Redactor) -> Any:
    """What an observer is told, without secrets; done on its own thread."""
    if isinstance(value, Ref):
        return Ref(value.kind, tuple(redactor.clean(name) for name in value.path))
    if isinstance(value, (Change, Phase, Notice, ObservedRun)):
        return type(value)(*(_clean(field, redactor) for field in value))
    if isinstance(value, str):
        return redactor.url(value) if "://" in value else redactor.clean(value)
    if isinstance(value, dict):
        return {_clean(key, redactor): _clean(item, redactor) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return tuple(_clean(item, redactor) for item in value)
    return value
