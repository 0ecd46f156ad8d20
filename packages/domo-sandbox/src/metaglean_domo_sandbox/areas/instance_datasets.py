"""Datasets on the instance plane: bulk details, permissions, schemas, data dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox import instance_shapes as shapes
from metaglean_domo_sandbox.model import Dataset
from metaglean_domo_sandbox.routing import (
    INSTANCE,
    Answer,
    Request,
    Response,
    Route,
    array,
    error,
    json_body,
    number,
    ok,
)

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App

#: The most ids of one bulk call; above is 400 (public tools send 50 to 100).
BULK = 100


def visible(app: App, dataset_id: str) -> Dataset | None:
    """The dataset, or `None` where it is unknown, gone, deleted or not accessible."""
    dataset = app.tenant.find(dataset_id)
    if dataset is None or dataset.quirks & {"deleted", "no-access"}:
        return None
    return dataset


def _one(app: App, dataset_id: str) -> Dataset:
    dataset = app.tenant.find(dataset_id)
    if dataset is None or "deleted" in dataset.quirks:
        raise Answer(error(404, "Not Found"))
    if "no-access" in dataset.quirks:
        raise Answer(error(403, "Access denied"))
    return dataset


def bulk(app: App, request: Request) -> Response:
    """Details of many; ids that the user may not see or that don't exist are silently dropped."""
    ids = json_body(request)
    if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids) or len(ids) > BULK:
        return error(400, f"The body must be an array of at most {BULK} ids")
    found = (visible(app, i) for i in dict.fromkeys(ids))
    parts = (d.cached("instance", shapes.detail) for d in found if d is not None)
    return array(parts, b'{"dataSources":', b"}")


def listing(app: App, request: Request) -> Response:
    """One page of all datasets, with their number."""
    values = request.query()
    limit, offset = number(values, "limit", 50, BULK), number(values, "offset", 0)
    shown = [d for d in app.tenant.live() if "no-access" not in d.quirks]
    parts = (d.cached("instance", shapes.detail) for d in shown[offset : offset + limit])
    total = f',"_metadata":{{"totalCount":{len(shown)}}}}}'
    return array(parts, b'{"dataSources":', total.encode())


def one(app: App, _request: Request, dataset_id: str) -> Response:
    """Details of one."""
    return ok(_one(app, dataset_id).cached("instance", shapes.detail))


def permissions(app: App, _request: Request, dataset_id: str) -> Response:
    """Owner and co-owners of one."""
    return ok(shapes.permissions(_one(app, dataset_id)))


def indexed(app: App, _request: Request, dataset_id: str) -> Response:
    """Columns, and of views the syntax tree."""
    return ok(_one(app, dataset_id).cached("indexed", shapes.indexed))


def latest(app: App, _request: Request, dataset_id: str) -> Response:
    """The newest schema, with labels and upsert keys."""
    return ok(_one(app, dataset_id).cached("latest", shapes.latest_schema))


def dictionary(app: App, _request: Request, dataset_id: str) -> Response:
    """The data dictionary; 404 where there is none."""
    dataset = _one(app, dataset_id)
    return error(404, "Not Found") if not dataset.dictionary else ok(shapes.dictionary(dataset))


def fusion(app: App, _request: Request, dataset_id: str) -> Response:
    """The native form of a fusion; 404 for other datasets."""
    dataset = _one(app, dataset_id)
    return error(404, "Not Found") if dataset.fusion is None else ok(shapes.fusion(dataset))


_V3 = "/api/data/v3/datasources"
ROUTES = (
    Route(INSTANCE, "POST", f"{_V3}/bulk", "bulk", bulk),
    Route(INSTANCE, "GET", _V3, "instance-datasets", listing),
    Route(INSTANCE, "GET", f"{_V3}/{{}}", "instance-dataset", one),
    Route(INSTANCE, "GET", f"{_V3}/{{}}/permissions", "permissions", permissions),
    Route(INSTANCE, "GET", "/api/query/v1/datasources/{}/schema/indexed", "indexed", indexed),
    Route(INSTANCE, "GET", "/api/data/v2/datasources/{}/schemas/latest", "latest-schema", latest),
    Route(
        INSTANCE,
        "GET",
        "/api/ai/readiness/v1/data-dictionary/dataset/{}",
        "dictionary",
        dictionary,
    ),
    Route(INSTANCE, "GET", "/api/query/v1/fusions/{}", "fusion", fusion),
)
