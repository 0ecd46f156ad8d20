"""Which official model the body of a request has to fit, and which requests a sink must have made.

Standard library only: it is used where the bodies are recorded and where they are judged.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

Version = tuple[int, int]

COLLECTIONS = {
    "services/databaseServices": "DatabaseService",
    "services/pipelineServices": "PipelineService",
    "services/dashboardServices": "DashboardService",
    "services/ingestionPipelines": "IngestionPipeline",
    "databases": "Database",
    "databaseSchemas": "DatabaseSchema",
    "tables": "Table",
    "pipelines": "Pipeline",
    "dashboards": "Dashboard",
    "charts": "Chart",
    "classifications": "Classification",
    "tags": "Tag",
}
BULK_SINCE: Version = (1, 11)


class Endpoint(NamedTuple):
    """What a request is: its label in the counts, the model of its body (names as in
    `tools/openmetadata_models.py`), whether the body is a list of them or a JSON patch."""

    label: str
    model: str
    rows: bool = False
    patch: bool = False


_PATH = re.compile(rf"({'|'.join(map(re.escape, COLLECTIONS))})(?:/(.+))?")
# What comes after the collection → how it is shown, the model (the entity's where there is none),
# whether the body is a list.
_BELOW: tuple[tuple[re.Pattern[str], str, str, bool], ...] = (
    (re.compile(r""), "", "Create", False),
    (re.compile(r"bulk"), "/bulk", "Create", True),
    (re.compile(r"restore"), "/restore", "RestoreEntity", False),
    (re.compile(r".+/status"), "/{fqn}/status", "PipelineStatus", False),
    (re.compile(r".+/status/bulk"), "/{fqn}/status/bulk", "PipelineStatus", True),
    (re.compile(r".+/pipelineStatus"), "/{fqn}/pipelineStatus", "IngestionPipelineStatus", False),
)


def endpoint(method: str, path: str) -> Endpoint | None:
    """The endpoint of a request, `path` with or without `/api` and a query.

    None for one whose body nobody described, which is a finding where it has a body.
    """
    inner = unquote(urlsplit(path).path)
    inner = inner[inner.index("/v1/") + 4 :].rstrip("/") if "/v1/" in inner else inner.strip("/")
    if inner == "lineage" and method == "PUT":
        return Endpoint("PUT /lineage", "AddLineage")
    found = _PATH.fullmatch(inner)
    if not found or method not in {"PUT", "POST", "PATCH"}:
        return None
    collection, rest = found[1], found[2] or ""
    label, entity = f"{method} /{collection}", COLLECTIONS[collection]
    if method == "PATCH":
        return Endpoint(f"{label}/{{id}}", entity, patch=True) if rest else None
    for shape, shown, model, rows in _BELOW:
        if shape.fullmatch(rest):
            return Endpoint(
                label + shown, f"Create{entity}" if model == "Create" else model, rows=rows
            )
    return None


def expected(version: Version) -> list[tuple[str, ...]]:
    """What must be among the requests to a server of this version: of each tuple, one at least."""
    bulk = version >= BULK_SINCE
    return [
        ("PUT /services/databaseServices",),
        ("PUT /services/pipelineServices",),
        ("PUT /services/dashboardServices",),
        ("PUT /services/ingestionPipelines",),
        ("PUT /databases", "PUT /databases/bulk"),
        ("PUT /databaseSchemas", "PUT /databaseSchemas/bulk"),
        ("PUT /classifications",),
        ("PUT /tags", "PUT /tags/bulk"),
        ("PUT /tables/bulk",) if bulk else ("PUT /tables",),
        ("PUT /pipelines", "PUT /pipelines/bulk"),
        ("PUT /pipelines/{fqn}/status", "PUT /pipelines/{fqn}/status/bulk"),
        ("PUT /lineage",),
        ("PUT /services/ingestionPipelines/{fqn}/pipelineStatus",),
        ("PUT /tables/restore",),
        ("PATCH /databases/{id}",),
        ("PATCH /databaseSchemas/{id}",),
        ("PATCH /tables/{id}",),
        ("PATCH /pipelines/{id}",),
    ]
