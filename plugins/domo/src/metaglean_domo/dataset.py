"""One dataset: its own calls, and the table that everything known of it makes."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from metaglean import ItemError, LifeCycle, Listed, Ref, Run, Table
from metaglean_domo import convert
from metaglean_domo.api import Json, PublicApi
from metaglean_domo.columns import Columns, columns, dictionary_texts, queried_columns
from metaglean_domo.config import DomoConnection, DomoDatabaseOptions
from metaglean_domo.enrich import CO_OWNERS, DESCRIPTIONS, VIEW_SQL, InstancePlane, Streams
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


class DatasetReader:
    """Reads single datasets, on any thread. A field that was not read is not set on the table."""

    def __init__(
        self,
        run: Run,
        config: DomoConnection,
        options: DomoDatabaseOptions,
        public: PublicApi,
        plane: InstancePlane,
        streams: Streams,
        people: Directory,
        link: str | None,
    ) -> None:
        self._run = run
        self._config = config
        self._options = options
        self._public = public
        self._plane = plane
        self._streams = streams
        self._people = people
        self._link = link
        self._fit = partial(run.names.fit, "column")
        self._fit_tag = partial(run.names.fit, "tag")

    def read(self, job: Job) -> tuple[Table, list[str]]:
        """The table, and what is to be said about it."""
        dataset_id, item = job.listed.id, str(job.ref)
        notes: list[str] = []
        body = self._public.dataset(dataset_id)
        found = self._columns(dataset_id, body, item, notes)
        fields: dict[str, Any] = {
            "ref": job.ref,
            "source_id": dataset_id,
            "display_name": str(body.get("name") or job.listed.name),
            "description": str(body.get("description") or "") or None,
        }
        fields.update(_life_cycle(body, job.listed))
        if self._link:
            fields["source_url"] = f"{self._link}/datasources/{dataset_id}/details/overview"
        if found is not None:
            fields["columns"] = found.items
        fields.update(self._constraints(dataset_id, found))
        fields.update(self._facets(dataset_id, body, job.detail))
        fields.update(self._owners(job, body, item, notes))
        if job.detail:
            fields.update(self._from_detail(dataset_id, job.detail, item, notes))
        elif job.asked:
            notes.append(
                "the access token's user doesn't see it: what only the instance tells stays as it "
                "is in the target"
            )
        return Table.model_validate(fields), notes

    def _from_detail(
        self, dataset_id: str, detail: convert.Detail, item: str, notes: list[str]
    ) -> Json:
        fields: Json = {}
        if detail.table_type:
            fields["table_type"] = detail.table_type
        if detail.table_type == "View":
            fields.update(self._definition(dataset_id, item, notes))
        if self._options.include_tags:
            if detail.tags is None:
                notes.append("its tags can't be read: no list")
            else:
                fields["tags"] = convert.tag_labels(detail, self._fit_tag)
        return fields

    def _columns(self, dataset_id: str, body: Json, item: str, notes: list[str]) -> Columns | None:
        """The columns; None where they could not be read."""
        schema = body.get("schema")
        raw = schema.get("columns") if isinstance(schema, dict) else None
        if not isinstance(raw, list):
            raw = self._queried(dataset_id, item)
            if raw is None:
                return None
        found = columns(raw, self._fit, self._descriptions(dataset_id, item))
        for wanted, name in found.changed:
            notes.append(f"column {_short(wanted)} is stored as {_short(name)}")
        return found

    def _queried(self, dataset_id: str, item: str) -> list[dict[str, str]] | None:
        """Federated datasets have no schema: one row tells names and types."""
        try:
            found = queried_columns(self._public.query(dataset_id, ONE_ROW))
            failure = "" if found else "it told no columns"
        except ItemError as error:
            found, failure = [], error.message
        if found:
            return found
        self._run.problem(
            f"has no schema, and a query for its columns failed: {failure}",
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
        """One key for each call that tells it: a call that failed leaves its own as they stand."""
        lasting = {"domo.dataset": _given({"pdpEnabled": body.get("pdpEnabled")})}
        passing = {"domo.dataset": _given({"rows": body.get("rows")})}
        if self._streams.complete:
            stream = self._streams.of(dataset_id)
            lasting["domo.stream"] = _given({"updateMethod": stream.method if stream else None})
            passing["domo.stream"] = _given({"loadState": stream.state if stream else None})
        if detail:
            lasting["domo.instance"] = _given({"provider": detail.provider, "cloud": detail.cloud})
            passing["domo.instance"] = _given({"loadState": detail.state, "cards": detail.cards})
        return {"facets": lasting, "volatile_facets": passing}

    def _owners(self, job: Job, body: Json, item: str, notes: list[str]) -> Json:
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
            access = self._plane.ask(CO_OWNERS, lambda api: api.permissions(job.listed.id), item)
            if access is None:
                return {}
            holders += convert.co_owners(access)
        owners = self._people.owners(holders, notes)
        return {} if owners is None else {"owners": owners}

    def _definition(self, dataset_id: str, item: str, notes: list[str]) -> Json:
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
            notes.append(f"its SQL is not known for certain ({str(error)!r}): left unset")
        return {}


def _life_cycle(body: Json, listed: Listed) -> Json:
    created = convert.milliseconds(body.get("createdAt"))
    updated = convert.milliseconds(body.get("updatedAt"))
    if created is None and listed.created is not None:
        created = round(listed.created * 1000)
    if created is None and updated is None:
        return {}
    return {"life_cycle": LifeCycle(created=created, updated=updated)}


def _given(values: Json) -> Json:
    return {key: value for key, value in values.items() if value not in (None, "")}


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:57]}…")
