"""What each model of the API knows: its keys, and the closed lists of words, by version."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from metaglean_testkit.openmetadata.errors import Json, bad
from metaglean_testkit.openmetadata.features import Version

_KEYS = Path(__file__).parent / "keys"
_PACKAGE = "org.openmetadata.schema."
_WHERE = "\n at [Source: (request); line: 1, column: 1] (through reference chain: "

_TAGS = {"tags": "TagLabel"}
_OWNED = {"owner": "EntityReference", "owners": "EntityReference"}
_COMMON = {**_TAGS, **_OWNED, "lifeCycle": "LifeCycle"}
#: Model → its keys that hold other models (or lists of them).
NESTED: dict[str, dict[str, str]] = {
    "CreateTable": {**_COMMON, "columns": "Column", "tableConstraints": "TableConstraint"},
    "Column": {**_TAGS, "children": "Column"},
    "CreateDatabase": _COMMON,
    "CreateDatabaseSchema": _COMMON,
    "CreatePipeline": {**_COMMON, "tasks": "Task"},
    "Task": {**_TAGS, **_OWNED},
    "CreateDashboard": _COMMON,
    "CreateChart": _COMMON,
    "CreateDatabaseService": {**_TAGS, **_OWNED, "connection": "DatabaseConnection"},
    "CreatePipelineService": {**_TAGS, **_OWNED, "connection": "PipelineConnection"},
    "CreateDashboardService": {**_TAGS, **_OWNED, "connection": "DashboardConnection"},
    "PipelineStatus": {"taskStatus": "Status"},
    "AddLineage": {"edge": "EntitiesEdge"},
    "EntitiesEdge": {
        "fromEntity": "EntityReference",
        "toEntity": "EntityReference",
        "lineageDetails": "LineageDetails",
    },
    "LineageDetails": {"columnsLineage": "ColumnLineage", "pipeline": "EntityReference"},
    "CreateIngestionPipeline": {**_OWNED, "service": "EntityReference"},
    "Table": {**_COMMON, "columns": "Column", "tableConstraints": "TableConstraint"},
    "Pipeline": {**_COMMON, "tasks": "Task"},
}
#: Model and key → the closed list, and the class that the server names.
_ENUMS: dict[tuple[str, str], tuple[str, str]] = {
    ("Column", "dataType"): ("DataType", "type.ColumnDataType"),
    ("Column", "arrayDataType"): ("DataType", "type.ColumnDataType"),
    ("Column", "constraint"): ("Constraint", "type.ColumnConstraint"),
    ("CreateTable", "tableType"): ("TableType", "type.TableType"),
    ("Table", "tableType"): ("TableType", "type.TableType"),
    ("TableConstraint", "constraintType"): (
        "ConstraintType",
        "type.TableConstraint$ConstraintType",
    ),
    ("TagLabel", "labelType"): ("LabelType", "type.TagLabel$LabelType"),
    ("TagLabel", "state"): ("State", "type.TagLabel$State"),
    ("TagLabel", "source"): ("TagSource", "type.TagLabel$TagSource"),
    ("PipelineStatus", "executionStatus"): ("StatusType", "type.StatusType"),
    ("Status", "executionStatus"): ("StatusType", "type.StatusType"),
    ("LineageDetails", "source"): ("LineageSource", "type.LineageDetails$Source"),
    ("CreateTeam", "teamType"): ("TeamType", "api.teams.CreateTeam$TeamType"),
    ("CreateDomain", "domainType"): ("DomainType", "api.domains.CreateDomain$DomainType"),
    ("IngestionPipelineStatus", "pipelineState"): (
        "PipelineState",
        "entity.services.ingestionPipelines.PipelineStatusType",
    ),
    ("CreateIngestionPipeline", "pipelineType"): (
        "PipelineType",
        "entity.services.ingestionPipelines.PipelineType",
    ),
} | {
    (f"Create{kind}Service", "serviceType"): (
        f"{kind}ServiceType",
        f"api.services.Create{kind}Service${kind}ServiceType",
    )
    for kind in ("Database", "Pipeline", "Dashboard")
}
#: Models that the server reads without refusing what it doesn't know.
_LENIENT = frozenset({"LineageDetails"})


def _number(stem: str) -> Version:
    parts = [int(part) for part in stem.split(".")[:3] if part.isdigit()]
    major, minor, patch = (*parts, 0, 0, 0)[:3]
    return major, minor, patch


@cache
def _read(path: Path) -> Json:
    """A file of keys; models by the server's names."""
    data: Json = json.loads(path.read_text("utf-8"))
    return {name.removesuffix("Request"): value for name, value in data.items()}


class Models:
    """The models of one version: those of the nearest file that is not above it."""

    def __init__(self, version: Version) -> None:
        files = sorted(_KEYS.glob("*.json"), key=lambda path: _number(path.stem))
        known = [path for path in files if _number(path.stem)[:2] <= version[:2]] or files[:1]
        self.source = known[-1].name
        data = _read(known[-1])
        self._models: dict[str, Json] = {k: v for k, v in data.items() if k != "enums"}
        self._enums: dict[str, list[str]] = data["enums"]
        self._sets = {name: frozenset(words) for name, words in self._enums.items()}
        self._known = {
            name: frozenset(model["properties"])
            for name, model in self._models.items()
            if "properties" in model
        }

    def has(self, model: str, key: str) -> bool:
        """Whether the model has this key."""
        return key in self._known.get(model, ())

    def keys(self, model: str) -> frozenset[str] | None:
        """The keys of a model; `None` for a model that the file doesn't describe."""
        return self._known.get(model)

    def forget(self, model: str, key: str) -> None:
        """Let a model not know a key."""
        listed = [one for one in self._models[model]["properties"] if one != key]
        self._models[model] = {**self._models[model], "properties": listed}
        self._known[model] = frozenset(listed)

    def words(self, enum: str) -> list[str]:
        """A closed list."""
        return list(self._enums.get(enum, ()))

    def check(self, model: str, body: Any, chain: str = "") -> None:
        """Refuse keys and words that this version doesn't know, at any depth.

        Raises `Refused` (400) with the sentence of the server's JSON reader.
        """
        if not isinstance(body, dict):
            shape = "Array value (token `JsonToken.START_ARRAY`)"
            if not isinstance(body, list):
                shape = "value of another type"
            raise bad(
                f"Cannot deserialize value of type `{self._class(model)}` from {shape}{_WHERE}"
            )
        known = self._known.get(model)
        if known is not None and model not in _LENIENT and not known.issuperset(body):
            self._unknown(model, next(key for key in body if key not in known), chain)
        nested = NESTED.get(model, {})
        for key, value in body.items():
            if value is None:
                continue
            if (model, key) in _ENUMS:
                self._word(model, key, value, chain)
            elif key in nested:
                self._nested(nested[key], value, f"{chain}{self._class(model)}[{key!r}]->")

    def _nested(self, model: str, value: Any, chain: str) -> None:
        items: Iterable[Any] = value if isinstance(value, list) else (value,)
        for item in items:
            self.check(model, item, chain)

    def _word(self, model: str, key: str, value: Any, chain: str) -> None:
        enum, class_name = _ENUMS[model, key]
        words = self._sets.get(enum)
        if words and value not in words:
            raise bad(
                f"Cannot construct instance of `{_PACKAGE}{class_name}`, problem: {value}"
                f"{_WHERE}{chain}{self._class(model)}[{key!r}])"
            )

    def _class(self, model: str) -> str:
        return str(self._models.get(model, {}).get("class") or f"{_PACKAGE}{model}")

    def _unknown(self, model: str, key: str, chain: str) -> None:
        known = self._models[model]["properties"]
        count = "one known property" if len(known) == 1 else f"{len(known)} known properties"
        names = ", ".join(f'"{name}"' for name in known)
        raise bad(
            f'Unrecognized field "{key}" (class {self._class(model)}), not marked as ignorable '
            f"({count}: {names}]){_WHERE}{chain}{self._class(model)}[{key!r}])"
        )
