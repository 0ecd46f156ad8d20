"""Many entities in one call, and the removal of all but those seen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata import bodies, write
from metaglean_testkit.openmetadata.errors import Json, Refused, bad
from metaglean_testkit.openmetadata.kinds import Kind
from metaglean_testkit.openmetadata.names import join, normal

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.policy import Person
    from metaglean_testkit.openmetadata.world import World


def put(
    world: World, kind: Kind, items: Any, who: Person, query: dict[str, str]
) -> tuple[int, Json]:
    """`PUT /{collection}/bulk`. 200 even where every row failed. Raises `Refused` for the call."""
    if not isinstance(items, list):
        raise bad("Cannot deserialize value of type `java.util.ArrayList` from Object value")
    for item in items:  # one unknown key refuses the whole call: the list is read first
        world.models.check(f"Create{kind.model}", item)
    can_override = world.features.has("override_metadata")
    override = can_override and query.get("overrideMetadata") == "true"
    if query.get("async") == "true":
        return 202, _result([], [])
    names = Counter(_fqn(kind, item) for item in items)
    passed, failed = [], []
    for item in items:
        fqn = _fqn(kind, item)
        skip = names[fqn] == 1 and not override and _unchanged(world, kind, fqn, item)
        problem = None if skip else _one(world, kind, item, who, override=override)
        if problem is None:
            passed.append({"request": fqn, "status": 200})
        else:
            status, message, stored = problem
            request = fqn if stored else item
            failed.append({"request": request, "status": status, "message": message})
    return 200, _result(passed, failed)


def _fqn(kind: Kind, item: Json) -> str:
    parent = item.get(kind.parent) if kind.parent is not None else None
    try:
        return join(str(parent) if parent is not None else None, str(item.get("name")))
    except Refused:
        return str(item.get("name"))


def _unchanged(world: World, kind: Kind, fqn: str, item: Json) -> bool:
    if not world.features.has("hash_fast_path") or not item.get("sourceHash"):
        return False
    stored = world.state.find(kind.type, fqn)
    if stored is None or stored.deleted:
        return False
    return bool(stored.body.get("sourceHash") == item["sourceHash"])


def _one(
    world: World, kind: Kind, item: Json, who: Person, *, override: bool
) -> tuple[int, str, bool] | None:
    """The row's problem: status, message, and whether it came while storing."""
    try:
        bodies.complete(world, kind, item)
        built = bodies.build(world, kind, item, who)
        write.check_labels(world, built[0], existence=True)
    except Refused as problem:
        return 400 if problem.status != 403 else 403, problem.message, False
    try:
        write.store(world, kind, *built, who, override=override)
    except Refused as problem:
        stored = problem.status != 403
        return (400 if stored else 403), problem.message, stored
    return None


def _result(passed: list[Json], failed: list[Json]) -> Json:
    status = "success" if not failed else "partialSuccess" if passed else "failure"
    return {
        "dryRun": False,
        "status": status,
        "numberOfRowsProcessed": len(passed) + len(failed),
        "numberOfRowsPassed": len(passed),
        "numberOfRowsFailed": len(failed),
        "successRequest": passed,
        "failedRequest": failed,
    }


def delete_stale(world: World, kind: Kind, body: Any, who: Person) -> Json:
    """`DELETE /{collection}/deleteStale`: all below the scope that isn't named. `Refused` (400)."""
    needed = ("scopeFqn", "scopeEntityType", "seenFqns")
    absent = [key for key in needed if not isinstance(body, dict) or body.get(key) is None]
    if absent:
        raise bad(f"[{', '.join(f'{key} must not be null' for key in absent)}]")
    scope = body["scopeEntityType"]
    kinds: tuple[str, ...] = (scope,)
    if scope == "service":
        kinds = ("databaseService", "pipelineService", "dashboardService")
    found = [one for one in (world.state.find(k, body["scopeFqn"]) for k in kinds) if one]
    if not found or found[0].deleted or not body["seenFqns"]:
        return _result([], [])
    seen = {normal(name) for name in body["seenFqns"]}
    stale = [
        one
        for one in world.state.descendants(found[0], kind.type)
        if not one.deleted and normal(one.fqn) not in seen
    ]
    for record in () if body.get("dryRun") else stale:
        hard = bool(body.get("hardDelete"))
        recursive = bool(body.get("recursive", True))
        write.delete(world, record, who, recursive=recursive, hard=hard)
    return _result([{"request": one.fqn, "status": 200} for one in stale], [])
