"""What this sink assumes of servers, and how it is tested in a scratch service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metaglean import Assumption, Step
from metaglean.builtin.server.client import Json, Pages, Server, by_name
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.builtin.server.wire import KINDS
from metaglean.errors import ItemError, NotFound
from metaglean.fqn import decode
from metaglean.records import Ref

if TYPE_CHECKING:
    from metaglean import Run
    from metaglean.builtin.server.assembly import Assembly

_SERVICE = "databaseService"

ASSUMPTIONS = (
    Assumption("server version", "The server is of a version whose behaviour was proved."),
    Assumption(
        "server pages",
        "A listing in small pages gives each entity once, whatever the characters of its name.",
    ),
    Assumption(
        "server not found",
        "What isn't there is answered 404, also through proxies and gateways.",
    ),
    Assumption(
        "server history",
        "The versions of an entity can be read, and name the token's user as the writer.",
    ),
    Assumption(
        "server people",
        "Descriptions, owners and tags that a person writes in the server's pages survive a run.",
    ),
)


def services(server: Server, prefix: str) -> Iterator[tuple[Ref, str]]:
    """Database services whose name begins so, with their descriptions, soft-deleted ones too. A
    name that the server can't hold is its display name."""
    for entity in server.listing(KINDS[_SERVICE].collection, include="all"):
        names = (str(entity.get("displayName") or ""), decode(str(entity.get("name"))))
        name = next((one for one in names if one.startswith(prefix)), None)
        if name is not None:
            yield Ref(_SERVICE, (name,)), str(entity.get("description") or "")


def discard(server: Server, service: Ref) -> None:
    """Delete a service for good, with all below it."""
    collection = KINDS[service.kind].collection
    entity = server.named(collection, QualifiedNames(ServerNames(server.features))(service))
    if entity is not None:
        server.delete(f"{collection}/{entity['id']}", recursive=True, hardDelete=True)


def selfcheck(at: Assembly, run: Run) -> Iterator[Step]:
    """One step an assumption; the sample's tables stand in `run.service`."""
    assumed = at.server.features.assumed()
    found = f"{assumed.version}, taken for {assumed.like}" if assumed else ""
    yield Step("server version", assumed is None, found)
    scope = _scope(at, run.service)
    if scope is None:
        yield Step("server pages", None, "no sample stands")
        yield Step("server history", None, "no sample stands")
    else:
        yield _pages(at, scope)
        yield _history(at, scope)
    yield _not_found(at.server)
    yield Step("server people", None, "a bot can't write as a person: try it by hand")


def _scope(at: Assembly, service: Ref) -> Ref | None:
    """The sample's schema."""
    for database in at.existing("database", service):
        for schema in at.existing("databaseSchema", database.ref):
            return schema.ref
    return None


def _pages(at: Assembly, scope: Ref) -> Step:
    params: Json = {"databaseSchema": at.qualified(scope), "include": "all"}
    whole = [one["id"] for one in at.server.listing("tables", **params)]
    small = [one["id"] for one in at.server.listing("tables", Pages(None, 2, 1), **params)]
    same = len(small) == len(set(small)) and set(small) == set(whole)
    detail = f"pages of one gave {len(set(small))} of {len(whole)}, {len(small)} in all"
    return Step("server pages", same, "" if same else detail)


def _history(at: Assembly, scope: Ref) -> Step:
    name = "server history"
    if not at.policy.texts:
        return Step(name, None, "the token is a person's")
    for entity in at.existing("table", scope):
        written = at.last_written(entity)
        if written:
            return Step(name, ok=True)
        reason = "they can't be read" if written is None else "they name no bot as the writer"
        return Step(name, ok=False, detail=reason)
    return Step(name, None, "no sample stands")


def _not_found(server: Server) -> Step:
    name = "server not found"
    try:
        server.get(f"tables/{by_name('metaglean.selfcheck.is.not.there')}")
    except NotFound:
        return Step(name, ok=True)
    except ItemError as error:
        return Step(name, ok=False, detail=f"answered {error.status}")
    return Step(name, ok=False, detail="answered as if it were there")
