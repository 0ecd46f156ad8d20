"""Listings: filters, fields, pages."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaglean_testkit.openmetadata.errors import Json, bad, unmapped
from metaglean_testkit.openmetadata.kinds import Kind
from metaglean_testkit.openmetadata.store import Record

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.policy import Person
    from metaglean_testkit.openmetadata.world import World

_MOST = 1_000_000
_INCLUDES = ("all", "deleted", "non-deleted")
_ANCESTOR = {"parent": ("classification", "tag")}


@dataclass(frozen=True)
class Page:
    """One page's place."""

    limit: int
    before: str | None
    after: str | None

    @classmethod
    def of(cls, query: dict[str, str]) -> Page:
        """From the query. Raises `Refused`."""
        text = query.get("limit", "10")
        if not text.lstrip("-").isdigit():
            raise unmapped("HTTP 404 Not Found")
        limit = int(text)
        if limit > _MOST:
            raise bad(f"[query param limit must be less than or equal to {_MOST}]")
        if limit < 0:
            raise bad("[query param limit must be greater than or equal to 0]")
        if "before" in query and "after" in query:
            raise bad("Only one of before or after query parameter allowed")
        return cls(limit, query.get("before"), query.get("after"))


def fields_of(world: World, kind: Kind, query: dict[str, str]) -> frozenset[str]:
    """The fields asked for. Raises `Refused` (400) for one that the model doesn't have."""
    names = frozenset(name for name in query.get("fields", "").split(",") if name)
    known = world.models.keys(kind.model)
    for name in sorted(names - {"*"}):
        if known is not None and name not in known:
            raise bad(f"Invalid field name {name}")
    return names


def include_of(query: dict[str, str]) -> str:
    """Which of live and deleted. Raises `Refused` (400)."""
    include = query.get("include", "non-deleted")
    if include not in _INCLUDES:
        raise bad("query param include must be one of [all, deleted, non-deleted]")
    return include


def visible(record: Record, include: str) -> bool:
    """Whether `include` has it."""
    return include == "all" or record.deleted == (include == "deleted")


def listing(world: World, kind: Kind, query: dict[str, str], who: Person) -> Json:
    """One page. Raises `Refused`."""
    world.policy.require(who, "ViewAll", kind.type)
    fields, include, page = fields_of(world, kind, query), include_of(query), Page.of(query)
    found = [one for one in _scope(world, kind, query) if visible(one, include)]
    found = [one for one in found if _flags(one, query)]
    stable = world.features.has("stable_cursor")
    found.sort(key=_by_name_and_id if stable else _by_name)
    shown, before, after = _cut(found, page, stable=stable)
    masked = not who.bot
    paging: Json = {"total": len(found)}
    if before is not None:
        paging["before"] = before
    if after is not None:
        paging["after"] = after
    data = [world.views.entity(one, fields, masked=masked) for one in shown]
    return {"data": data, "paging": paging}


def _by_name(record: Record) -> tuple[str, str]:
    return str(record.body["name"]), ""


def _by_name_and_id(record: Record) -> tuple[str, str]:
    return str(record.body["name"]), record.id


def _scope(world: World, kind: Kind, query: dict[str, str]) -> list[Record]:
    for name in kind.filters:
        if name not in query:
            continue
        kinds = _ANCESTOR.get(name) or ((name,) if name != "service" else kind.parents)
        if kind.type in {"table", "ingestionPipeline"} and name == "service":
            kinds = ("databaseService", "pipelineService", "dashboardService")
        parents = [one for one in (world.state.find(k, query[name]) for k in kinds) if one]
        return [one for parent in parents for one in world.state.descendants(parent, kind.type)]
    return world.state.all(kind.type)


def _flags(record: Record, query: dict[str, str]) -> bool:
    if record.kind != "user":
        return True
    for key, name in (("isBot", "isBot"), ("isAdmin", "isAdmin")):
        if key in query and bool(record.body.get(name)) != (query[key] == "true"):
            return False
    return True


def _cut(
    found: list[Record], page: Page, *, stable: bool
) -> tuple[list[Record], str | None, str | None]:
    key = _by_name_and_id if stable else _by_name
    if page.limit == 0:
        return [], None, None
    if page.before is not None:
        mark = _decode(page.before, stable=stable)
        earlier = [one for one in found if key(one) < mark]
        shown = earlier[-page.limit :]
        more_before, more_after = len(earlier) > len(shown), True
    else:
        start = None if page.after is None else _decode(page.after, stable=stable)
        # Below 1.10 the key is the name alone: equal names at the edge of a page are skipped.
        later = found if start is None else [one for one in found if key(one) > start]
        shown = later[: page.limit]
        more_before, more_after = page.after is not None, len(later) > len(shown)
    if not shown and page.after is not None and not stable:
        raise unmapped("Index 0 out of bounds for length 0")
    before = _encode(shown[0], stable=stable) if shown and more_before else None
    after = _encode(shown[-1], stable=stable) if shown and more_after else None
    return shown, before, after


def _encode(record: Record, *, stable: bool) -> str:
    name = str(record.body["name"])
    text = json.dumps({"name": name, "id": record.id}) if stable else name
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decode(cursor: str, *, stable: bool) -> tuple[str, str]:
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
        if not stable:
            return text, ""
        found = json.loads(text)
        return str(found["name"]), str(found["id"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise unmapped("Illegal base64 character") from None
