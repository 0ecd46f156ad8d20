"""`/v1/datasets/query/execute/{id}`: a very small SQL, enough to learn columns and counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from metaglean_domo_sandbox.areas.public_datasets import readable
from metaglean_domo_sandbox.model import Column, Json
from metaglean_domo_sandbox.routing import (
    INSTANCE,
    PUBLIC,
    Answer,
    Request,
    Response,
    Route,
    error,
    json_body,
    ok,
)
from metaglean_domo_sandbox.shapes import iso

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App

#: No answer has more rows; Domo's own cap is a million.
ROW_CAP = 10_000
# The name behind FROM is ignored: the dataset comes from the path.
_SELECT = re.compile(
    r"\s*SELECT\s+(?P<items>\*|COUNT\(\*\)(?:\s+AS\s+(?P<alias>\w+))?)\s+FROM\s+(?:`[^`]+`|\"[^\"]+\"|\w+)"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?(?:\s+OFFSET\s+(?P<offset>\d+))?\s*;?\s*",
    re.IGNORECASE,
)


def execute(app: App, request: Request, dataset_id: str) -> Response:
    """`SELECT * | COUNT(*) FROM anything [LIMIT n] [OFFSET m]`; other SQL is 400."""
    body = json_body(request)
    sql = body.get("sql") if isinstance(body, dict) else None
    if not isinstance(sql, str):
        raise Answer(error(400, "Cannot deserialize value of type `java.lang.String` for sql"))
    dataset = readable(app, dataset_id)
    if "no-data" in dataset.quirks:
        return error(400, "No data version found")
    match = _SELECT.fullmatch(sql)
    if match is None:
        return error(400, "The sandbox's SQL knows SELECT * and SELECT COUNT(*) with LIMIT, OFFSET")
    total = dataset.rows or 0
    if match["items"] != "*":
        counted = Column(match["alias"] or "COUNT(*)", "LONG")
        return ok(_result(dataset_id, [counted], [[total]]))
    limit = min(int(match["limit"] or ROW_CAP), ROW_CAP)
    start = int(match["offset"] or 0)
    columns = dataset.all_columns()
    numbers = range(start, min(start + limit, total))
    rows = [[_value(c.type, n, i) for i, c in enumerate(columns)] for n in numbers]
    return ok(_result(dataset_id, columns, rows))


def _result(dataset_id: str, columns: list[Column], rows: list[list[Any]]) -> Json:
    metadata = {"dataSourceId": dataset_id, "maxLength": -1, "minLength": -1, "periodIndex": 0}
    return {
        "datasource": dataset_id,
        "columns": [c.name for c in columns],
        "metadata": [{"type": c.type, **metadata} for c in columns],
        "rows": rows,
        "numRows": len(rows),
        "numColumns": len(columns),
        "fromcache": False,
    }


def _value(kind: str, row: int, column: int) -> Any:
    if (row + column) % 11 == 10:
        return None
    if kind == "LONG":
        return row * 10 + column
    if kind in ("DOUBLE", "DECIMAL"):
        return row + column / 4
    if kind in ("DATE", "DATETIME"):
        text = iso(1_735_689_600_000 + row * 86_400_000)[:-1]
        return text[:10] if kind == "DATE" else text
    return f"value {row % 97}"


ROUTES = (
    Route(PUBLIC, "POST", "/v1/datasets/query/execute/{}", "query", execute, "data"),
    Route(INSTANCE, "POST", "/api/query/v1/execute/{}", "instance-query", execute),
)
