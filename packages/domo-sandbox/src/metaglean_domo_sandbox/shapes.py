"""How a dataset looks on the public plane."""

from __future__ import annotations

import datetime as dt

from metaglean_domo_sandbox.model import Dataset, Json


def iso(milliseconds: int) -> str:
    """ISO-8601 with `Z`; with milliseconds only where there are some."""
    seconds, rest = divmod(milliseconds, 1000)
    moment = dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


def listed(dataset: Dataset) -> Json:
    """An item of the listing: no schema; `short-list-item` has only what is documented."""
    item: Json = {"id": dataset.id, "name": dataset.name}
    if dataset.description is not None:
        item["description"] = dataset.description
    if "no-rows" not in dataset.quirks:
        item["rows"] = dataset.rows
        item["columns"] = len(dataset.columns or ()) or dataset.column_count
    item["createdAt"], item["updatedAt"] = iso(dataset.created), iso(dataset.updated)
    if "short-list-item" in dataset.quirks:
        return item
    if dataset.owner is not None:
        identifier: int | str = dataset.owner.id
        if "string-owner" in dataset.quirks:
            identifier = str(identifier)
        item["owner"] = {"id": identifier, "name": dataset.owner.name}
    item["dataCurrentAt"] = iso(dataset.updated)
    item["pdpEnabled"] = dataset.pdp
    return item


def detail(dataset: Dataset) -> Json:
    """The whole dataset; of a federated one the schema is null."""
    body = listed(dataset)
    if "no-schema" in dataset.quirks:
        body["schema"] = None
        body["columns"] = 0
    else:
        columns = dataset.all_columns()
        body["schema"] = {"columns": [{"type": c.type, "name": c.name} for c in columns]}
    if dataset.policies:
        body["policies"] = list(dataset.policies)
    return body


def tombstone(dataset: Dataset) -> Json:
    """What is left of a deleted one; the status is 200."""
    return {"id": dataset.id, "name": dataset.name, "deleted": True}
