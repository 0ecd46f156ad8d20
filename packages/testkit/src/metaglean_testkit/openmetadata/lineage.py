"""Edges between entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata.errors import Json, Refused, bad, missing
from metaglean_testkit.openmetadata.store import Record, column_names

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.world import World


def put(world: World, body: Any, who: str) -> None:
    """Store an edge, in place of the one that the pair had. Raises `Refused`."""
    world.models.check("AddLineage", body)
    edge = body.get("edge")
    if edge is None:
        raise bad("[edge must not be null]")
    absent = [key for key in ("fromEntity", "toEntity") if edge.get(key) is None]
    if absent:
        raise bad(f"[{', '.join(f'{key} must not be null' for key in absent)}]")
    origin, target = (_live(world, edge[key]) for key in ("fromEntity", "toEntity"))
    details = _details(world, edge.get("lineageDetails"), origin, target, who)
    world.state.edges[origin.id, target.id] = {
        **({"description": edge["description"]} if edge.get("description") else {}),
        **({"lineageDetails": details} if details is not None else {}),
    }


def put_by_name(world: World, path: list[str], details: Any, who: str) -> None:
    """Store an edge whose ends are named: `table/name/a/table/name/b`. Raises `Refused`."""
    ends = []
    for kind, fqn in ((path[0], path[2]), (path[3], path[5])):
        found = world.state.find(kind, fqn)
        if found is None or found.deleted:
            raise missing(kind, fqn)
        ends.append({"id": found.id, "type": kind})
    edge = {"fromEntity": ends[0], "toEntity": ends[1], "lineageDetails": details or {}}
    put(world, {"edge": edge}, who)


def edge_of(world: World, first: str, second: str) -> Json:
    """The details of the edge between two ids. Raises `Refused` (404)."""
    found = world.state.edges.get((first, second))
    if found is None:
        raise Refused(404, "Lineage edge not found")
    return {"edge": found.get("lineageDetails", {})}


def _live(world: World, reference: Json) -> Record:
    kind, key = str(reference.get("type")), str(reference.get("id"))
    found = world.state.get(kind, key)
    if found is None or (found.deleted and world.features.has("lineage_needs_live_ends")):
        raise missing(kind, key)
    return found


def _details(
    world: World, details: Json | None, origin: Record, target: Record, who: str
) -> Json | None:
    if details is None:
        return None
    known = world.models.keys("LineageDetails")
    kept = {key: value for key, value in details.items() if known is None or key in known}
    kept = {key: value for key, value in kept.items() if value is not None}
    has_source = world.models.has("LineageDetails", "source")
    if has_source:
        kept.setdefault("source", "Manual")
    if kept.get("columnsLineage"):
        _columns(kept["columnsLineage"], origin, target)
    if kept.get("pipeline"):
        pipeline = _live(world, {"type": "pipeline", **kept["pipeline"]})
        kept["pipeline"] = world.views.reference(pipeline, linked=False)
    if world.models.has("LineageDetails", "createdAt"):
        stamp = world.state.now()
        kept |= {"createdAt": stamp, "createdBy": who, "updatedAt": stamp, "updatedBy": who}
    return kept


def _columns(items: list[Json], origin: Record, target: Record) -> None:
    if origin.kind != "table" or target.kind not in {"table", "dashboardDataModel"}:
        raise bad("Column level lineage is only allowed between two tables or from table to "
                  "dashboard.")  # fmt: skip
    sources = set(column_names(origin.body.get("columns")))
    targets = set(column_names(target.body.get("columns")))
    for one in items:
        for name in one.get("fromColumns") or ():
            if name not in sources:
                raise bad(f"Invalid fully qualified column name {name}")
        if one.get("toColumn") not in targets:
            raise bad(f"Invalid fully qualified column name {one.get('toColumn')}")


def read(world: World, record: Record, query: dict[str, str]) -> Json:
    """The graph around an entity. Depths as in the query, 1 without."""
    up = min(int(query.get("upstreamDepth", "1")), 3)
    down = min(int(query.get("downstreamDepth", "1")), 3)
    nodes: dict[str, Record] = {}
    upstream = _walk(world, record, up, nodes, forward=False)
    downstream = _walk(world, record, down, nodes, forward=True)
    return {
        "entity": world.views.reference(record),
        "nodes": [world.views.reference(one) for one in nodes.values() if one is not record],
        "upstreamEdges": upstream,
        "downstreamEdges": downstream,
    }


def _walk(
    world: World, start: Record, depth: int, nodes: dict[str, Record], *, forward: bool
) -> list[Json]:
    found: list[Json] = []
    level, seen = [start.id], {start.id}
    for _ in range(depth):
        following = []
        for (origin, target), edge in world.state.edges.items():
            near, far = (origin, target) if forward else (target, origin)
            if near not in level:
                continue
            other = world.state.records[far]
            if other.deleted and world.features.has("lineage_needs_live_ends"):
                continue
            nodes[far] = other
            found.append({"fromEntity": origin, "toEntity": target, **edge})
            if far not in seen:
                seen.add(far)
                following.append(far)
        level = following
    return found


def delete(world: World, path: list[str]) -> None:
    """Remove the edge `table/id/table/id`. Raises `Refused`."""
    origin = _live(world, {"type": path[0], "id": path[1]})
    target = _live(world, {"type": path[2], "id": path[3]})
    if world.state.edges.pop((origin.id, target.id), None) is None:
        raise Refused(404, "Lineage edge not found")
