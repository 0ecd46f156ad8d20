"""`/v1/datasets` of the public plane: listing, details, policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox.data import SORTS
from metaglean_domo_sandbox.model import Dataset
from metaglean_domo_sandbox.routing import (
    PUBLIC,
    Answer,
    Request,
    Response,
    Route,
    array,
    error,
    number,
    ok,
)
from metaglean_domo_sandbox.shapes import detail, listed, tombstone

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App

#: The most datasets of one page; above is 400.
PAGE = 50


def listing(app: App, request: Request) -> Response:
    """One page: a bare array, empty behind the end."""
    values = request.query()
    limit = number(values, "limit", PAGE, PAGE)
    offset = number(values, "offset", 0)
    sort = values.get("sort", "")
    if sort and (app.settings.refuse_sort or sort not in SORTS):
        return error(400, f"Unsupported sort: {sort}")
    ids = app.tenant.order(sort) if sort else _unsorted(app)
    wanted = values.get("nameLike", "").lower()
    if wanted:
        ids = [i for i in ids if wanted in app.tenant.datasets[i].name.lower()]
    page = (app.tenant.datasets[i] for i in ids[offset : offset + limit])
    return array(d.cached("listed", listed) for d in page)


def _unsorted(app: App) -> list[str]:
    """The default order is by name; see `Settings.shifting`."""
    ids = app.tenant.order("name")
    if not app.settings.shifting or not ids:
        return ids
    # As if, with each page, a dataset from the end were touched and came to the front.
    app.shifts += 1
    moved = app.shifts % len(ids)
    return ids[-moved:] + ids[:-moved] if moved else ids


def readable(app: App, dataset_id: str) -> Dataset:
    """The dataset; raises `Answer` where it is unknown, gone, deleted or not accessible."""
    dataset = app.tenant.datasets.get(dataset_id)
    gone = app.tenant.gone.get(dataset_id)
    if dataset is None or gone == "404":
        raise Answer(error(404, f"Dataset {dataset_id} not found"))
    if gone == "mark" or "deleted" in dataset.quirks:
        raise Answer(ok(dataset.cached("tombstone", tombstone)))
    if "no-access" in dataset.quirks:
        raise Answer(error(400, "Infrastructure problem (403): Access is denied"))
    return dataset


def one(app: App, _request: Request, dataset_id: str) -> Response:
    """One dataset with its schema."""
    return ok(readable(app, dataset_id).cached("detail", detail))


def policies(app: App, _request: Request, dataset_id: str) -> Response:
    """The row policies of a dataset: an array."""
    return ok(list(readable(app, dataset_id).policies))


def policy(app: App, _request: Request, dataset_id: str, policy_id: str) -> Response:
    """One policy."""
    for found in readable(app, dataset_id).policies:
        if str(found["id"]) == policy_id:
            return ok(found)
    return error(404, f"Policy {policy_id} not found")


ROUTES = (
    Route(PUBLIC, "GET", "/v1/datasets", "datasets", listing, "data"),
    Route(PUBLIC, "GET", "/v1/datasets/{}", "dataset", one, "data"),
    Route(PUBLIC, "GET", "/v1/datasets/{}/policies", "policies", policies, "data"),
    Route(PUBLIC, "GET", "/v1/datasets/{}/policies/{}", "policy", policy, "data"),
)
