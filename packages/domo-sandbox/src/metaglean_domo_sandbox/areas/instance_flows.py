"""DataFlows and the token's own user on the instance plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox.routing import INSTANCE, Request, Response, Route, ok

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App


def flows(app: App, _request: Request) -> Response:
    """All flows at once, without their actions."""
    return ok(app.tenant.flows)


def me(app: App, _request: Request) -> Response:
    """The user to whom the developer token belongs: the cheap check of a token."""
    user = app.tenant.users.get(101) or next(iter(app.tenant.users.values()), None)
    number, name, mail = (user.id, user.name, user.email) if user else (1, "Sandbox", None)
    return ok(
        {
            "id": number,
            "displayName": name,
            "userName": mail,
            "emailAddress": mail,
            "userType": "USER",
            "active": True,
        }
    )


ROUTES = (
    Route(INSTANCE, "GET", "/api/dataprocessing/v1/dataflows", "flows", flows),
    Route(INSTANCE, "GET", "/api/content/v2/users/me", "me", me),
)
