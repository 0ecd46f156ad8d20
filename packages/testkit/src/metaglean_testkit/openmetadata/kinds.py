"""The kinds of entity, and what is particular about each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One collection of the API."""

    type: str  # as in references
    collection: str  # path below /v1
    model: str  # the entity's model; the request's is Create + model
    parent: str | None = None  # the body's key that names the parent
    parents: tuple[str, ...] = ()  # kinds of parents, the key's name otherwise
    above: tuple[str, ...] = ()  # ancestors that every answer carries
    compared: tuple[str, ...] = ()  # own fields whose change makes a version
    kept: tuple[str, ...] = ()  # of the body, beside the common ones
    asked: tuple[str, ...] = ()  # left out unless asked for
    filters: tuple[str, ...] = ()  # query parameters that name an ancestor
    children: str | None = None  # the key that lists them when asked
    deletable: bool = True  # has a `deleted` mark
    cascade: bool = False  # DELETE knows `recursive`
    taggable: bool = True
    ownable: bool = True
    votable: bool = True


_SERVICE_KEPT = ("serviceType", "connection")
KINDS = (
    *(
        Kind(
            f"{name}Service",
            f"services/{name}Services",
            f"{name.capitalize()}Service",
            kept=_SERVICE_KEPT,
            compared=(),
            cascade=True,
            votable=False,
        )
        for name in ("database", "pipeline", "dashboard")
    ),
    Kind(
        "database", "databases", "Database",
        parent="service", parents=("databaseService",), above=("service",),
        kept=("default", "retentionPeriod", "sourceUrl"),
        compared=("retentionPeriod", "sourceUrl"),
        filters=("service",), children="databaseSchemas", cascade=True,
    ),
    Kind(
        "databaseSchema", "databaseSchemas", "DatabaseSchema",
        parent="database", above=("database", "service"),
        kept=("retentionPeriod", "sourceUrl"), compared=("retentionPeriod", "sourceUrl"),
        filters=("database",), children="tables", cascade=True,
    ),
    Kind(
        "table", "tables", "Table",
        parent="databaseSchema", above=("databaseSchema", "database", "service"),
        kept=(
            "tableType", "columns", "tableConstraints", "tablePartition", "viewDefinition",
            "schemaDefinition", "retentionPeriod", "fileFormat", "sourceUrl", "locationPath",
            "tableProfilerConfig",
        ),
        compared=("tableType", "tableConstraints", "sourceUrl"),
        asked=("tableConstraints", "viewDefinition", "schemaDefinition", "tableProfilerConfig"),
        filters=("database", "databaseSchema", "service"), cascade=True,
    ),
    Kind(
        "pipeline", "pipelines", "Pipeline",
        parent="service", parents=("pipelineService",), above=("service",),
        kept=(
            "tasks", "sourceUrl", "concurrency", "pipelineLocation", "startDate",
            "scheduleInterval", "state",
        ),
        compared=("state", "sourceUrl", "concurrency", "pipelineLocation"),
        asked=("tasks",), filters=("service",),
    ),
    Kind(
        "classification", "classifications", "Classification",
        kept=("mutuallyExclusive", "provider"), compared=("mutuallyExclusive",),
        cascade=True, taggable=False, ownable=False, votable=False,
    ),
    Kind(
        "tag", "tags", "Tag",
        parent="classification", above=("classification",),
        kept=("mutuallyExclusive", "provider", "style"), compared=(),
        filters=("parent",), cascade=True, taggable=False, ownable=False, votable=False,
    ),
    Kind(
        "user", "users", "User", kept=("email", "isBot", "isAdmin", "isEmailVerified", "profile"),
        compared=("email", "isBot", "isAdmin"), taggable=False, ownable=False, votable=False,
    ),
    Kind(
        "team", "teams", "Team", kept=("email", "teamType", "isJoinable", "profile"),
        compared=("email", "teamType", "isJoinable"), cascade=True,
        taggable=False, votable=False,
    ),
    Kind(
        "domain", "domains", "Domain", kept=("domainType",), compared=("domainType",),
        deletable=False, taggable=False, votable=False,
    ),
    Kind(
        "dataProduct", "dataProducts", "DataProduct",
        deletable=False, taggable=False, votable=False,
    ),
    Kind(
        "ingestionPipeline", "services/ingestionPipelines", "IngestionPipeline",
        parent="service", parents=("databaseService", "pipelineService", "dashboardService"),
        above=("service",),
        kept=(
            "pipelineType", "sourceConfig", "airflowConfig", "loggerLevel", "enableStreamableLogs",
        ),
        compared=("sourceConfig", "airflowConfig", "loggerLevel"),
        filters=("service",), taggable=False, votable=False,
    ),
)  # fmt: skip
BY_TYPE = {kind.type: kind for kind in KINDS}
BY_COLLECTION = {kind.collection: kind for kind in KINDS}
SERVICES = frozenset({"databaseService", "pipelineService", "dashboardService"})
