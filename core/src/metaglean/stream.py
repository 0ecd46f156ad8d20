"""The stream of a run: what the source yields, checked and counted, as a sink pulls it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from metaglean.components import Source
from metaglean.errors import RunError, catching
from metaglean.records import Entity, Record, Service
from metaglean.run import Run

LEAVES = ("table", "pipeline", "dashboard")
LOG_SECONDS = 30.0
_END: Any = object()


class Stream(Iterator[Record]):
    """The records as a sink sees them: an error or a signal is the end of the stream, and `error`
    keeps it for the time after. A signal is raised only in here, never inside a sink."""

    def __init__(self, records: Iterator[Record], run: Run) -> None:
        self._records = records
        self._run = run
        self.error: BaseException | None = None

    def __next__(self) -> Record:
        record = _END
        with catching(ending=True) as caught:
            self._run.reading(True)
            record = next(self._records, _END)
            self._run.reading(False)
            if record is not _END and not isinstance(record, Record):
                raise RunError(f"a processor yielded {type(record).__name__} instead of a record")
        if caught.error:
            self._run.reading(False)
            self.error = caught.error
        if caught.error or record is _END or self._run.stopping:
            raise StopIteration
        return record  # type: ignore[no-any-return]  # looked at above


def read(source: Source, run: Run) -> Iterator[Record]:
    """The service (as the source describes it, where that is its first record), then what the
    source yields, with what may not be written left out; at most `run.limit` tables, pipelines or
    dashboards. A source that fails at once writes not even its service."""
    records = iter(source.read(run))
    first = list(islice(records, 1))
    if not (first and isinstance(first[0], Service) and first[0].ref == run.service):
        yield Service(ref=run.service, service_type=source.service_type)
    leaves = 0
    for record in chain(first, records):
        checked = run.arrived(record) if isinstance(record, Entity) else record
        if checked is None:
            continue
        yield checked
        leaves += isinstance(checked, Entity) and checked.ref.kind in LEAVES
        if run.limit is not None and leaves >= run.limit:
            return


def renamed(records: Iterator[Record], run: Run) -> Iterator[Record]:
    """The same under the target's names."""
    return map(run.renaming.record, records) if run.renaming else records


def counted(records: Iterator[Record], run: Run) -> Iterator[Record]:
    """The same, counted as read, until the run is asked to end; a long run says in its log how far
    it is (the command line has a progress of its own)."""
    due = run.clock.monotonic() + LOG_SECONDS
    for record in records:
        if run.stopping:
            return
        run.count(record.kind, "read")
        now = run.clock.monotonic()
        if now >= due:
            due = now + LOG_SECONDS
            done = sum(run.report.number("source", kind, "read") for kind in LEAVES)
            total = sum(run.report.totals.get(kind, 0) for kind in LEAVES)
            run.log.info("%d of %d read", done, total)
        yield record
