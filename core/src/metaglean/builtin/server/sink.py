"""Sink `metadata-rest`: writes to an OpenMetadata server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, cast

from metaglean import Change, Existing, Sink, Step
from metaglean.builtin.server.assembly import Assembly
from metaglean.builtin.server.checks import checks
from metaglean.builtin.server.config import MetadataRestConfig, ServerConfig
from metaglean.builtin.server.connect import NAME, connect, stored_connection
from metaglean.builtin.server.selfcheck import ASSUMPTIONS, discard, selfcheck, services
from metaglean.builtin.server.wire import KINDS
from metaglean.errors import RunError
from metaglean.records import Entity, Lineage, PipelineRun, Record, Ref

if TYPE_CHECKING:
    from metaglean import Run


class MetadataRestSink(Sink):
    """Writes to an OpenMetadata server, 1.1 to 2.x, over REST.

    PUT creates, PATCH changes, restore restores. Structure follows the source; texts and owners
    follow it as long as only bots wrote what stands.
    """

    type = "metadata-rest"
    Config = MetadataRestConfig
    ServerConfig = ServerConfig
    systems = (NAME,)
    capabilities = frozenset({"plan", "deletion"})
    assumptions = ASSUMPTIONS

    def __init__(self, config: MetadataRestConfig) -> None:
        super().__init__(config)
        self._at: Assembly | None = None

    def open(self, run: Run) -> Iterator[Step]:
        """Ask the server what it is and what this token may do; nothing is written."""
        config = cast("ServerConfig", run.server)
        self.target = config.host_port
        server = connect(run, config)
        identity = yield from checks(server, run, config)
        self._at = Assembly(server, run, config, identity, self.config)
        self.names = self._at.names

    def stored_connection(self, service: Ref) -> Mapping[str, Any] | None:
        """The connection that the server keeps for the service."""
        return stored_connection(self._opened.server, service)

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        """What stands below `scope`, by one paged listing."""
        return self._opened.existing(kind, scope)

    def services(self, prefix: str) -> Iterator[tuple[Ref, str]]:
        """Database services, live and soft-deleted. (Their bodies hold connections.)"""
        return services(self._opened.server, prefix)

    def discard(self, service: Ref) -> None:
        """Delete it hard."""
        discard(self._opened.server, service)

    def selfcheck(self, run: Run) -> Iterator[Step]:
        """What the samples of core can't tell."""
        return selfcheck(self._opened, run)

    def last_written(self, entity: Existing) -> float | None:
        """When a bot wrote it last: what people write since is no run's."""
        return self._opened.last_written(entity)

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
    def _opened(self) -> Assembly:
        if self._at is None:
            raise RunError("the server was not asked", "Call `open` first.")
        return self._at


def _phase(record: Record) -> str:
    return "entities" if isinstance(record, Entity) else record.KIND
