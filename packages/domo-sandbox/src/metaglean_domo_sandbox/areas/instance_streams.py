"""Streams on the instance plane: connector, query, update method, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox import instance_shapes as shapes
from metaglean_domo_sandbox.areas.instance_datasets import visible
from metaglean_domo_sandbox.model import Dataset
from metaglean_domo_sandbox.routing import INSTANCE, Request, Response, Route, array, error, ok

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App

#: The most ids of one bulk call; above is 400.
BULK = 50


def _find(app: App, stream_id: str) -> Dataset | None:
    dataset_id = app.tenant.stream_ids().get(int(stream_id) if stream_id.isdigit() else -1)
    return None if dataset_id is None else visible(app, dataset_id)


def bulk(app: App, request: Request) -> Response:
    """Streams of these ids: an array, in the order asked; unknown ones are dropped."""
    ids = [i for i in request.query().get("streamId", "").split(",") if i]
    if not ids or len(ids) > BULK:
        return error(400, f"streamId must name 1 to {BULK} streams")
    found = (_find(app, i.strip()) for i in ids)
    return array(d.cached("instance-stream", shapes.stream) for d in found if d is not None)


def one(app: App, _request: Request, stream_id: str) -> Response:
    """One stream."""
    dataset = _find(app, stream_id)
    if dataset is None:
        return error(404, "Not Found")
    return ok(dataset.cached("instance-stream", shapes.stream))


ROUTES = (
    Route(INSTANCE, "GET", "/api/data/v1/streams/bulk", "streams-bulk", bulk),
    Route(INSTANCE, "GET", "/api/data/v1/streams/{}", "instance-stream", one),
)
