"""The parts of the sink, put together once the server of a run is known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from metaglean import Change, Existing
from metaglean.builtin.server.adapt import Adaptation
from metaglean.builtin.server.batches import Batch, Batches
from metaglean.builtin.server.body import Bodies
from metaglean.builtin.server.bulk import Bulk
from metaglean.builtin.server.checks import Identity
from metaglean.builtin.server.client import Json, Server
from metaglean.builtin.server.config import MetadataRestConfig, ServerConfig
from metaglean.builtin.server.connect import connect
from metaglean.builtin.server.diff import Policy
from metaglean.builtin.server.digest import digest
from metaglean.builtin.server.history import history
from metaglean.builtin.server.lineage import LineageWriter
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.builtin.server.parts import tables_in_parts
from metaglean.builtin.server.people import People
from metaglean.builtin.server.resolver import Resolver
from metaglean.builtin.server.runs import RunWriter
from metaglean.builtin.server.services import Services
from metaglean.builtin.server.status import StatusReporter
from metaglean.builtin.server.tags import Tags
from metaglean.builtin.server.wire import KINDS, fields_of, from_wire, key_of
from metaglean.builtin.server.words import Words
from metaglean.builtin.server.writer import CONTAINERS, Writer
from metaglean.fqn import decode
from metaglean.records import Entity, PipelineRun, Record, Ref

if TYPE_CHECKING:
    from metaglean import Run

# Records that wait for their turn are held in memory: few, as one may have hundreds of columns.
AHEAD = 4  # single ones, for each worker
BULK_AHEAD = 4  # batches


class Assembly:
    """The sink of one run, once its server is known."""

    def __init__(
        self,
        server: Server,
        run: Run,
        config: ServerConfig,
        identity: Identity,
        own: MetadataRestConfig,
    ) -> None:
        self.server = server
        self.run = run
        self.names = ServerNames(server.features)
        self.qualified = QualifiedNames(self.names)
        self.tags = Tags(server, run, self.names, self.qualified)
        self.people = People(server, run, identity.name if identity.is_bot else "")
        self.adaptation = Adaptation(server, run, Words(server.features.version))
        if not identity.may("table", "EditDisplayName"):
            self.adaptation.fields_denied.add("displayName")
        override = run.override_metadata or bool(own.override_metadata)
        self.policy = self._policy(override=override, texts=identity.is_bot)
        self.services = Services(
            server, run, self.names, self.qualified,
            store=config.store_service_connection, overwrite=config.force_entity_overwriting,
        )  # fmt: skip
        writer = Writer(server, run, self.names, self.qualified, self.policy, self.adaptation)
        bodies = Bodies(self.names, self.qualified, self.tags.labels, self.people.references)
        self.bulk = Bulk(server, run, writer, self.qualified)
        self.batches = Batches(server, run, bodies, writer, self.services, self.tags, self.policy)
        self._refer(config)

    def _policy(self, *, override: bool, texts: bool) -> Policy:
        features = self.server.features
        return Policy(
            is_bot=self.people.is_bot,
            own=self.tags.own,
            key_of=lambda key: key_of(features, key),
            override=override,
            texts=texts,
            weak=features.has("comparesAll"),
            wipes=not features.has("keepsDefinitions"),
            denied=self.adaptation.fields_denied,
            unsure=self.people.unread,
        )

    def _refer(self, config: ServerConfig) -> None:
        """What writes records that refer to entities."""
        server, run, words = self.server, self.run, self.adaptation.words
        self.resolver = Resolver(
            server,
            self.qualified,
            lambda name: self.names.stored("column", self.names.fit("column", name)),
        )
        self.lineage = LineageWriter(server, self.resolver, run, words)
        self.runs = RunWriter(server, self.resolver, run, words)
        self.status = StatusReporter(
            server,
            run,
            run.service,
            lambda: self.services.ids.get(run.service),
            reconnect=lambda: connect(run.at("status"), config),
        )
        self.began = False

    def begin(self) -> None:
        """Report that the run begins; a pipeline may have to wait for its service."""
        self.began = True
        self.status.start()

    def entities(self, records: Iterator[Entity]) -> Iterator[Change]:
        """Write entities on workers, changes in the order of the records."""
        ahead = BULK_AHEAD if self.server.features.has("bulk") else AHEAD * self.run.workers
        for changes in self.run.map(self._written, self.batches.of(records), ahead=ahead):
            for change in changes:
                if change.action in {"created", "restored", "updated"}:
                    if self.run.dry_run and change.action != "updated":
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

    def last_written(self, entity: Existing) -> float | None:
        """When a bot wrote a version of it last; None where its versions can't be read."""
        past = history(self.server, KINDS[entity.ref.kind].collection, str(entity.id))
        return past.written(self.people.is_bot)

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        """Names as they were before the server's encoding; a digest where it keeps no hash."""
        spec, features = KINDS[kind], self.server.features
        hashed = features.has("sourceHash")
        asked = "sourceHash" if hashed else fields_of(features, kind)
        parent = self.qualified(scope)
        looked_at = self.tags.looked_at
        params: Json = {spec.parent: parent, "include": "all", "fields": asked}

        def shown(entity: Json) -> Existing:
            ref = scope.child(kind, decode(str(entity["name"])))
            if kind in CONTAINERS:
                self.qualified.learn(ref, entity)
            values = from_wire(features, entity)
            return Existing(
                ref,
                str(entity["id"]),
                hash=entity.get("sourceHash") if hashed else digest(kind, values, looked_at),
                deleted=bool(entity.get("deleted")),
                updated=float(entity.get("updatedAt") or 0) / 1000,
                source_url=entity.get("sourceUrl"),
            )

        if kind == "table" and not hashed:
            return tables_in_parts(self.server, parent, params, self.run.workers, shown)
        return map(shown, self.server.listing(spec.collection, **params))
