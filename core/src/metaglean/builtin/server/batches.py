"""From the stream of records to what is written together: plans each record, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from metaglean import Change
from metaglean.builtin.server.body import Bodies
from metaglean.builtin.server.client import Server
from metaglean.builtin.server.diff import ALONE, Policy
from metaglean.builtin.server.digest import WEAK, differing
from metaglean.builtin.server.services import Services
from metaglean.builtin.server.tags import Tags
from metaglean.builtin.server.wire import REFUSED, known
from metaglean.builtin.server.writer import CONTAINERS, Job, Writer
from metaglean.errors import ItemError
from metaglean.records import Classification, Entity, Ref, Service, Tag

if TYPE_CHECKING:
    from metaglean import Existing, Run

BULK_ROWS = 100
BULK_COLUMNS = 2000
DONE = 64
LEAVES = frozenset({"table", "pipeline"})


class Batch(NamedTuple):
    """Jobs that are written together on a worker, and changes that are known already; all `jobs` of
    a batch of several are creations of one kind."""

    done: tuple[Change, ...] = ()
    jobs: tuple[Job, ...] = ()

    @property
    def ref(self) -> Ref | None:
        """What to call it in a message."""
        return self.jobs[0].ref if self.jobs else None


class Batches:
    """Plans records on the run's thread. What others are below (services, databases, schemas, tags)
    is written here, at once; tables and pipelines are left to workers."""

    def __init__(
        self,
        server: Server,
        run: Run,
        bodies: Bodies,
        writer: Writer,
        services: Services,
        tags: Tags,
        policy: Policy,
    ) -> None:
        self._server = server
        self._run = run
        self._bodies = bodies
        self._writer = writer
        self._services = services
        self._tags = tags
        self._policy = policy
        self._failed: set[Ref] = set()

    def of(self, records: Iterable[Entity]) -> Iterator[Batch]:
        """The batches, in the order of the records."""
        done: list[Change] = []
        new: list[Job] = []
        for record in records:
            found: list[Change | Job] = []
            with self._run.item(record.ref):
                found.append(self._planned(record))
            for planned in found:
                if isinstance(planned, Change):
                    done.append(planned)
                elif planned.entity_id is None and self._server.features.has("bulk"):
                    if new and new[0].ref.kind != planned.ref.kind:
                        yield Batch((), tuple(new))
                        new = []
                    new.append(planned)
                else:
                    yield Batch(tuple(done), (planned,))
                    done = []
            if _is_full(new) or (new and record.ref.kind in CONTAINERS):
                yield Batch((), tuple(new))
                new = []
            if len(done) >= DONE or (done and record.ref.kind in CONTAINERS):
                yield Batch(tuple(done))
                done = []
        yield from (Batch(tuple(done)), Batch((), tuple(new)))

    def _planned(self, record: Entity) -> Change | Job:
        """What is to be done about one record; what must stand before others is done."""
        if record.ref.parent in self._failed:
            self._failed.add(record.ref)
            raise ItemError(f"{record.ref.parent} could not be created: left out with it")
        if isinstance(record, Classification | Tag):
            return self._tags.write(record)
        if isinstance(record, Service) or record.ref.kind in CONTAINERS:
            return self._container(record)
        planned = self._job(record)
        if isinstance(planned, Job) and record.ref.kind not in LEAVES:
            return self._writer.write(planned)
        return planned

    def _container(self, record: Entity) -> Change | Job:
        """What has others below it. Where the server refuses to create it they can't be written;
        where it may stand, they are tried."""
        ref = record.ref
        try:
            if isinstance(record, Service):
                return self._services.write(record)
            planned = self._job(record)
            if isinstance(planned, Job) and ref.kind not in LEAVES:
                return self._writer.write(planned)
        except ItemError as error:
            stands = ref in self._services.ids or self._existing(ref) is not None
            if not stands and error.status is not None and 400 <= error.status < 500:
                self._failed.add(ref)
            raise
        return planned

    def _job(self, record: Entity) -> Change | Job:
        ref = record.ref

        def note(message: str) -> None:
            self._run.problem(message, str(ref))

        values = known(self._server.features, self._bodies.values(record, note))
        existing = self._existing(ref)
        job = Job(ref, values, self._writer.hash_of(ref, values))
        unchanged = self._same(job, existing) if existing else None
        if unchanged:
            return unchanged
        entity_id = existing.id if existing else None
        return job._replace(entity_id=entity_id, settled=self._settled(values))

    def _existing(self, ref: Ref) -> Existing | None:
        return self._run.stands(ref.kind, ref.parent).get(ref.name) if ref.parent else None

    def _same(self, job: Job, existing: Existing) -> Change | None:
        """The change where nothing needs to be asked or sent."""
        if existing.deleted or existing.hash is None:
            return None
        if isinstance(existing.hash, str):
            same = existing.hash == job.hash and not self._policy.override
            return Change(job.ref, "unchanged") if same else None
        parts = set(differing(job.ref.kind, job.values, existing.hash, self._tags.looked_at))
        parts -= self._writer.left_out(parts)
        if not parts:
            return Change(job.ref, "unchanged")
        if parts <= WEAK and not self._policy.weak:
            self._writer.cannot_store(job.ref)
            names = {"definition": "schema_definition", "order": "columns"}
            return Change(job.ref, "unchanged", kept={names[part]: ALONE for part in parts})
        return None

    def _settled(self, values: Any) -> bool:
        """Whether a hash over these values may be stored though nothing differs: the server's
        people could be read, and no label had to be left out. (What the source didn't read is not
        in the hash: a run that reads it makes another one.)"""
        if any(feature.startswith("server ") for feature in self._run.report.features_off):
            return False
        labels = [*(values.get("tags") or ())]
        for column in values.get("columns") or ():
            labels += column.get("tags") or ()
        return not any(REFUSED in label for label in labels)


def _is_full(jobs: Sequence[Job]) -> bool:
    columns = sum(len(job.values.get("columns") or ()) for job in jobs)
    return len(jobs) >= BULK_ROWS or columns >= BULK_COLUMNS
