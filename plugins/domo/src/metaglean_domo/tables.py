"""The tables of one schema: inventory, details in bulk and in parallel, records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from metaglean import Listed, Record, Ref, Run, Table, TagLabel
from metaglean_domo import convert
from metaglean_domo.api import BULK_DATASETS, InstanceApi, Json, PublicApi
from metaglean_domo.config import DomoConnection, DomoDatabaseOptions
from metaglean_domo.connection import announce, granted, link_base
from metaglean_domo.dataset import DatasetReader, Job
from metaglean_domo.enrich import InstancePlane, Streams
from metaglean_domo.inventory import Inventory
from metaglean_domo.owners import Directory


class Tables:
    """Reads the datasets of one run."""

    def __init__(
        self,
        run: Run,
        config: DomoConnection,
        options: DomoDatabaseOptions,
        public: PublicApi,
        instance: InstanceApi | None,
    ) -> None:
        self._run = run
        self._config = config
        self._options = options
        self._public = public
        self._plane = InstancePlane(run, instance)
        self._streams = Streams(run, public)
        self._people = Directory(run, public)
        self._told: set[TagLabel | str] = set()

    def read(self, schema: Ref) -> Iterator[Record]:
        """The tables, each after the classifications and tags that it is the first to use."""
        claims = self._public.claims()
        announce(self._run, claims, self._config)
        link = link_base(self._config, claims)
        if link is None:
            self._run.warn(
                "neither instanceDomain nor the token names the instance: tables get no link, and "
                "a dataset that is renamed becomes another table"
            )
        listing = self._run.listing("table", schema, followed=link is not None)
        inventory = Inventory(self._public, listing.incomplete)
        if not (self._options.include_tables or self._options.include_views):
            inventory.load()
            for _ in listing.over(inventory):
                self._run.count("table", "filtered")
            return
        self._load(inventory, claims)
        jobs = self._jobs(listing.over(inventory))
        for table, notes in self._run.map(self._reader(link).read, jobs):
            # Said here and not on the workers, so that equal runs say it in equal order.
            for note in notes:
                self._run.warn(note, str(table.ref))
            yield from self._governance(table)
            yield table

    def _reader(self, link: str | None) -> DatasetReader:
        return DatasetReader(
            self._run,
            self._config,
            self._options,
            self._public,
            self._plane,
            self._streams,
            self._people,
            link,
        )

    def _load(self, inventory: Inventory, claims: Json) -> None:
        """What is read once for all datasets, side by side."""
        scopes = granted(claims)
        loads: list[Callable[[], None]] = [inventory.load, partial(self._streams.load, self._plane)]
        if self._options.include_owners:
            if scopes is None or "user" in scopes:
                loads.append(self._people.load)
            else:
                self._people.refused("the scope `user` is not granted")
        for _ in self._run.map(_call, loads):
            pass

    def _governance(self, table: Table) -> Iterator[Record]:
        for label in table.tags:
            if label.classification not in self._told:
                self._told.add(label.classification)
                yield convert.classification(label.classification)
            if label not in self._told:
                self._told.add(label)
                yield convert.tag(label)

    # -- before a dataset's own call ------------------------------------------------------------

    def _jobs(self, entries: Iterator[tuple[Ref, Listed]]) -> Iterator[Job]:
        """The datasets that are wanted, with what bulk calls tell, a few chunks ahead."""
        chunks = _chunks(entries, BULK_DATASETS)
        for jobs in self._run.map(self._with_details, chunks, workers=1):
            yield from jobs

    def _with_details(self, chunk: list[tuple[Ref, Listed]]) -> list[Job]:
        ids = [listed.id for _, listed in chunk]
        details = self._plane.details(ids)
        jobs = [Job(ref, listed, details.get(listed.id), bool(details)) for ref, listed in chunk]
        return [job for job in jobs if self._wanted(job)]

    def _wanted(self, job: Job) -> bool:
        tables, views = self._options.include_tables, self._options.include_views
        if tables == views:
            return True
        kind = job.detail.table_type if job.detail else None
        if kind is None:
            standing = self._run.standing(job.ref)
            if standing is None or standing.deleted:
                self._run.problem(
                    "not known whether it is a view: not created in this run", str(job.ref)
                )
                return False
            return True
        if views if kind == "View" else tables:
            return True
        self._run.count("table", "filtered")
        return False


def _call(load: Callable[[], None]) -> None:
    load()


def _chunks(entries: Iterable[tuple[Ref, Listed]], size: int) -> Iterator[list[tuple[Ref, Listed]]]:
    iterator = iter(entries)
    while chunk := list(islice(iterator, size)):
        yield chunk
