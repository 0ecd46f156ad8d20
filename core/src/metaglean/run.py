"""`Run`: the ordinary object handed to every component. It isolates failures, counts, fans out
work, keeps what was listed and which names were given."""

from __future__ import annotations

import copy
import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from metaglean.clock import Clock, SystemClock
from metaglean.errors import MetagleanError, NotFound, RunError, catching
from metaglean.filters import Filters
from metaglean.fqn import NameRules
from metaglean.listing import Listing, Recorder
from metaglean.records import Entity, Ref
from metaglean.redaction import Redactor, Secret
from metaglean.renaming import Renaming
from metaglean.report import Report, shortened
from metaglean.standing import Standing
from metaglean.systems import LimitsOf, Systems

if TYPE_CHECKING:
    from metaglean.components import Config, Existing, Sink
    from metaglean.http import Auth, Session

DEFAULT_WORKERS = 8
LOOK_AHEAD = 16
LONG_ITEM = 500
OUTSIDE = ("classification", "tag")  # what belongs to no service

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class State:
    """What changes during a run, shared by all views of it."""

    stopping: bool = False
    reading: bool = False
    signal: int = 0


class Run:
    """One run of a workflow.

    `started` is in epoch seconds; `limit` the number of entities after which the run ends, or
    None; `stopping` turns true once a signal or `Workflow.stop` asked for the end. `server` is
    the workflow's `openMetadataServerConfig` as an instance of the sink's `ServerConfig`,
    `ingestion_pipeline_fqn` the pipeline on that server to report to; `classifications` are the
    names of those that are the source's or a processor's own, `other_classifications` of those
    that a processor only adds labels of.
    """

    def __init__(  # long: each line names one thing that a run is made of
        self,
        service: Ref,
        *,
        clock: Clock | None = None,
        workers: int | None = None,
        filters: Filters | None = None,
        names: NameRules | None = None,
        renaming: Renaming | None = None,
        sink: Sink | None = None,
        gone: Callable[[str, Sequence[str]], Iterable[str] | None] | None = None,
        id_in_url: Callable[[str], str | None] | None = None,
        redactor: Redactor | None = None,
        dry_run: bool = False,
        limit: int | None = None,
        override_metadata: bool = False,
        limits: LimitsOf | None = None,
        server: Config | None = None,
        connection: Callable[[tuple[int, int]], Mapping[str, Any] | None] | None = None,
        classifications: Iterable[str] = (),
        other_classifications: Iterable[str] = (),
        ingestion_pipeline_fqn: str | None = None,
        run_id: str | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.id = run_id or str(uuid.uuid4())
        self.service = service
        self.clock = clock or SystemClock()
        self.started = self.clock.now()
        self.began = self.clock.monotonic()
        self.workers = workers or DEFAULT_WORKERS
        self.filters = filters or Filters()
        self.names = names or NameRules()
        self.renaming = renaming or Renaming()
        self.redactor = redactor or Redactor()
        self.dry_run = dry_run
        self.limit = limit
        self.override_metadata = override_metadata
        self.server = server
        self.classifications = frozenset(classifications)
        self.other_classifications = frozenset(other_classifications)
        self.ingestion_pipeline_fqn = ingestion_pipeline_fqn
        self.stage = "source"
        self.log = logging.getLogger("metaglean")
        self.report = Report()
        self.listings: list[Listing] = []
        self.unlisted: set[Ref] = set()
        self.recorder = recorder
        self._sink = sink
        self._gone = gone
        self._id_in_url = id_in_url
        self._connection = connection
        self._systems = Systems(limits)
        self._standing: dict[tuple[str, Ref], Standing] = {}
        self._thread = threading.get_ident()
        self._state = State()

    def at(self, stage: str) -> Run:
        """The same run as seen from another stage: problems are counted there."""
        view = copy.copy(self)
        view.stage = stage
        return view

    # -- failures -------------------------------------------------------------------------------

    @contextmanager
    def item(self, item: Ref | str, stage: str | None = None) -> Iterator[None]:
        """Whatever fails inside costs this one item: it becomes a problem of the report.

        What must end the run passes through: signals, run-ending errors, a host's time-outs.
        """
        with catching() as caught:
            yield
        if caught.error:
            self.failed(item, caught.error, stage)

    def failed(self, item: Ref | str, error: BaseException, stage: str | None = None) -> None:
        """Record that `item` failed with `error`; what is gone meanwhile is only a warning."""
        self.report.item_failed(stage or self.stage)
        if isinstance(error, NotFound) and (stage or self.stage) == "source":
            self.warn(f"gone since it was listed: {self.describe(error)}", str(item))
            return
        hint = error.hint if isinstance(error, MetagleanError) else ""
        self.problem(self.describe(error), str(item), stage=stage, hint=hint, error=error)

    def problem(
        self,
        message: str,
        item: str = "",
        stage: str | None = None,
        hint: str = "",
        error: BaseException | None = None,
    ) -> None:
        """Something that should be there isn't. Alike ones are grouped; the first is logged."""
        message, item = self.redactor.clean(message), self.redactor.clean(item)
        kind = type(error).__name__ if error else ""
        first = self.report.problem(stage or self.stage, message, item, hint, kind)
        level = logging.ERROR if first else logging.DEBUG
        self._tell(level, message, item, stage=stage, hint=hint, error=error)

    def warn(self, message: str, item: str = "", hint: str = "", *, feature: str = "") -> None:
        """Something the user should know that costs nothing else. `feature` names what is off."""
        message, item = self.redactor.clean(message), self.redactor.clean(item)
        if feature:
            self.report.features_off[feature] = message
        first = self.report.warn(self.stage, message, item, hint)
        level = logging.WARNING if feature else logging.INFO
        level = level if first else logging.DEBUG
        self._tell(level, message, item, hint=hint, live=bool(feature))

    def _tell(
        self,
        level: int,
        message: str,
        item: str,
        *,
        stage: str | None = None,
        hint: str = "",
        error: BaseException | None = None,
        live: bool = False,
    ) -> None:
        """Log it. What is `live` a user should read while the run goes on, not only at its end."""
        shown = error if error and self.log.isEnabledFor(logging.DEBUG) else None
        name = f"{shortened(item)}: " if item else ""
        extra = {
            "live": live,
            "stage": stage or self.stage,
            "item": shortened(item, LONG_ITEM),
            "hint": self.redactor.clean(hint),
            "exception": type(error).__name__ if error else "",
        }
        self.log.log(level, "%s%s", name, message, exc_info=shown, extra=extra)

    def describe(self, error: BaseException) -> str:
        """One line about an error, secrets removed."""
        if isinstance(error, MetagleanError):
            return self.redactor.clean(error.message)
        text = str(error).strip().splitlines()
        return self.redactor.clean(f"{type(error).__name__}: {text[0]}" if text else repr(error))

    def count(self, kind: str, what: str, number: int = 1) -> None:
        """Add to a counter of this stage, for the summary and the report."""
        self.report.count(self.stage, kind, what, number)

    # -- work -----------------------------------------------------------------------------------

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        workers: int | None = None,
        ahead: int | None = None,
    ) -> Iterator[Result]:
        """`function` of each item on worker threads, results in input order.

        Looks `ahead` (16 x workers) items, so memory is bounded; an item that fails is a problem
        and has no result. A pool of its own: closing the iterator cancels what waits.
        """
        count = workers or self.workers
        ahead = ahead or LOOK_AHEAD * count
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        pool = ThreadPoolExecutor(count, thread_name_prefix=f"metaglean-{self.stage}")
        try:
            with catching() as caught:
                for item in items:
                    if self.stopping:
                        break
                    waiting.append((item, pool.submit(function, item)))
                    while waiting and (len(waiting) >= ahead or waiting[0][1].done()):
                        yield from self._result(*waiting.popleft())
            while waiting:
                yield from self._result(*waiting.popleft())
            if caught.error:
                raise caught.error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _result(self, item: Item, future: Future[Result]) -> Iterator[Result]:
        with catching() as caught:
            result = future.result()
        if caught.error:
            self.failed(_label(item), caught.error)
        else:
            yield result

    def session(
        self, name: str, base_url: str, auth: Auth | None = None, **options: Any
    ) -> Session:
        """The HTTP session of one system: made at the first call, closed with the run.

        `name` is the system's name in messages and in the report; `options` are those of
        `metaglean.http.Session`.
        """
        return self._systems.session(self, name, base_url, auth, options)

    # -- inventories ----------------------------------------------------------------------------

    def listing(self, kind: str, scope: Ref, *, followed: bool = True) -> Listing:
        """The inventory of `kind` below `scope` (the parent's ref). See `Listing.over`."""
        if threading.get_ident() != self._thread:
            raise RunError(
                "list on the run's own thread; only functions given to map are elsewhere"
            )
        if scope.path[0] != self.service.path[0]:
            raise RunError(f"{scope} is not in the service {self.service} of this run")
        if any((one.kind, one.scope) == (kind, scope) for one in self.listings):
            raise RunError(
                f"{scope} ({kind}) is listed twice in one run",
                "Names and deletions need one whole inventory of a scope: join them into one.",
            )
        followed = followed and (self._sink is None or self._sink.keeps_ids)
        listing = Listing(self, kind, scope, self.stands(kind, self._claimed(scope)), followed)
        self.listings.append(listing)
        return listing

    def _claimed(self, ref: Ref) -> Ref:
        """The target's ref of a source's. Two that no listing names never become one."""
        if self.renaming and not any(one.is_of(ref) for one in self.listings):
            if ref.parent:
                self._claimed(ref.parent)
            if not self.renaming.claim(ref):
                name = self.renaming(ref).name
                self.warn(f"its new name is another one's: stored as {name!r}", str(ref))
        return self.renaming(ref)

    def stands(self, kind: str, scope: Ref) -> Standing:
        """What stood in one scope of the target when the run began (read once)."""
        if (kind, scope) not in self._standing:
            with catching() as caught:
                existing = self._existing(kind, scope)
                identified = (self._identified(entity) for entity in existing)
                self._standing[kind, scope] = Standing(kind, scope, identified)
            if caught.error:
                raise RunError(
                    f"could not read what stands in {scope}: {self.describe(caught.error)}",
                    "Without it neither names nor differences are known; nothing was written.",
                ) from None
        return self._standing[kind, scope]

    def _existing(self, kind: str, scope: Ref) -> Iterable[Existing]:
        sink = self._sink
        if sink is None:
            return ()
        if self.recorder:
            return self.recorder.stood(lambda: sink.existing(kind, scope), self)
        return sink.existing(kind, scope)

    def _identified(self, entity: Existing) -> Existing:
        if entity.source_id is None and entity.source_url and self._id_in_url:
            return entity._replace(source_id=self._id_in_url(entity.source_url))
        return entity

    @property
    def target(self) -> str:
        """Where the sink writes, for people; empty where it doesn't say."""
        return self._sink.target if self._sink else ""

    def connection(self, version: tuple[int, int]) -> Secret | None:
        """The source's connection as a server of this version (major, minor) keeps it, secrets in
        clear; None where it has none to give. Only a sink may ask."""
        if self.stage != "sink":
            raise RunError("only a sink is given the source's connection")
        found = self._connection(version) if self._connection else None
        return None if found is None else Secret(found)

    def standing(self, ref: Ref) -> Existing | None:
        """What stood under this ref when the run began; None in scopes that were not listed. A
        source asks by its own ref."""
        ref = self.renaming(ref) if self.stage == "source" else ref
        scope = ref.parent
        standing = self._standing.get((ref.kind, scope)) if scope else None
        return standing.get(ref.name) if standing else None

    def confirm_gone(self, kind: str, ids: Sequence[str]) -> Iterable[str] | None:
        """Which of these ids the source confirms as gone; None where it can't tell."""
        return self._gone(kind, ids) if self._gone else None

    def arrived(self, record: Entity) -> Entity | None:
        """A record that the source yields, with the id it was listed under; None where it may not
        be written (that is a problem)."""
        ref = record.ref
        if ref.kind not in OUTSIDE and ref.path[0] != self.service.path[0]:
            self.report.item_failed(self.stage)
            self.problem(f"not in the service {self.service} of this run: left out", str(ref))
            return None
        listing = next((one for one in self.listings if one.is_of(ref)), None)
        if listing is None:
            self._claimed(ref)
            return record
        listed_id = listing.arrived(ref)
        if listed_id is None and listing.clashes(ref):
            self.problem("not listed, and its new name is another one's: left out", str(ref))
            return None
        if listed_id is None:
            self.unlisted.add(self.renaming(ref))
        elif record.source_id is None:
            return record.model_copy(update={"source_id": listed_id})
        elif record.source_id != listed_id:
            self.problem(f"its source_id is not the id {listed_id!r} that was listed", str(ref))
            return record.model_copy(update={"source_id": listed_id})
        return record

    # -- the end --------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """Whether a signal or `Workflow.stop` asked for the end."""
        return self._state.stopping

    @property
    def signal(self) -> int:
        """The number of the signal that asked for the end, else 0."""
        return self._state.signal

    def stop(self, signal: int = 0) -> None:
        """Ask for the end: waits are cut short, no further record is pulled."""
        self._state.stopping = True
        self._state.signal = self._state.signal or signal
        self._systems.stop()
        self.clock.wake()

    def reading(self, now: bool | None = None) -> bool:
        """Whether the source is at work (sets it, where given): only then may a signal raise."""
        if now is not None:
            self._state.reading = now
        return self._state.reading

    def close(self) -> None:
        self._systems.close()


def _label(item: object) -> Ref | str:
    """What to call an item of `map` in a message."""
    if isinstance(item, Ref):
        return item
    if isinstance(item, tuple) and item and isinstance(item[0], Ref):
        return item[0]
    ref = getattr(item, "ref", None)
    return ref if isinstance(ref, Ref) else str(item)[:200]
