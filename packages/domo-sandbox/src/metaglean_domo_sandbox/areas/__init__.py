"""One module an area of the API, each with its own routes."""

from __future__ import annotations

from metaglean_domo_sandbox.areas import (
    instance_datasets,
    instance_flows,
    instance_streams,
    public_auth,
    public_datasets,
    public_streams,
    public_users,
    query,
)
from metaglean_domo_sandbox.routing import Route

ROUTES: tuple[Route, ...] = (
    *public_auth.ROUTES,
    *public_datasets.ROUTES,
    *public_streams.ROUTES,
    *public_users.ROUTES,
    *query.ROUTES,
    *instance_datasets.ROUTES,
    *instance_streams.ROUTES,
    *instance_flows.ROUTES,
)
