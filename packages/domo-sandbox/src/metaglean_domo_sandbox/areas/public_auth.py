"""`/oauth/token` of the public plane."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from metaglean_domo_sandbox.routing import PUBLIC, Request, Response, Route, error, ok

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App


def token(app: App, request: Request) -> Response:
    """A token for the asked scopes, or for all that the client owns."""
    if _basic(request) != (app.settings.client_id, app.settings.client_secret):
        return error(401, "Bad credentials")
    asked = request.query() if request.method == "GET" else _form(request)
    if asked.get("grant_type") != "client_credentials":
        return error(400, "Unsupported grant type")
    wanted = frozenset(asked.get("scope", "").split()) or app.settings.scopes
    scopes = wanted & app.settings.scopes
    issued = app.issue(scopes)
    return ok(
        {
            "access_token": issued,
            "token_type": "bearer",
            "expires_in": app.settings.expires_in,
            "scope": " ".join(sorted(scopes)),
            "customer": app.tenant.customer,
            "userId": 101,
            "role": "Admin",
            "jti": issued[-16:],
        }
    )


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if kind.lower() == "basic" and colon else None


def _form(request: Request) -> dict[str, str]:
    values = parse_qs(request.body.decode("utf-8", "replace"))
    return {**request.query(), **{k: v[-1] for k, v in values.items()}}


ROUTES = (
    Route(PUBLIC, "POST", "/oauth/token", "token", token),
    Route(PUBLIC, "GET", "/oauth/token", "token", token),
)
