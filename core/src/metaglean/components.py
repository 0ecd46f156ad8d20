"""What plugins inherit from: one base class a kind of component, and `Config` for their settings.

A component says what it is in class attributes; docs, `metaglean schema`, `metaglean plugins show`
and the contract suites all read them there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from metaglean.fqn import NameRules
from metaglean.options import DatabaseOptions, SourceOptions
from metaglean.records import Profile, Record, Ref, Table
from metaglean.report import Notice
from metaglean.settings import Config
from metaglean.standing import Existing

if TYPE_CHECKING:
    from metaglean.http import Session
    from metaglean.run import Run

__all__ = [
    "Assumption", "Change", "Component", "Config", "Existing", "Notice", "ObservedRun", "Observer",
    "Phase", "Processor", "Profiler", "Sink", "Source", "Step",
]  # fmt: skip


ConfigClass: TypeAlias = type[Config]


class Step(NamedTuple):
    """One step of a connection test: a permission, and whether it is there.

    `ok` is None where the step was not tried (it needs a credential that was not given); `detail`
    says what was found or is missing; `required` steps make the test fail.
    """

    name: str
    ok: bool | None
    detail: str = ""
    required: bool = True


class Assumption(NamedTuple):
    """What a component takes for true of its system though nobody saw it on a live one. `name` is
    short, `text` a sentence; `metaglean selfcheck --live` tests them, the docs list them."""

    name: str
    text: str


class Component(ABC):
    """Base of all components. `type` is the word users write; it equals the entry point's name."""

    type: ClassVar[str]
    Config: ClassVar[ConfigClass] = Config
    capabilities: ClassVar[frozenset[str]] = frozenset()
    assumptions: ClassVar[tuple[Assumption, ...]] = ()
    systems: ClassVar[tuple[str, ...]] = ()
    """The names of its sessions (`run.session`), under which `limits.systems` names them."""


class Source(Component):
    """Reads one system. `read` is a generator of records, parents before their children.

    `config` is the workflow's `serviceConnection.config` as an instance of `Config`, `options` its
    `sourceConfig.config` as one of `Options`, `service` the ref of the service that is written.
    `connection_types` are the words accepted as `serviceConnection.config.type`; the first is the
    right one. `service_type` is OpenMetadata's service type (servers that lack it get `Custom…`).
    """

    Options: ClassVar[type[SourceOptions]] = DatabaseOptions
    connection_types: ClassVar[tuple[str, ...]] = ()
    service_kind: ClassVar[Literal["databaseService", "pipelineService", "dashboardService"]] = (
        "databaseService"
    )
    service_type: ClassVar[str] = "CustomDatabase"
    classifications: ClassVar[tuple[str, ...]] = ()
    """Names of the classifications that are the source's own: their labels follow the source, also
    when they are gone there. Labels of all others are people's."""

    def __init__(self, config: Any, options: Any, service: Ref) -> None:
        self.config = config
        self.options = options
        self.service = service

    @classmethod
    def check_config(cls, config: Any, options: Any) -> Iterable[str]:
        """Messages about settings that are valid alone but not together; none by default."""
        return ()

    @abstractmethod
    def test_connection(self, run: Run) -> Iterator[Step]:
        """Yield one step a permission that `read` needs, each in seconds."""

    @abstractmethod
    def read(self, run: Run) -> Iterator[Record]:
        """Yield the records. Inventories go through `run.listing`, single items through `run.item`
        or `run.map`."""

    def selfcheck(self, run: Run) -> Iterator[Step]:
        """Test the assumptions, reading only: one step each, called as the assumption. `ok` is None
        where these credentials, or this system's data, can't tell; `detail` says what was found
        instead, in numbers and in words of the API: it goes into a report that others read.

        Optional: what gets no step is reported as not tested.
        """
        return iter(())

    def id_in_url(self, url: str) -> str | None:
        """The `source_id` in one of this source's `source_url`s.

        Optional: targets that keep no `source_id` (OpenMetadata servers) know an entity again by
        it, also after a rename, and also what another tool wrote there.
        """
        return None

    def confirm_gone(self, run: Run, kind: str, ids: Sequence[str]) -> Iterable[str] | None:
        """Of these `source_id`s of one kind, asked one by one, those that are really gone.

        Optional: None (the default) means that this source can't tell. 404 and a deleted mark are
        gone; a refused permission or any error is not.
        """
        return None

    def connection(self, version: tuple[int, int]) -> Mapping[str, Any] | None:
        """`serviceConnection.config` as an OpenMetadata server of this version (major, minor) keeps
        it: with `type`, secrets in clear, only keys that its model of the service has.

        Optional: None (the default) means that nothing is stored on the server. Core hands it to
        the sink alone (`run.connection`); it is a secret.
        """
        return None

    def close(self, run: Run) -> None:
        """The run is over: let go of what `read` and `confirm_gone` used. Sessions of the run are
        closed by core."""


class Processor(Component):
    """Maps a stream of records. It never sees inventories and never changes or drops a `Ref`'s
    identity: what it drops stays seen. It may add classifications and tags that it needs."""

    def __init__(self, config: Any) -> None:
        self.config = config

    @classmethod
    def classifications(cls, config: Any) -> Mapping[str, bool]:
        """Names of the classifications that it sets labels of, as it is configured. True: it is
        its own, so that its labels follow, also when none is set any more; False: it is other
        people's, and labels are only added. None by default."""
        return {}

    @abstractmethod
    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        """Yield the records, changed (`record.model_copy(update={...})`), or fewer of them."""


class Profiler(Component):
    """Looks at one table and yields its profile."""

    def __init__(self, config: Any, source: Source) -> None:
        self.config = config
        self.source = source

    @abstractmethod
    def profile(self, table: Table, run: Run) -> Iterator[Profile]:
        """Yield the profile of `table`, or nothing where there is none to be had."""


class Change(NamedTuple):
    """What became of one record in a sink.

    `action` is created, updated, restored, unchanged, skipped or deleted; `fields` maps a changed
    field to its (stored, new) values; `kept` a field whose stored value won to the reason; `whose`
    a field of either to the name of the user who wrote its stored value. `kind` is the record's
    where it is no entity of its own (lineage, pipelineRun, profile).
    """

    ref: Ref
    action: Literal["created", "updated", "restored", "unchanged", "skipped", "deleted"]
    fields: Mapping[str, tuple[Any, Any]] = {}
    kept: Mapping[str, str] = {}
    kind: str = ""
    whose: Mapping[str, str] = {}


class Sink(Component):
    """Writes records. It pulls them, computes the differences itself, and writes no secret.

    Capability `plan`: in a dry run `write` and `delete` yield what they would do and leave the
    target as it was. Capability `deletion`: `existing` and `delete` work.
    """

    names: NameRules = NameRules()
    target: str = ""
    """Where it writes, for people: a path, an address."""
    keeps_ids: ClassVar[bool] = True
    """False where the target keeps neither `source_id` nor `source_url`: renames can't be followed
    there, so of several equal names each gets a part of its id."""
    ServerConfig: ClassVar[ConfigClass | None] = None
    """The model of `workflowConfig.openMetadataServerConfig`, for a sink that writes to such a
    server: the settings are then required, and `run.server` is an instance of it."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def open(self, run: Run) -> Iterator[Step]:
        """Make ready; yields the permission steps that `metaglean test-connection` shows too."""
        return iter(())

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        """Stream what stands below `scope` (the parent's ref), soft-deleted included. Core reads
        it once a run and scope, before the source's listing."""
        return iter(())

    def selfcheck(self, run: Run) -> Iterator[Step]:
        """As `Source.selfcheck`, in the scratch service `run.service`, in which core has written a
        sample by then."""
        return iter(())

    def services(self, prefix: str) -> Iterator[tuple[Ref, str]]:
        """The services whose name begins so, each with its description. Asked after `open`."""
        return iter(())

    def discard(self, service: Ref) -> None:
        """Remove a service for good, with all below it; only a self-check asks for that, of a
        service that it made.

        Optional: a sink without it is not tested, as nothing may be left behind.
        """
        raise NotImplementedError

    def last_written(self, entity: Existing) -> float | None:
        """When a run wrote this entity last, in epoch seconds; None where that can't be told.

        Optional: a target that people write to as well overrides it. A push of an older spool
        leaves what a later run wrote as it is.
        """
        return entity.updated

    def stored_connection(self, service: Ref) -> Mapping[str, Any] | None:
        """`serviceConnection.config` as the target keeps it for this service; None where it keeps
        none. It is a secret.

        Optional: a sink that overrides it accepts workflows without `serviceConnection`; it is
        asked after `open`, before the source is made.
        """
        return None

    @abstractmethod
    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        """Pull the records and write them; yield one change a record."""

    def delete(self, entities: Sequence[Existing], run: Run) -> Iterator[Change]:
        """Mark these entities deleted. Only core calls it, after `write` has ended."""
        return iter(())

    def close(self, status: str) -> None:
        """The run is over: `status` is success, partialSuccess, failed or stopped."""


class ObservedRun(NamedTuple):
    """What an observer may know of a run when it begins.

    `source` and `sink` are types; `target` is where the sink writes, for people; `started` is in
    epoch seconds; `limit` the number of entities after which the run ends, or None; `pipeline` the
    workflow's `ingestionPipelineFQN`, or empty. `session(name, base_url, auth, **options)` makes a
    `metaglean.http.Session` of the observer's own, which is not counted in the run's report, goes
    on when the run is stopped, and is closed for it.
    """

    id: str
    service: Ref
    source: str
    sink: str
    target: str
    started: float
    dry_run: bool
    limit: int | None
    pipeline: str
    session: Callable[..., Session]


class Phase(NamedTuple):
    """A part of a run: `open` (the sink is made ready), `read` (the source, from its first record
    to its last), `write` (the sink, while it pulls what is read), `delete` and `close`. Others may
    come. `began` and `ended` are epoch seconds; `error` says what ended it early.
    """

    name: str
    began: float
    ended: float | None = None
    error: str = ""


class Observer(Component):
    """Watches a run, and changes nothing of it.

    All methods are called one after another on a thread of the observer's own, after what they
    tell has happened; secrets are masked in all they are given. Each is optional. An observer that
    raises, or is so slow that too much waits for it, is switched off for the rest of the run, with
    one warning; the end of a run waits for it for five seconds.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    def started(self, run: ObservedRun) -> None:
        """The run begins; always the first call."""

    def phase_began(self, phase: Phase) -> None:
        """A phase begins; `read` lies inside of `write`."""

    def phase_ended(self, phase: Phase) -> None:
        """A phase is over."""

    def changed(self, changes: Sequence[Change]) -> None:
        """What became of some records in the sink, in their order; in a dry run what would."""

    def noticed(self, notices: Sequence[Notice]) -> None:
        """Some problems and warnings, in their order."""

    def called(self, systems: Sequence[Mapping[str, Any]]) -> None:
        """What each system has cost so far: `name`, `calls`, `retries`, `rate_limited`,
        `waited_seconds`, `bytes_received`, `failures`. Told after each phase."""

    def ended(self, report: Mapping[str, Any]) -> None:
        """The run is over, with the report that `--report` writes; always the last call."""
