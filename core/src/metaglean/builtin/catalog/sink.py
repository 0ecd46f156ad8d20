"""Sink `catalog`: batches of records, each written in one short transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from metaglean import Change, Config, Existing, Sink, Step
from metaglean.builtin.catalog import entities, index, links
from metaglean.builtin.catalog.entities import Draft, Plan
from metaglean.builtin.catalog.links import Link, LinkPlan
from metaglean.builtin.catalog.store import DEFAULT_PATH, Store, default_path
from metaglean.errors import MetagleanError, RunError
from metaglean.records import Entity, Record, Ref, Service

if TYPE_CHECKING:
    from metaglean import Run

# A batch ends at the first of these: short locks for others, little to lose, little memory.
BATCH_RECORDS = 200
BATCH_CHARACTERS = 256_000
BATCH_SECONDS = 0.5
# Changed entities are indexed for search in portions, which is cheaper than one by one.
INDEX_AFTER = 2000
INDEX_SAID = 10_000  # so many take seconds: what an older Metaglean wrote, say


class CatalogConfig(Config):
    """Settings of sink `catalog`."""

    path: str = Field(
        default_factory=default_path,
        description="The SQLite file; the variable METAGLEAN_CATALOG sets another default.",
        json_schema_extra={"default": DEFAULT_PATH},
    )


class CatalogSink(Sink):
    """Keeps entities, their history and the runs in one SQLite file.

    Row counts and load times (`volatile_facets`, `life_cycle.updated`) are stored when they move,
    but are no change: they make no history and the entity counts as unchanged.
    """

    type = "catalog"
    Config = CatalogConfig
    capabilities = frozenset({"plan", "deletion"})

    def __init__(self, config: CatalogConfig) -> None:
        super().__init__(config)
        self.path = Path(config.path).expanduser()
        self.target = str(self.path)
        self._store: Store | None = None
        self._writable = False
        self._run: Run | None = None
        self._source_type = ""
        self._run_id = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._planned: set[tuple[str, str]] = set()
        self._unindexed = 0
        self._left_out: Counter[str] = Counter()

    def open(self, run: Run) -> Iterator[Step]:
        """Nothing is created yet: testing a connection leaves no file behind."""
        if not run.dry_run or not self.path.exists():
            Store.may_write(self.path)
        store = self._use(run, writable=False)
        number = store.row("SELECT count(*) FROM entities WHERE deleted_run IS NULL")[0]
        stands = f"{number} entities" if self.path.exists() else "it will be created"
        yield Step("catalog file", True, f"{self.path}: {stands}")

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        if self._store is None:
            raise RunError("the catalog was not opened", "Call `open` first.")
        return entities.standing(self._store, kind, scope)

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        store = self._use(run, writable=not run.dry_run)
        self._begin(store, run)
        batch: list[Draft | Link] = []
        size, due = 0, 0.0
        for record in records:
            drafted: Draft | Link | None = None
            with run.item(record.ref):
                drafted = _draft(record)
            if isinstance(record, Service) and record.ref == run.service:
                self._source_type = record.service_type
            if drafted is None:
                continue
            if not batch:
                size, due = 0, run.clock.monotonic() + BATCH_SECONDS
            batch.append(drafted)
            size += len(drafted.text)
            if (
                len(batch) >= BATCH_RECORDS
                or size >= BATCH_CHARACTERS
                or run.clock.monotonic() >= due
            ):
                yield from self._flush(store, batch, run)
                batch = []
        yield from self._flush(store, batch, run)
        if not run.dry_run:
            waiting = index.waiting(store)
            if waiting >= INDEX_SAID:
                said = "%d entities are indexed for search, once"
                run.log.info(said, waiting, extra={"live": True})
            index.catch_up(store, lambda: run.stopping)
        for kind, number in self._left_out.items():
            run.warn(f"{number} records of kind {kind} left out: they name what is not there")

    def delete(self, gone: Sequence[Existing], run: Run) -> Iterator[Change]:
        """Marks them, and what lives below them, as deleted; rows and history stay."""
        store = self._use(run, writable=not run.dry_run)
        self._begin(store, run)
        for start in range(0, len(gone), BATCH_RECORDS):
            changes: list[Change] = []
            part = gone[start : start + BATCH_RECORDS]
            if run.dry_run:
                for entity in part:
                    below = entities.with_descendants(store, entity, run.started)
                    changes += [Change(ref, "deleted") for _, ref in below]
            else:
                with store.writing():
                    for entity in part:
                        changes += self._mark(store, entity, run)
            self._counts.update((change.ref.kind, change.action) for change in changes)
            yield from changes

    def close(self, status: str) -> None:
        """Ends the run's row. A full disk is no news here: the run has ended with that error."""
        store, self._store = self._store, None
        if store is None:
            return
        try:
            if self._run_id and self._run:
                with store.writing():
                    store.execute(
                        "UPDATE runs SET ended = ?, status = ?, counts = ?, source_type = ?"
                        " WHERE id = ?",
                        (
                            self._run.clock.now(),
                            status,
                            self._counts_json(),
                            self._source_type,
                            self._run_id,
                        ),
                    )
        except MetagleanError as error:
            if self._run:
                self._run.log.warning("the end of the run is not recorded: %s", error.message)
        finally:
            store.close()

    def _use(self, run: Run, *, writable: bool) -> Store:
        """The open store, reopened where it must be writable now."""
        if self._store is not None and (self._writable or not writable):
            return self._store
        if self._store is not None:
            self._store.close()
        self._store, self._writable = None, writable
        self._store = Store(self.path, run.clock, writable=writable)
        return self._store

    def _begin(self, store: Store, run: Run) -> None:
        if run.dry_run or self._run_id:
            return
        self._run = run
        with store.writing():
            self._run_id = store.execute(
                "INSERT INTO runs (service, source_type, started) VALUES (?, ?, ?)",
                (str(run.service), "", run.started),
            )

    def _flush(self, store: Store, batch: Sequence[Draft | Link], run: Run) -> Iterator[Change]:
        """Write a batch; only what differs at a first look needs the lock and a second one."""
        changes: list[Change | None] = []
        with store.reading():
            for drafted in batch:
                same = isinstance(drafted, Draft) and entities.same(
                    entities.find(store, drafted), drafted
                )
                changes.append(Change(drafted.ref, "unchanged") if same else None)
        if None in changes:
            with store.reading() if run.dry_run else store.writing():
                for number, drafted in enumerate(batch):
                    if changes[number] is None:
                        with run.item(drafted.ref):
                            changes[number] = self._settle(store, drafted, run)
        if self._unindexed >= INDEX_AFTER:
            index.catch_up(store, lambda: run.stopping, self._unindexed)
            self._unindexed = 0
        for drafted, change in zip(batch, changes, strict=True):
            if change:
                kind = drafted.kind if isinstance(drafted, Link) else drafted.ref.kind
                self._counts[kind, change.action] += 1
                yield change

    def _settle(self, store: Store, drafted: Draft | Link, run: Run) -> Change:
        """Plan one record against what stands now and, unless this is a dry run, write it."""
        plan: Plan | LinkPlan
        if isinstance(drafted, Draft):
            plan = entities.plan(store, drafted, override=run.override_metadata)
            if run.dry_run:
                self._planned.add((drafted.ref.kind, drafted.fqn))
            elif plan.writes:
                entities.carry_out(store, plan, self._run_id, run.clock.now())
                self._unindexed += plan.state is not None
        else:
            plan = links.plan(store, drafted, self._planned)
            if plan.change.action == "skipped":
                self._left_out[drafted.kind] += 1
            elif plan.writes and not run.dry_run:
                links.carry_out(store, plan, self._run_id)
        return plan.change

    def _mark(self, store: Store, entity: Existing, run: Run) -> list[Change]:
        changes = []
        now = run.clock.now()
        for number, ref in list(entities.with_descendants(store, entity, run.started)):
            change = Change(ref, "deleted")
            store.execute(
                "UPDATE entities SET deleted_run = ?, updated_run = ?, updated = ? WHERE id = ?",
                (self._run_id, self._run_id, now, number),
            )
            entities.remember(store, number, self._run_id, now, change)
            changes.append(change)
        return changes

    def _counts_json(self) -> str:
        counts: dict[str, dict[str, int]] = {}
        for (kind, action), number in sorted(self._counts.items()):
            counts.setdefault(kind, {})[action] = number
        return json.dumps(counts)


def _draft(record: Record) -> Draft | Link | None:
    return entities.draft(record) if isinstance(record, Entity) else links.draft(record)
