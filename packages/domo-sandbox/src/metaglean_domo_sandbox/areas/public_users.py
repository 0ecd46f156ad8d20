"""`/v1/users` and `/v1/groups` of the public plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox.model import Group, Json, User
from metaglean_domo_sandbox.routing import PUBLIC, Request, Response, Route, error, number, ok

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App


def user_shape(user: User) -> Json:
    """A user; the keys of what he lacks are left out."""
    body: Json = {"id": user.id, "name": user.name, "role": user.role}
    if user.email is not None:
        body["email"] = user.email
    if user.title:
        body["title"] = user.title
    if user.deleted:
        body["deleted"] = True
    return body


def group_shape(group: Group) -> Json:
    """A group without its members."""
    members = len(group.members)
    return {"id": group.id, "name": group.name, "default": False, "memberCount": members}


def users(app: App, request: Request) -> Response:
    """One page of the users: a bare array."""
    values = request.query()
    limit, offset = number(values, "limit", 50, 500), number(values, "offset", 0)
    shown = [user_shape(u) for u in app.tenant.users.values() if u.listed]
    return ok(shown[offset : offset + limit])


def user(app: App, _request: Request, user_id: str) -> Response:
    """One user; 404 when he is gone."""
    found = app.tenant.users.get(int(user_id)) if user_id.isdigit() else None
    if found is None or not found.listed:
        return error(404, f"User {user_id} not found")
    return ok(user_shape(found))


def groups(app: App, request: Request) -> Response:
    """One page of the groups: a bare array."""
    values = request.query()
    limit, offset = number(values, "limit", 50, 500), number(values, "offset", 0)
    return ok([group_shape(g) for g in app.tenant.groups.values()][offset : offset + limit])


def _group(app: App, group_id: str) -> Group | None:
    return app.tenant.groups.get(int(group_id)) if group_id.isdigit() else None


def group(app: App, _request: Request, group_id: str) -> Response:
    """One group."""
    found = _group(app, group_id)
    return error(404, f"Group {group_id} not found") if found is None else ok(group_shape(found))


def members(app: App, request: Request, group_id: str) -> Response:
    """The ids of a group's users."""
    values = request.query()
    limit, offset = number(values, "limit", 50, 500), number(values, "offset", 0)
    found = _group(app, group_id)
    if found is None:
        return error(404, f"Group {group_id} not found")
    return ok(list(found.members[offset : offset + limit]))


ROUTES = (
    Route(PUBLIC, "GET", "/v1/users", "users", users, "user"),
    Route(PUBLIC, "GET", "/v1/users/{}", "user", user, "user"),
    Route(PUBLIC, "GET", "/v1/groups", "groups", groups, "user"),
    Route(PUBLIC, "GET", "/v1/groups/{}", "group", group, "user"),
    Route(PUBLIC, "GET", "/v1/groups/{}/users", "group-users", members, "user"),
)
