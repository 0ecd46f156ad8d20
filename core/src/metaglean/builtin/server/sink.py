"""Sink `metadata-rest`: writes to an OpenMetadata server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from metaglean import Change, Existing, Sink, Step
from metaglean.builtin.server.adapt import Adaptation
from metaglean.builtin.server.batches import Batch, Batches
from metaglean.builtin.server.body import Bodies
from metaglean.builtin.server.bulk import Bulk
from metaglean.builtin.server.checks import Identity, checks
from metaglean.builtin.server.client import Server
from metaglean.builtin.server.config import MetadataRestConfig, ServerConfig
from metaglean.builtin.server.connect import connect
from metaglean.builtin.server.diff import Policy
from metaglean.builtin.server.digest import digest
from metaglean.builtin.server.lineage import LineageWriter
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.builtin.server.people import People
from metaglean.builtin.server.resolver import Resolver
from metaglean.builtin.server.runs import RunWriter
from metaglean.builtin.server.services import Services
from metaglean.builtin.server.status import StatusReporter
from metaglean.builtin.server.tags import Tags
from metaglean.builtin.server.wire import KINDS, fields_of, from_wire, key_of
from metaglean.builtin.server.words import Words
from metaglean.builtin.server.writer import CONTAINERS, Writer
from metaglean.errors import RunError
from metaglean.fqn import decode
from metaglean.records import Entity, Lineage, PipelineRun, Record, Ref

if TYPE_CHECKING:
    from metaglean import Run

# Records that wait for their turn are held in memory: few, as one may have hundreds of columns.
AHEAD = 4  # single ones, for each worker
BULK_AHEAD = 4  # batches


class MetadataRestSink(Sink):
    """Writes to an OpenMetadata server, 1.1 to 2.x, over REST.

    PUT creates, PATCH changes, restore restores. Structure follows the source; texts and owners
    follow it as long as only bots wrote what stands.
    """

    type = "metadata-rest"
    Config = MetadataRestConfig
    ServerConfig = ServerConfig
    capabilities = frozenset({"plan", "deletion"})

    def __init__(self, config: MetadataRestConfig) -> None:
        super().__init__(config)
        self._at: _Open | None = None

    def open(self, run: Run) -> Iterator[Step]:
        """Ask the server what it is and what this token may do; nothing is written."""
        config = cast("ServerConfig", run.server)
        self.target = config.host_port
        server = connect(run, config)
        identity = yield from checks(server, run, config)
        self._at = _Open(server, run, config, identity, self.config)
        self.names = self._at.names

    def stored_connection(self, service: Ref) -> Mapping[str, Any] | None:
        """The connection that the server keeps for the service."""
        found = self._opened.services.find(service) or {}
        connection = found.get("connection")
        config = connection.get("config") if isinstance(connection, dict) else None
        return config if isinstance(config, dict) else None

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        """What stands below `scope`, by one paged listing."""
        return self._opened.existing(kind, scope)

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        """Write entities as they come, then what refers to them."""
        at = self._opened
        at.begin()
        for phase, group in groupby(records, key=_phase):
            if phase == "entities":
                yield from at.entities(cast("Iterator[Entity]", group))
            elif phase == Lineage.KIND:
                yield from run.map(at.lineage.write, cast("Iterator[Lineage]", group))
            elif phase == PipelineRun.KIND:
                yield from at.pipeline_runs(cast("Iterator[PipelineRun]", group))
            else:
                yield from at.left_out(phase, group)
        at.lineage.report()
        at.runs.report()

    def delete(self, entities: Sequence[Existing], run: Run) -> Iterator[Change]:
        """Mark them deleted, by id; a restore brings all back."""
        at = self._opened

        def mark(entity: Existing) -> Change:
            if not run.dry_run:
                collection = KINDS[entity.ref.kind].collection
                at.server.delete(f"{collection}/{entity.id}", recursive=True, hardDelete=False)
            return Change(entity.ref, "deleted")

        yield from run.map(mark, entities)

    def close(self, status: str) -> None:
        """Report how the run ended, where the workflow names an ingestion pipeline."""
        at, self._at = self._at, None
        if at is not None and at.began:
            at.status.finish(status)

    @property
    def _opened(self) -> _Open:
        if self._at is None:
            raise RunError("the server was not asked", "Call `open` first.")
        return self._at


class _Open:
    """The sink of one run, once its server is known."""

    def __init__(
        self,
        server: Server,
        run: Run,
        config: ServerConfig,
        identity: Identity,
        own: MetadataRestConfig,
    ) -> None:
        features = server.features
        self.server = server
        self.run = run
        self.names = ServerNames(features)
        self.qualified = QualifiedNames(self.names)
        self.tags = Tags(server, run, self.names, self.qualified)
        people = People(server, run, identity.name if identity.is_bot else "")
        adaptation = Adaptation(server, run, Words(features.version))
        if not identity.may("table", "EditDisplayName"):
            adaptation.fields_denied.add("displayName")
        self.policy = Policy(
            is_bot=people.is_bot,
            own=self.tags.own,
            key_of=lambda key: key_of(features, key),
            override=run.override_metadata or bool(own.override_metadata),
            texts=identity.is_bot,
            weak=features.has("comparesAll"),
            wipes=not features.has("lifeCycle"),
            denied=adaptation.fields_denied,
        )
        self.writer = Writer(server, run, self.names, self.qualified, self.policy, adaptation)
        self.services = Services(
            server, run, self.names, self.qualified,
            store=config.store_service_connection, overwrite=config.force_entity_overwriting,
        )  # fmt: skip
        words = adaptation.words
        resolver = Resolver(server, self.qualified, lambda name: self.names.stored("column", name))
        self.resolver = resolver
        self.lineage = LineageWriter(server, resolver, run, words)
        self.runs = RunWriter(server, resolver, run, words)
        self.status = StatusReporter(
            server,
            run,
            run.service,
            lambda: self.services.ids.get(run.service),
            reconnect=lambda: connect(run, config),
        )
        self.began = False
        self.bulk = Bulk(server, run, self.writer, self.qualified)
        bodies = Bodies(self.names, self.qualified, self.tags.labels, people.references)
        self.batches = Batches(
            server, run, bodies, self.writer, self.services, self.tags, self.policy
        )

    def begin(self) -> None:
        """Report that the run begins; a pipeline may have to wait for its service."""
        self.began = True
        self.status.start()

    def entities(self, records: Iterator[Entity]) -> Iterator[Change]:
        """Write entities on workers, changes in the order of the records."""
        ahead = BULK_AHEAD if self.server.features.has("bulk") else AHEAD * self.run.workers
        for changes in self.run.map(self._written, self.batches.of(records), ahead=ahead):
            for change in changes:
                if change.action in {"created", "restored"}:
                    if self.run.dry_run:
                        self.resolver.plan(change.ref)
                    else:
                        self.resolver.remember(change.ref, None)
                    if change.ref == self.run.service:
                        self.status.start()
                yield change

    def pipeline_runs(self, records: Iterator[PipelineRun]) -> Iterator[Change]:
        """Write the runs of each pipeline together."""
        groups = (list(group) for _, group in groupby(records, key=lambda record: record.ref))
        for changes in self.run.map(self.runs.write, groups):
            yield from changes

    def left_out(self, kind: str, records: Iterator[Record]) -> Iterator[Change]:
        """Records of a kind that this sink doesn't write."""
        number = 0
        for record in records:
            number += 1
            yield Change(record.ref, "skipped", kind=kind)
        self.run.warn(f"{number} records of kind {kind} left out: they are not written to servers")

    def _written(self, batch: Batch) -> list[Change]:
        return [*batch.done, *self.bulk.write(batch.jobs)]

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        """Names as they were before the server's encoding; a digest where it keeps no hash."""
        spec, features = KINDS[kind], self.server.features
        hashed = features.has("sourceHash")
        asked = "sourceHash" if hashed else fields_of(features, kind)
        listing = self.server.listing(
            spec.collection,
            **{spec.parent: self.qualified(scope), "include": "all", "fields": asked},
        )
        for entity in listing:
            ref = scope.child(kind, decode(str(entity["name"])))
            if kind in CONTAINERS:
                self.qualified.keep(ref, str(entity["fullyQualifiedName"]))
            values = from_wire(features, entity)
            yield Existing(
                ref,
                str(entity["id"]),
                hash=entity.get("sourceHash") if hashed else digest(kind, values, self.tags.own),
                deleted=bool(entity.get("deleted")),
                updated=float(entity.get("updatedAt") or 0) / 1000,
                source_url=entity.get("sourceUrl"),
            )


def _phase(record: Record) -> str:
    return "entities" if isinstance(record, Entity) else record.KIND
