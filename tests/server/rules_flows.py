"""What a 1.2 server does with pipelines, runs and lineage; and what breaks it."""

from __future__ import annotations

from typing import Any

from tests.server.rulebook import GONE, Step, rule
from tests.server.rulewords import (
    FULL,
    ONE,
    TIER1,
    TIER2,
    TWO,
    body,
    get,
    label,
    make,
    op,
    patch,
    put,
    remove,
    table,
)

_P = {"name": "{t}", "service": "{pipes}"}
_TASKS = [{"name": "t1", "description": "d", "downstreamTasks": ["t2"]}, {"name": "t2"}]
_RUN = {"timestamp": 1_700_000_000_000, "executionStatus": "Successful", "taskStatus": []}
_STATUS = "pipelines/{pipes}.{t}/status"
_EDGE = {"fromEntity": {"id": "{x}", "type": "table"}, "toEntity": {"id": "{y}", "type": "table"}}


def _end(word: str) -> Step:
    return Step("bot", "PUT", "tables", table(name="{t}" + word), 201, save=word)


def _edge(status: int = 200, says: str = "", **details: Any) -> Step:
    sent = {**_EDGE, **({"lineageDetails": details} if details else {})}
    return body("lineage", {"edge": sent}, status, says)


_COLUMN = {"fromColumns": ["{T}x.a"], "toColumn": "{T}y.a"}
FLOWS = (
    rule("tasks come only when asked", body("pipelines", {**_P, "tasks": _TASKS}, 201),
         get("pipelines/{id}", has={"tasks": GONE}),
         get("pipelines/{id}?fields=tasks", has={"tasks.n": 2,
                                                 "tasks.0.fullyQualifiedName": "{pipes}.{t}.t1"})),
    rule("a pipeline's task list is the one sent; a task's description stays",
         body("pipelines", {**_P, "tasks": _TASKS}, 201),
         body("pipelines", {**_P, "tasks": [{"name": "t1", "description": "e"}]}, version=0.2),
         get("pipelines/{id}?fields=tasks", has={"tasks.n": 1, "tasks.0.description": "d"}),
         body("pipelines", _P, version=0.3), get("pipelines/{id}?fields=tasks",
                                                 has={"tasks": GONE})),
    rule("a status names tasks that stand",
         body("pipelines", {**_P, "tasks": _TASKS}, 201),
         body(_STATUS, {**_RUN, "taskStatus": [{"name": "t1", "executionStatus": "Failed"}]}),
         body(_STATUS, {**_RUN, "taskStatus": [{"name": "zz", "executionStatus": "Failed"}]}, 400,
              "Invalid task name zz")),
    rule("a status without taskStatus is 500", body("pipelines", {**_P, "tasks": _TASKS}, 201),
         body(_STATUS, {"timestamp": 1, "executionStatus": "Failed"}, 500)),
    rule("a status with tasks of a pipeline that has none is 500", body("pipelines", _P, 201),
         body(_STATUS, {**_RUN, "taskStatus": [{"name": "t", "executionStatus": "Failed"}]}, 500)),
    rule("one timestamp, one run", body("pipelines", {**_P, "tasks": _TASKS}, 201),
         body(_STATUS, _RUN), body(_STATUS, {**_RUN, "executionStatus": "Failed"}),
         get(f"{_STATUS}?startTs=0&endTs=1800000000000",
             has={"data.n": 1, "data.0.executionStatus": "Failed", "paging.total": 1}),
         get("pipelines/{id}?fields=pipelineStatus",
             has={"pipelineStatus.executionStatus": "Failed"})),
    rule("a status knows few words", body("pipelines", {**_P, "tasks": _TASKS}, 201),
         body(_STATUS, {**_RUN, "executionStatus": "Skipped"}, 400,
              "`org.openmetadata.schema.type.StatusType`, problem: Skipped"),
         body(_STATUS, {**_RUN, "executionId": "x"}, 400, 'Unrecognized field "executionId"')),
    rule("a status of a pipeline that isn't there is 404",
         body("pipelines/{pipes}.zz/status", _RUN, 404)),
    rule("an edge is one a pair, and replaced whole", _end("x"), _end("y"),
         _edge(sqlQuery="select", columnsLineage=[_COLUMN], source="QueryLineage"),
         get("lineage/table/{x}", has={
             "entity.id": "{x}", "nodes.n": 1, "downstreamEdges.0.toEntity": "{y}",
             "downstreamEdges.0.lineageDetails.sqlQuery": "select",
             "downstreamEdges.0.lineageDetails.source": "QueryLineage"}),
         _edge(),
         get("lineage/table/name/{T}y", has={"upstreamEdges.n": 1,
                                             "upstreamEdges.0.lineageDetails": GONE})),
    rule("an edge's columns must stand", _end("x"), _end("y"),
         _edge(400, "Invalid fully qualified column name {T}x.zz",
               columnsLineage=[{"fromColumns": ["{T}x.zz"], "toColumn": "{T}y.a"}])),
    rule("an edge's ends must stand, but may be soft-deleted", _end("x"), _end("y"),
         remove("tables/{y}"), _edge(), get("lineage/table/{x}", has={"nodes.0.deleted": True}),
         body("lineage", {"edge": {**_EDGE, "fromEntity": {"id": "{nobody}", "type": "table"}}},
              404)),
    rule("an edge's words and keys", _end("x"), _end("y"), _edge(zz=1),
         _edge(400, "`org.openmetadata.schema.type.LineageDetails$Source`", source="Nope"),
         body("lineage", {"edge": {**_EDGE, "zz": 1}}, 400, 'Unrecognized field "zz"'),
         body("lineage", {}, 400, "edge must not be null")),
    rule("an edge goes, once", _end("x"), _end("y"), _edge(),
         remove("lineage/table/{x}/table/{y}"),
         remove("lineage/table/{x}/table/{y}", 404, "Lineage edge not found")),
    rule("an ingestion pipeline reports its runs",
         body("services/ingestionPipelines",
              {"name": "{t}", "pipelineType": "metadata", "airflowConfig": {},
               "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
               "service": {"id": "{svc_id}", "type": "databaseService"}}, 201),
         body("services/ingestionPipelines/{svc}.{t}/pipelineStatus",
              {"runId": "{nobody}", "pipelineState": "running", "startDate": 1, "timestamp": 1},
              201),
         body("services/ingestionPipelines/{svc}.{t}/pipelineStatus",
              {"runId": "{nobody}", "pipelineState": "success", "startDate": 1, "timestamp": 1},
              201),
         get("services/ingestionPipelines/{svc}.{t}/pipelineStatus/{nobody}",
             has={"pipelineState": "success"}),
         get("services/ingestionPipelines/{svc}.{t}/pipelineStatus/{svc_id}"),
         body("services/ingestionPipelines/{svc}.{t}/pipelineStatus",
              {"runId": "{nobody}", "pipelineState": "success", "status": []}, 400,
              'Unrecognized field "status"'),
         body("services/ingestionPipelines/{svc}.zz/pipelineStatus",
              {"runId": "{nobody}", "pipelineState": "success"}, 404)),
)  # fmt: skip

UNKNOWN = label("{cls}.three")
POISON = (
    rule("an unknown tag by PATCH: 404, and all tags whose names come after it are gone",
         make(tags=[ONE, TWO]),
         patch(op("add", "/tags/-", UNKNOWN), status=404, says="tag instance for {cls}.three"),
         get(FULL, has={"tags.n": 1, "tags.0.tagFQN": "{cls}.one", "version": 0.1}),
         damages=True),
    rule("an unknown tag by PUT: 404, a half-made table, and no listing any more",
         put(404, tags=[UNKNOWN], says="tag instance for {cls}.three not found"),
         get("tables?limit=100000", 500), get("tables?databaseSchema={schema}&limit=1000", 500),
         get(status=500), put(500), put(500, tags=[]), damages=True),
    rule("data products by PUT: 500, and a half-made table",
         put(500, dataProducts=["{dp}"]), get(status=500), get("tables?limit=100000", 500),
         damages=True),
    rule("two exclusive tags by PUT of a new table: 400, nothing stored",
         put(400, tags=[TIER1, TIER2], says="mutually exclusive"), get(status=404), damages=True),
)  # fmt: skip
