"""`/v1/streams` of the public plane: update method and load state of many datasets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox.model import Dataset, Json
from metaglean_domo_sandbox.routing import (
    PUBLIC,
    Request,
    Response,
    Route,
    array,
    error,
    number,
    ok,
)
from metaglean_domo_sandbox.shapes import iso, listed

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App


def shape(dataset: Dataset) -> Json:
    """The stream of this dataset, with `fields=all`."""
    stream = dataset.stream
    if stream is None:
        return {}
    run: Json = {
        "id": stream.id * 10,
        "startedAt": iso(dataset.updated - 60_000),
        "endedAt": iso(dataset.updated),
        "currentState": dataset.state,
        "createdAt": iso(dataset.updated - 60_000),
        "modifiedAt": iso(dataset.updated),
        "updateMethod": stream.update_method,
    }
    body: Json = {
        "id": stream.id,
        "dataSet": listed(dataset),
        "updateMethod": stream.update_method,
        "lastExecution": run,
        "createdAt": iso(dataset.created),
        "modifiedAt": iso(dataset.updated),
    }
    if dataset.state == "SUCCESS":
        body["lastSuccessfulExecution"] = run
    return body


def brief(dataset: Dataset) -> Json:
    """The stream without `fields=all` (what is left out then is a guess)."""
    full = shape(dataset)
    return {k: full[k] for k in ("id", "updateMethod", "createdAt", "modifiedAt")}


def listing(app: App, request: Request) -> Response:
    """One page: a bare array, in order of id."""
    values = request.query()
    limit, offset = number(values, "limit", 50, 500), number(values, "offset", 0)
    kind, build = ("stream", shape) if values.get("fields") == "all" else ("stream-brief", brief)
    ids = list(app.tenant.stream_ids().values())[offset : offset + limit]
    return array(app.tenant.datasets[i].cached(kind, build) for i in ids)


def one(app: App, _request: Request, stream_id: str) -> Response:
    """One stream."""
    dataset_id = app.tenant.stream_ids().get(int(stream_id) if stream_id.isdigit() else -1)
    if dataset_id is None:
        return error(404, f"Stream {stream_id} not found")
    return ok(app.tenant.datasets[dataset_id].cached("stream", shape))


ROUTES = (
    Route(PUBLIC, "GET", "/v1/streams", "streams", listing, "data"),
    Route(PUBLIC, "GET", "/v1/streams/{}", "stream", one, "data"),
)
