"""Requests as a sink should make them, one an endpoint, written by hand for any version."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
ID = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
LABEL = {
    "tagFQN": "DomoTags.finance",
    "source": "Classification",
    "labelType": "Automated",
    "state": "Confirmed",
}


def reference(kind: str, identity: str = ID) -> Json:
    return {"id": identity, "type": kind}


def table(version: tuple[int, int]) -> Json:
    owner = reference("user")
    return {
        "name": "v_sales",
        "displayName": "Sales",
        "description": "What was sold.",
        "databaseSchema": "domo.default.default",
        "tableType": "View",
        ("schemaDefinition" if version >= (1, 4) else "viewDefinition"): "select 1",
        "sourceUrl": "https://x.domo.com/datasources/1/details/overview",
        "sourceHash": "0123456789abcdef0123456789abcdef",
        "tags": [LABEL],
        "columns": [
            {"name": "id", "dataType": "LONG", "ordinalPosition": 1, "constraint": "PRIMARY_KEY"},
            {"name": "name", "dataType": "VARCHAR", "dataLength": 10, "tags": [LABEL]},
            {"name": "s", "dataType": "STRUCT", "children": [{"name": "x", "dataType": "DATE"}]},
        ],
        "tableConstraints": [{"constraintType": "PRIMARY_KEY", "columns": ["id"]}],
        "lifeCycle": {"created": {"timestamp": 1700000000000}},
        **({"owners": [owner]} if version >= (1, 5) else {"owner": owner}),
    }


def stored_table(version: tuple[int, int]) -> Json:
    """The same as a server answers it."""
    body = table(version)
    owner = reference("user")
    kept = {key: body[key] for key in body if key not in {"databaseSchema", "owner", "owners"}}
    return {
        **kept,
        "id": ID,
        "fullyQualifiedName": "domo.default.default.v_sales",
        "version": 0.1,
        "updatedAt": 1700000000000,
        "updatedBy": "ingestion-bot",
        "databaseSchema": {**reference("databaseSchema", OTHER), "name": "default"},
        "serviceType": "DomoDatabase",
        "deleted": False,
        **({"owners": [owner]} if version >= (1, 5) else {"owner": owner}),
    }


def domo(version: tuple[int, int]) -> Json:
    return {
        "name": "domo",
        "serviceType": "DomoDatabase",
        "connection": {
            "config": {
                "type": "DomoDatabase",
                "clientId": "id",
                "secretToken": "hand-made-secret",
                "accessToken": "hand-made-token",
                "instanceDomain": "https://x.domo.com",
            }
        },
    }


def dashboards() -> Json:
    access = {"clientId": "id", "secretToken": "hand-made-secret"}
    connection = {"config": {"instanceDomain": "https://x.domo.com", **access}}
    return {"name": "dashboards", "serviceType": "DomoDashboard", "connection": connection}


def ingestion() -> Json:
    return {
        "name": "metadata",
        "pipelineType": "metadata",
        "service": reference("databaseService"),
        "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
        "airflowConfig": {},
    }


def pipelines(version: tuple[int, int]) -> list[tuple[str, str, Any]]:
    connection = {"config": {"type": "CustomPipeline", "sourcePythonClass": "x.Y"}}
    service = {"name": "airflow", "serviceType": "CustomPipeline", "connection": connection}
    task = {"name": "load", "taskType": "PythonOperator", "downstreamTasks": ["check"]}
    dag = {"name": "daily", "service": "airflow", "tasks": [task, {"name": "check"}]}
    status = {
        "timestamp": 1700000000000,
        "executionStatus": "Successful",
        "taskStatus": [{"name": "load", "executionStatus": "Failed", "startTime": 1700000000000}],
    }
    if version >= (1, 7):
        dag["state"] = "Active"
    if version >= (1, 10):
        status["executionId"] = "scheduled__2026-01-01"
    return [
        ("PUT", "/v1/services/pipelineServices", service),
        ("PUT", "/v1/pipelines", dag),
        ("PUT", "/v1/pipelines/airflow.daily/status", status),
    ]


def requests(version: tuple[int, int]) -> list[Json]:
    """Every endpoint that `endpoints.expected` asks for."""
    bulk = version >= (1, 11)
    described = {"description": "Tags of Domo."}
    details = {
        "sqlQuery": "select 1",
        "source": "QueryLineage",
        "columnsLineage": [{"fromColumns": ["a.b.c.d.e"], "toColumn": "a.b.c.f.g"}],
    }
    ends = {"fromEntity": reference("table"), "toEntity": reference("table", OTHER)}
    step = {"name": "Sink", "records": 3, "updated_records": 1, "warnings": 0, "errors": 1}
    failure = {"name": "t", "error": "refused", "stackTrace": ""}
    state = {"runId": ID, "pipelineState": "partialSuccess", "timestamp": 1700000000000}
    plain: list[tuple[str, str, Any]] = [
        ("PUT", "/v1/services/databaseServices", domo(version)),
        ("PUT", "/v1/services/dashboardServices", dashboards()),
        ("PUT", "/v1/services/ingestionPipelines", ingestion()),
        ("PUT", "/v1/databases", {"name": "default", "service": "domo"}),
        ("PUT", "/v1/databaseSchemas", {"name": "default", "database": "domo.default"}),
        ("PUT", "/v1/classifications", {"name": "DomoTags", **described}),
        ("PUT", "/v1/tags", {"name": "finance", "classification": "DomoTags", **described}),
        ("PUT", "/v1/tables/bulk", [table(version)])
        if bulk
        else ("PUT", "/v1/tables", table(version)),
        *pipelines(version),
        ("PUT", "/v1/lineage", {"edge": {**ends, "lineageDetails": details}}),
        (
            "PUT",
            "/v1/services/ingestionPipelines/domo.metadata/pipelineStatus",
            {**state, "status": [{**step, "failures": [failure]}]},
        ),
        ("PUT", "/v1/tables/restore", {"id": ID}),
    ]
    patch = [
        {"op": "add", "path": "/columns/-", "value": {"name": "new", "dataType": "DOUBLE"}},
        {"op": "remove", "path": "/columns/0"},
        {"op": "add", "path": "/description", "value": "New."},
    ]
    pipeline = {
        "id": ID,
        "name": "daily",
        "service": reference("pipelineService"),
        "tasks": [{"name": "load"}],
    }
    described_later = [{"op": "add", "path": "/description", "value": "New."}]
    database = {"id": ID, "name": "default", "service": reference("databaseService")}
    schema = {**database, "database": reference("database")}
    patches: list[Json] = [
        {"path": f"/v1/databases/{ID}", "body": described_later, "stored": database},
        {"path": f"/v1/databaseSchemas/{ID}", "body": described_later, "stored": schema},
        {"path": f"/v1/tables/{ID}", "body": patch, "stored": stored_table(version)},
        {
            "path": f"/v1/pipelines/{ID}",
            "body": [{"op": "add", "path": "/tasks/0/taskType", "value": "Bash"}],
            "stored": pipeline,
        },
    ]
    name = f"{version[0]}.{version[1]}"
    return [
        {"version": name, "method": method, "path": path, "body": body}
        for method, path, body in plain
    ] + [{"version": name, "method": "PATCH", **patch} for patch in patches]
