"""Statuses: runs of pipelines, and of the ingestion itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata.errors import Json, bad, missing, unmapped
from metaglean_testkit.openmetadata.store import Record

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.policy import Person
    from metaglean_testkit.openmetadata.world import World


def put_status(world: World, record: Record, body: Any, *, bulk: bool = False) -> Json:
    """Store one run of a pipeline; the same timestamp replaces. Raises `Refused`."""
    world.models.check("PipelineStatus", body)
    absent = [key for key in ("timestamp", "executionStatus") if body.get(key) is None]
    if absent:
        raise bad(f"[{', '.join(f'{key} must not be null' for key in absent)}]")
    tasks = body.get("taskStatus")
    if tasks is None and not bulk:
        raise unmapped(
            'Cannot invoke "java.util.List.iterator()" because the return value of '
            '"org.openmetadata.schema.entity.data.PipelineStatus.getTaskStatus()" is null'
        )
    known = record.body.get("tasks")
    for task in tasks or ():
        if known is None:
            raise unmapped(
                'Cannot invoke "java.util.List.stream()" because the return value of '
                '"org.openmetadata.schema.entity.data.Pipeline.getTasks()" is null'
            )
        if task["name"] not in {one["name"] for one in known}:
            raise bad(f"Invalid task name {task['name']}")
    world.state.statuses.setdefault(record.fqn, {})[body["timestamp"]] = body
    answer = world.views.entity(record, frozenset({"tasks"}))
    answer.pop("href", None)
    return {**answer, "pipelineStatus": body}


def statuses(world: World, record: Record, query: dict[str, str]) -> Json:
    """The runs between two timestamps (milliseconds), newest first."""
    first, last = query.get("startTs", "0"), query.get("endTs", str(2**62))
    stored = world.state.statuses.get(record.fqn, {})
    data = [stored[at] for at in sorted(stored, reverse=True) if int(first) <= at <= int(last)]
    cursors = [base64.b64encode(one.encode()).decode() for one in (first, last)]
    return {
        "data": data,
        "paging": {"before": cursors[0], "after": cursors[1], "total": len(data)},
    }


def put_run(world: World, record: Record, body: Any, who: Person) -> Json:
    """Store a status of an ingestion pipeline's run; the same run replaces. Raises `Refused`."""
    world.models.check("IngestionPipelineStatus", body)
    run = body.get("runId")
    stored = world.state.runs.setdefault(record.fqn, {})
    old = stored.get(str(run))
    stored[str(run)] = body
    version = record.body["version"]
    change: Json = {"name": "pipelineStatus", "newValue": body}
    if old is not None:
        change["oldValue"] = old
    return {
        "eventType": "entityUpdated",
        "entityType": record.kind,
        "entityId": record.id,
        "entityFullyQualifiedName": record.fqn,
        "previousVersion": version,
        "currentVersion": version,
        "userName": who.name,
        "timestamp": world.state.now(),
        "changeDescription": {
            "fieldsAdded": [],
            "fieldsUpdated": [change],
            "fieldsDeleted": [],
            "previousVersion": version,
        },
        "entity": {**record.body, "href": world.views.href(record)},
    }


def run_of(world: World, record: Record, run: str) -> Json | None:
    """A run's status; `None` for one that isn't there (204)."""
    return world.state.runs.get(record.fqn, {}).get(run)


def pipeline(world: World, kind: str, fqn: str) -> Record:
    """A live pipeline by name. Raises `Refused` (404)."""
    found = world.state.find(kind, fqn)
    if found is None or found.deleted:
        raise missing(kind, fqn)
    return found
