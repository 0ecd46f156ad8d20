"""Print the key lists and closed lists of one OpenMetadata version as JSON.

The testkit's fake server refuses what a server of that version refuses; the lists it needs are
read here from the generated models of an installed `openmetadata-ingestion` of the version (no
other part of that package is imported, and nothing of it is copied). Run it where that package is
installed with `--no-deps`, beside pydantic 1 (before 1.5) or 2, email-validator and
typing_extensions:

    python tools/openmetadata_models.py > …/openmetadata/keys/1.5.json

The output has one object a model (its name is the one of the JSON schema: `CreateTable`, not
`CreateTableRequest`), and two objects about them all:

    {"CreateTable": {"properties": […], "required": […], "nested": {"columns": "Column"}}, …,
     "enums": {"DataType": […], …},
     "names": {"CreateTable.name": {"minLength": 1, "maxLength": 256, "pattern": "…"}, …},
     "client": "1.5.3.0"}
"""

from __future__ import annotations

import enum
import importlib
import importlib.metadata
import json
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

SCHEMA = "metadata.generated.schema."
PYDANTIC_1 = pydantic.VERSION.startswith("1.")

# name: module below `metadata.generated.schema`, class. Versions that lack one are no error.
MODELS: dict[str, tuple[str, str]] = {
    "CreateDatabaseService": ("api.services.createDatabaseService", "CreateDatabaseServiceRequest"),
    "CreatePipelineService": ("api.services.createPipelineService", "CreatePipelineServiceRequest"),
    "CreateDashboardService": (
        "api.services.createDashboardService",
        "CreateDashboardServiceRequest",
    ),
    "CreateIngestionPipeline": (
        "api.services.ingestionPipelines.createIngestionPipeline",
        "CreateIngestionPipelineRequest",
    ),
    "CreateDatabase": ("api.data.createDatabase", "CreateDatabaseRequest"),
    "CreateDatabaseSchema": ("api.data.createDatabaseSchema", "CreateDatabaseSchemaRequest"),
    "CreateTable": ("api.data.createTable", "CreateTableRequest"),
    "CreatePipeline": ("api.data.createPipeline", "CreatePipelineRequest"),
    "CreateDashboard": ("api.data.createDashboard", "CreateDashboardRequest"),
    "CreateChart": ("api.data.createChart", "CreateChartRequest"),
    "CreateClassification": (
        "api.classification.createClassification",
        "CreateClassificationRequest",
    ),
    "CreateTag": ("api.classification.createTag", "CreateTagRequest"),
    "CreateUser": ("api.teams.createUser", "CreateUserRequest"),
    "CreateTeam": ("api.teams.createTeam", "CreateTeamRequest"),
    "CreateDomain": ("api.domains.createDomain", "CreateDomainRequest"),
    "CreateDataProduct": ("api.domains.createDataProduct", "CreateDataProductRequest"),
    "RestoreEntity": ("api.data.restoreEntity", "RestoreEntity"),
    "AddLineage": ("api.lineage.addLineage", "AddLineageRequest"),
    "EntitiesEdge": ("type.entityLineage", "EntitiesEdge"),
    "LineageDetails": ("type.entityLineage", "LineageDetails"),
    "ColumnLineage": ("type.entityLineage", "ColumnLineage"),
    "Column": ("entity.data.table", "Column"),
    "TableConstraint": ("entity.data.table", "TableConstraint"),
    "TablePartition": ("entity.data.table", "TablePartition"),
    "Task": ("entity.data.pipeline", "Task"),
    "PipelineStatus": ("entity.data.pipeline", "PipelineStatus"),
    "Status": ("entity.data.pipeline", "TaskStatus"),  # of a task; the server's name
    "IngestionPipelineStatus": (
        "entity.services.ingestionPipelines.ingestionPipeline",
        "PipelineStatus",
    ),
    "StepSummary": ("entity.services.ingestionPipelines.status", "StepSummary"),
    "StackTraceError": ("entity.services.ingestionPipelines.status", "StackTraceError"),
    "TagLabel": ("type.tagLabel", "TagLabel"),
    "EntityReference": ("type.entityReference", "EntityReference"),
    "LifeCycle": ("type.lifeCycle", "LifeCycle"),
    "AccessDetails": ("type.lifeCycle", "AccessDetails"),
    "DatabaseConnection": ("entity.services.databaseService", "DatabaseConnection"),
    "PipelineConnection": ("entity.services.pipelineService", "PipelineConnection"),
    "DashboardConnection": ("entity.services.dashboardService", "DashboardConnection"),
    "DomoDatabaseConnection": (
        "entity.services.connections.database.domoDatabaseConnection",
        "DomoDatabaseConnection",
    ),
    "DomoPipelineConnection": (
        "entity.services.connections.pipeline.domoPipelineConnection",
        "DomoPipelineConnection",
    ),
    "DomoDashboardConnection": (
        "entity.services.connections.dashboard.domoDashboardConnection",
        "DomoDashboardConnection",
    ),
    "AirflowConnection": (
        "entity.services.connections.pipeline.airflowConnection",
        "AirflowConnection",
    ),
    "CustomDatabaseConnection": (
        "entity.services.connections.database.customDatabaseConnection",
        "CustomDatabaseConnection",
    ),
    "CustomPipelineConnection": (
        "entity.services.connections.pipeline.customPipelineConnection",
        "CustomPipelineConnection",
    ),
    "CustomDashboardConnection": (
        "entity.services.connections.dashboard.customDashboardConnection",
        "CustomDashboardConnection",
    ),
    "DatabaseService": ("entity.services.databaseService", "DatabaseService"),
    "PipelineService": ("entity.services.pipelineService", "PipelineService"),
    "DashboardService": ("entity.services.dashboardService", "DashboardService"),
    "IngestionPipeline": (
        "entity.services.ingestionPipelines.ingestionPipeline",
        "IngestionPipeline",
    ),
    "Database": ("entity.data.database", "Database"),
    "DatabaseSchema": ("entity.data.databaseSchema", "DatabaseSchema"),
    "Table": ("entity.data.table", "Table"),
    "Pipeline": ("entity.data.pipeline", "Pipeline"),
    "Dashboard": ("entity.data.dashboard", "Dashboard"),
    "Chart": ("entity.data.chart", "Chart"),
    "Classification": ("entity.classification.classification", "Classification"),
    "Tag": ("entity.classification.tag", "Tag"),
    "User": ("entity.teams.user", "User"),
    "Team": ("entity.teams.team", "Team"),
    "Domain": ("entity.domains.domain", "Domain"),
    "DataProduct": ("entity.domains.dataProduct", "DataProduct"),
}
ENUMS: dict[str, tuple[str, str]] = {
    "DataType": ("entity.data.table", "DataType"),
    "TableType": ("entity.data.table", "TableType"),
    "Constraint": ("entity.data.table", "Constraint"),
    "ConstraintType": ("entity.data.table", "ConstraintType"),
    "RelationshipType": ("entity.data.table", "RelationshipType"),
    "FileFormat": ("entity.data.table", "FileFormat"),
    "DatabaseServiceType": ("entity.services.databaseService", "DatabaseServiceType"),
    "PipelineServiceType": ("entity.services.pipelineService", "PipelineServiceType"),
    "DashboardServiceType": ("entity.services.dashboardService", "DashboardServiceType"),
    "StatusType": ("entity.data.pipeline", "StatusType"),
    "ActivityState": ("entity.data.pipeline", "PipelineState"),  # of a pipeline: Active, Inactive
    "LineageSource": ("type.entityLineage", "Source"),
    "LabelType": ("type.tagLabel", "LabelType"),
    "State": ("type.tagLabel", "State"),
    "TagSource": ("type.tagLabel", "TagSource"),
    "PipelineState": ("entity.services.ingestionPipelines.ingestionPipeline", "PipelineState"),
    "TeamType": ("entity.teams.team", "TeamType"),
    "DomainType": ("entity.domains.domain", "DomainType"),
    "ProviderType": ("type.basic", "ProviderType"),
    "PipelineType": ("entity.services.ingestionPipelines.ingestionPipeline", "PipelineType"),
}
NAMES = (
    "CreateDatabaseService.name CreatePipelineService.name CreateDatabase.name "
    "CreateDatabaseSchema.name CreateTable.name CreateTable.sourceHash Column.name "
    "CreatePipeline.name Task.name CreateDashboard.name CreateChart.name "
    "CreateClassification.name CreateTag.name TagLabel.tagFQN Table.fullyQualifiedName"
).split()

# The Java classes of stored entities share one interface, whose keys a server takes whether or not
# the model of an entity has them. Measured on a 1.2 server, in all of its classes; 1.1 is older
# than domains and data products, and isn't known.
STORED = (
    "DatabaseService PipelineService DashboardService IngestionPipeline Database DatabaseSchema "
    "Table Pipeline Dashboard Chart Classification Tag User Team Domain DataProduct"
).split()
SHARED = (
    "children dataProducts experts extension followers lifeCycle reviewers style tags votes"
).split()
SHARED_SINCE = (1, 2)


def open_package() -> str:
    """Make `metadata.generated` importable without running the package's own start-up.

    That start-up imports SQLAlchemy and more from 1.8 on; the models need none of it. Returns the
    version of the distribution. Raises ModuleNotFoundError where it isn't installed.
    """
    for entry in sys.path:
        root = Path(entry) / "metadata"
        if (root / "generated").is_dir():
            package = types.ModuleType("metadata")
            package.__path__ = [str(root)]
            sys.modules["metadata"] = package
            return importlib.metadata.version("openmetadata-ingestion")
    raise ModuleNotFoundError("openmetadata-ingestion is not installed here")


def find(where: tuple[str, str]) -> Any:
    """The class, or None where this version has no such module or class."""
    module, name = where
    try:
        return getattr(importlib.import_module(SCHEMA + module), name, None)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(SCHEMA):
            return None
        raise


def fields(model: Any) -> dict[str, tuple[bool, Any]]:
    """Key on the wire: whether it is required, and its annotation."""
    if PYDANTIC_1:
        return {
            field.alias: (bool(field.required), field.outer_type_)
            for field in model.__fields__.values()
        }
    return {
        field.alias or name: (field.is_required(), field.rebuild_annotation())
        for name, field in model.model_fields.items()
    }


def parts(annotation: Any) -> Iterator[Any]:
    """The classes that an annotation is made of, root models opened."""
    inner = typing.get_args(annotation)
    if inner:
        for one in inner:
            yield from parts(one)
    elif isinstance(annotation, type):
        yield annotation
        opened = fields(annotation) if issubclass(annotation, pydantic.BaseModel) else {}
        for key in ("root", "__root__"):
            if list(opened) == [key]:
                yield from parts(opened[key][1])


def limits(annotation: Any) -> dict[str, Any]:
    """Length and pattern of a name, as far as the model still has them.

    From 1.5 on the generator leaves out patterns that look ahead (`^((?!::).)*$`).
    """
    wanted = ("minLength", "maxLength", "pattern")
    found: dict[str, Any] = {}

    def look(node: Any) -> None:
        if isinstance(node, dict):
            found.update({key: node[key] for key in wanted if isinstance(node.get(key), str | int)})
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    if PYDANTIC_1:
        holder: Any = pydantic.create_model("Holder", name=(annotation, ...))
        look(holder.schema())
    else:
        look(pydantic.TypeAdapter(annotation).json_schema())
    return {key: found[key] for key in wanted if key in found}


def describe() -> dict[str, Any]:
    """Everything about the installed version, in the shape that the head of this file shows."""
    client = open_package()
    models = {name: model for name, where in MODELS.items() if (model := find(where)) is not None}
    version = tuple(int(part) for part in client.split(".")[:2])
    names_of = {model: name for name, model in models.items()}
    output: dict[str, Any] = {}
    for name, model in models.items():
        described = fields(model)
        nested = {
            key: names_of[part]
            for key, (_, annotation) in described.items()
            for part in parts(annotation)
            if part in names_of
        }
        shared = SHARED if name in STORED and version >= SHARED_SINCE else ()
        output[name] = {
            "properties": sorted({*described, *shared}),
            "required": sorted(key for key, (required, _) in described.items() if required),
            "nested": dict(sorted(nested.items())),
        }
    output["enums"] = {
        name: [found[word].value for word in found.__members__]
        for name, where in ENUMS.items()
        if isinstance(found := find(where), enum.EnumMeta)
    }
    output["names"] = {
        name: limits(fields(models[owner])[key][1])
        for name in NAMES
        for owner, key in [name.split(".")]
        if owner in models and key in fields(models[owner])
    }
    output["client"] = client
    return output


def written(described: dict[str, Any]) -> str:
    """JSON with one line a list, so that a change of it can be reviewed."""
    blocks = []
    for name, value in described.items():
        if isinstance(value, dict):
            lines = [f"  {json.dumps(key)}: {json.dumps(value[key])}" for key in value]
            blocks.append(f" {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n }")
        else:
            blocks.append(f" {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(blocks) + "\n}"


if __name__ == "__main__":
    print(written(describe()))
