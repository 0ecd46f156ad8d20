"""The tables of one schema: inventory, details in bulk and in parallel, records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from metaglean import ItemError, LifeCycle, Listed, Record, Ref, Run, Table, TagLabel
from metaglean_domo import convert
from metaglean_domo.api import BULK_DATASETS, InstanceApi, Json, PublicApi
from metaglean_domo.columns import Columns, columns, dictionary_texts, queried_columns
from metaglean_domo.config import DomoConnection, DomoDatabaseOptions
from metaglean_domo.connection import announce, granted, link_base
from metaglean_domo.enrich import (
    CO_OWNERS,
    DESCRIPTIONS,
    VIEW_SQL,
    InstancePlane,
    Streams,
)
from metaglean_domo.inventory import Inventory
from metaglean_domo.owners import Directory
from metaglean_domo.sql import UnknownNode, print_fusion, print_select

ONE_ROW = "SELECT * FROM table LIMIT 1"


class Job(NamedTuple):
    """One dataset to be read. `detail` is None where the instance told nothing about it, though
    (`asked`) it told about others."""

    ref: Ref
    listed: Listed
    detail: convert.Detail | None
    asked: bool


class Tables:
    """Reads the datasets of one run. A field that was not read is not set on its record."""

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
        self._with_instance = instance is not None
        self._streams = Streams(run, public)
        self._people = Directory(run, public)
        self._fit = partial(run.names.fit, "column")
        self._fit_tag = partial(run.names.fit, "tag")
        self._link: str | None = None
        self._told: set[TagLabel | str] = set()

    def read(self, schema: Ref) -> Iterator[Record]:
        """The tables, each after the classifications and tags that it is the first to use."""
        claims = self._public.claims()
        announce(self._run, claims, self._config)
        self._link = link_base(self._config, claims)
        if self._link is None:
            self._run.warn(
                "neither instanceDomain nor the token names the instance: tables get no link, and "
                "a dataset that is renamed becomes another table"
            )
        listing = self._run.listing("table", schema, followed=self._link is not None)
        inventory = Inventory(self._public, listing.incomplete)
        if not (self._options.include_tables or self._options.include_views):
            inventory.load()
            for _ in listing.over(inventory):
                self._run.count("table", "filtered")
            return
        self._load(inventory, claims)
        jobs = self._jobs(listing.over(inventory))
        for table in self._run.map(self._table, jobs):
            yield from self._governance(table)
            yield table

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

    # -- one dataset, on a worker ---------------------------------------------------------------

    def _table(self, job: Job) -> Table:
        dataset_id, item = job.listed.id, str(job.ref)
        body = self._public.dataset(dataset_id)
        found = self._columns(dataset_id, body, item)
        fields: dict[str, Any] = {
            "ref": job.ref,
            "source_id": dataset_id,
            "display_name": str(body.get("name") or job.listed.name),
            "description": body.get("description") or None,
            "life_cycle": LifeCycle(
                created=convert.milliseconds(body.get("createdAt")),
                updated=convert.milliseconds(body.get("updatedAt")),
            ),
        }
        if self._link:
            fields["source_url"] = f"{self._link}/datasources/{dataset_id}/details/overview"
        if found is not None:
            fields["columns"] = found.items
        fields.update(self._constraints(dataset_id, found))
        fields.update(self._facets(dataset_id, body, job.detail))
        fields.update(self._owners(dataset_id, body, job, item))
        if job.detail:
            fields.update(self._from_detail(dataset_id, job.detail, item))
        elif job.asked:
            self._run.warn(
                "the access token's user doesn't see it: what only the instance tells stays as it "
                "is in the target",
                item,
            )
        return Table.model_validate(fields)

    def _from_detail(self, dataset_id: str, detail: convert.Detail, item: str) -> Json:
        fields: Json = {}
        if detail.table_type:
            fields["table_type"] = detail.table_type
        if detail.table_type == "View":
            fields.update(self._definition(dataset_id, item))
        if self._options.include_tags:
            if detail.tags is None:
                self._run.warn("its tags can't be read: no list", item)
            else:
                fields["tags"] = convert.tag_labels(detail, self._fit_tag)
        return fields

    def _columns(self, dataset_id: str, body: Json, item: str) -> Columns | None:
        """The columns; None where they could not be read."""
        schema = body.get("schema")
        raw = schema.get("columns") if isinstance(schema, dict) else None
        if not isinstance(raw, list):
            raw = self._queried(dataset_id, item)
            if raw is None:
                return None
        found = columns(raw, self._fit, self._descriptions(dataset_id, item))
        for wanted, name in found.changed:
            self._run.warn(f"column {_short(wanted)} is stored as {_short(name)}", item)
        return found

    def _queried(self, dataset_id: str, item: str) -> list[dict[str, str]] | None:
        """Federated datasets have no schema: one row tells names and types."""
        try:
            return queried_columns(self._public.query(dataset_id, ONE_ROW))
        except ItemError as error:
            self._run.problem(
                f"has no schema, and a query for its columns failed: {error.message}",
                item,
                hint="Its columns stay as they are in the target.",
            )
            return None

    def _descriptions(self, dataset_id: str, item: str) -> dict[str, str] | None:
        if not self._config.column_descriptions:
            return None
        answer = self._plane.ask(DESCRIPTIONS, lambda api: [api.dictionary(dataset_id)], item)
        return None if answer is None else dictionary_texts(answer)

    def _constraints(self, dataset_id: str, found: Columns | None) -> Json:
        """The key of an upsert, where all of its columns are there."""
        if not self._streams.is_upsert(dataset_id):
            return {"table_constraints": ()} if self._streams.complete else {}
        keys = self._streams.keys(dataset_id)
        if not keys or found is None or any(key not in found.stored for key in keys):
            return {}
        names = tuple(found.stored[key] for key in keys)
        return {"table_constraints": [{"constraint_type": "PRIMARY_KEY", "columns": names}]}

    def _facets(self, dataset_id: str, body: Json, detail: convert.Detail | None) -> Json:
        """One value a key, so either all that is configured was read, or none is set."""
        if not self._streams.complete or (self._with_instance and detail is None):
            return {}
        stream = self._streams.of(dataset_id)
        lasting = {
            "pdpEnabled": body.get("pdpEnabled"),
            "updateMethod": stream.method if stream else None,
            "provider": detail.provider if detail else None,
            "cloud": detail.cloud if detail else None,
        }
        passing = {
            "rows": body.get("rows"),
            "loadState": detail.state if detail else stream.state if stream else None,
            "cards": detail.cards if detail else None,
        }
        return {
            "facets": {"domo": _given(lasting)},
            "volatile_facets": {"domo": _given(passing)},
        }

    def _owners(self, dataset_id: str, body: Json, job: Job, item: str) -> Json:
        if not self._options.include_owners:
            return {}
        if job.detail is not None:
            owner = job.detail.owner
        elif "owner" in body:
            owner = convert.holder(body["owner"])
        else:
            return {}
        holders = [owner] if owner else []
        if self._config.co_owners:
            access = self._plane.ask(CO_OWNERS, lambda api: api.permissions(dataset_id), item)
            if access is None:
                return {}
            holders += convert.co_owners(access)
        owners = self._people.owners(holders, item)
        return {} if owners is None else {"owners": owners}

    def _definition(self, dataset_id: str, item: str) -> Json:
        """The SQL of a view; unset where the tree holds what the printer doesn't know."""
        schema = self._plane.ask(VIEW_SQL, lambda api: api.schema(dataset_id), item)
        if schema is None:
            return {}
        try:
            if schema.get("select"):
                return {"schema_definition": print_select(schema["select"])}
            if schema.get("views"):
                return {"schema_definition": print_fusion(schema["views"])}
        except UnknownNode as error:
            self._run.warn(f"its SQL is not known for certain ({str(error)!r}): left unset", item)
        return {}


def _call(load: Callable[[], None]) -> None:
    load()


def _chunks(entries: Iterable[tuple[Ref, Listed]], size: int) -> Iterator[list[tuple[Ref, Listed]]]:
    iterator = iter(entries)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _given(values: Json) -> Json:
    return {key: value for key, value in values.items() if value not in (None, "")}


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:57]}…")
