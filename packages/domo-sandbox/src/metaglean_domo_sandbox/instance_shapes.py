"""How datasets, views and streams look on the instance plane."""

from __future__ import annotations

import json

from metaglean_domo_sandbox.model import Column, Dataset, Json, Owner
from metaglean_domo_sandbox.view_ast import aliases, quote


def detail(dataset: Dataset) -> Json:
    """A dataset as the bulk call and the single call give it; times are milliseconds."""
    kind = dataset.provider
    body: Json = {
        "id": dataset.id,
        "displayType": kind,
        "dataProviderType": kind,
        "type": kind,
        "name": dataset.name,
        "status": dataset.state,
        "state": dataset.state,
        "created": dataset.created,
        "lastTouched": dataset.updated,
        "lastUpdated": dataset.updated,
        "cardInfo": {"cardCount": 0, "cardViewCount": 0},
        "properties": {"formulas": {"formulas": {}}},
        "validConfiguration": True,
        "validAccount": True,
        "transportType": dataset.transport,
        "adc": dataset.pdp,
        "adcExternal": False,
        "masked": False,
        "currentUserFullAccess": True,
        "cloudId": dataset.cloud_id,
        "cryoStatus": "ADRENALINE",
        "permissions": "READ_WRITE_DELETE_SHARE_ADMIN",
        "hidden": False,
        "scheduleActive": dataset.stream is not None,
        "cardCount": 0,
    }
    if "no-rows" not in dataset.quirks:
        body["rowCount"] = dataset.rows
        body["columnCount"] = len(dataset.columns or ()) or dataset.column_count
    if dataset.description is not None:
        body["description"] = dataset.description
    if dataset.owner is not None:
        body["owner"] = _owner(dataset.owner)
    if dataset.tags is not None:
        body["tags"] = json.dumps(dataset.tags)
    if dataset.certification is not None:
        body["certification"] = _certification(dataset)
    if dataset.stream is not None:
        body["streamId"], body["accountId"] = dataset.stream.id, 12
    return body


def _certification(dataset: Dataset) -> Json:
    return {
        "state": dataset.certification,
        "lastUpdated": dataset.updated,
        "userId": "101",
        "processType": "USER",
        "processName": "Finance",
        "adminCertified": True,
    }


def _owner(owner: Owner) -> Json:
    group = owner.type == "GROUP"
    return {"id": str(owner.id), "name": owner.name, "type": owner.type, "group": group}


def permissions(dataset: Dataset) -> Json:
    """Owner and co-owners."""
    holders = [] if dataset.owner is None else [(dataset.owner, "OWNER")]
    holders += [(owner, "CO_OWNER") for owner in dataset.co_owners]
    shown = [
        {"type": o.type, "id": str(o.id), "accessLevel": level, "name": o.name}
        for o, level in holders
    ]
    groups = sum(1 for holder in shown if holder["type"] == "GROUP")
    return {"list": shown, "totalUserCount": len(shown) - groups, "totalGroupCount": groups}


def indexed(dataset: Dataset) -> Json:
    """`schema/indexed`: the columns; of a view its syntax tree, of a fusion its mapping. A
    federated dataset shows no columns here."""
    federated = "no-schema" in dataset.quirks
    columns: list[Column] = [] if federated else dataset.all_columns()
    origins = {} if dataset.view is None else _origins(dataset.view)
    body: Json = {
        "name": dataset.name,
        "tables": [{"columns": [_indexed_column(c, i, origins) for i, c in enumerate(columns)]}],
        "dataSourceId": dataset.id,
    }
    if dataset.view is not None:
        body["select"] = dataset.view
        body["tableAliases"] = aliases(dataset.view)
        body["viewTemplate"] = {"version": 1, "select": dataset.view}
    if dataset.fusion is not None:
        body["views"] = [_fused(dataset.fusion)]
    return body


def _indexed_column(column: Column, order: int, origins: dict[str, str]) -> Json:
    shown: Json = {
        "name": column.name,
        "id": column.name,
        "type": column.type,
        "visible": True,
        "order": order,
    }
    if column.name in origins:
        shown["referenceDataSourceId"] = origins[column.name]
    return shown


def _origins(view: Json) -> dict[str, str]:
    """Output column -> dataset, for the items that are plain columns of a table."""
    tables = aliases(view)
    items = view["selectBody"].get("selectItems", ())
    plain = ((i, i["expression"].get("table", {}).get("name")) for i in items)
    return {i["alias"]["name"]: tables[table] for i, table in plain if table in tables}


def _fused(fusion: Json) -> Json:
    def mapped(source: str, name: str) -> Json:
        return {"expr": {"exprType": "COLUMN", "column": name, "table": quote(source)}}

    left, right = fusion["on"]
    return {
        "from": quote(fusion["left"]),
        "mapping": {name: mapped(source, origin) for name, source, origin in fusion["columns"]},
        "columnFuses": [{"datasource": fusion["right"], "on": [{"left": left, "right": right}]}],
    }


def fusion(dataset: Dataset) -> Json:
    """`query/v1/fusions/{id}`: the native form of a fusion."""
    plan = dataset.fusion or {"left": "", "right": "", "on": ("", ""), "columns": []}
    types = {c.name: c.type for c in dataset.all_columns()}
    left, right = plan["on"]
    return {
        "id": dataset.id,
        "name": dataset.name,
        "dataSourceType": "datafusion",
        "columnList": [
            {
                "name": name,
                "type": types.get(name, "STRING"),
                "fuseMapping": {"dataSource": source, "columnName": origin},
            }
            for name, source, origin in plan["columns"]
        ],
        "columnFuse": {
            "type": "LEFT",
            "leftDataSource": plan["left"],
            "rightDataSource": plan["right"],
            "predicates": [{"leftColumn": left, "rightColumn": right}],
        },
    }


def latest_schema(dataset: Dataset) -> Json:
    """`schemas/latest`: labels and upsert keys."""
    keys = set(dataset.stream.keys) if dataset.stream else set()
    columns: list[Json] = []
    for column in dataset.all_columns():
        shown: Json = {
            "type": column.type,
            "name": column.name,
            "id": column.name,
            "visible": True,
            "metadata": {"colLabel": column.name, "colFormat": "", "isEncrypted": False},
        }
        if column.upsert_key or column.name in keys:
            shown["upsertKey"] = True
        columns.append(shown)
    return {"schema": {"columns": columns}}


def dictionary(dataset: Dataset) -> Json | list[Json]:
    """The data dictionary in one of its three shapes: bare, in a list, under `dataDictionary`."""
    columns: list[Json] = [
        {
            "columnId": c.name,
            "name": c.name,
            "description": c.description,
            "synonyms": [],
            "agentEnabled": True,
            "beastmodeId": None,
        }
        for c in dataset.all_columns()
        if c.description
    ]
    body: Json = {
        "id": f"dictionary-{dataset.id}",
        "datasetId": dataset.id,
        "name": dataset.name,
        "description": "",
        "unitOfAnalysis": "",
        "columns": columns,
    }
    if dataset.dictionary == "list":
        return [body]
    return {"dataDictionary": body} if dataset.dictionary == "wrapped" else body


def stream(dataset: Dataset) -> Json:
    """A stream; its times are seconds. The keys stand in `keyColumnNames` and, as text, in the
    configuration (where exactly Domo has them is known from one source only)."""
    job = dataset.stream
    if job is None:
        return {}
    settings = {"query": job.query} if job.query else {}
    if job.keys:
        settings["keyColumnNames"] = ",".join(job.keys)
    ended = dataset.updated // 1000
    run = {
        "streamId": job.id,
        "executionId": 9,
        "startedAt": ended - 60,
        "endedAt": ended,
        "currentState": dataset.state,
        "rowsInserted": dataset.rows,
        "updateMethod": job.update_method,
        "errors": [],
    }
    body: Json = {
        "id": job.id,
        "valid": True,
        "transport": {"type": dataset.transport, "description": "com.domo.connector.sandbox"},
        "dataProvider": {"id": 1, "key": dataset.provider, "name": dataset.provider.title()},
        "account": {"id": 12, "displayName": "Sandbox account"},
        "updateMethod": job.update_method,
        "dataSource": {"id": dataset.id, "name": dataset.name},
        "configuration": [
            {"streamId": job.id, "category": "METADATA", "name": k, "type": "string", "value": v}
            for k, v in settings.items()
        ],
        "scheduleExpression": "0 15 5 * * ?",
        "scheduleState": "ACTIVE",
        "lastExecution": run,
        "createdAt": dataset.created // 1000,
        "modifiedAt": ended,
    }
    if job.keys:
        body["keyColumnNames"] = list(job.keys)
    return body
