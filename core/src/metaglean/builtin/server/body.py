"""What a record wants to stand on the server. Pure: record in, values out.

Only fields that were read are in the values; what was read and is empty is there as None or [].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from metaglean.builtin.server.client import Json
from metaglean.builtin.server.wire import ONLY_OF, VIEWS
from metaglean.fqn import NameRules
from metaglean.records import (
    Column,
    Entity,
    LifeCycle,
    Pipeline,
    Ref,
    Table,
    TableConstraint,
    TagLabel,
    Task,
)

Labels = Callable[[Iterable[TagLabel]], list[Json]]
Owners = Callable[[Iterable[Any]], list[Json]]
Note = Callable[[str], None]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WITH_LENGTH = frozenset({"CHAR", "VARCHAR", "BINARY", "VARBINARY"})


class Bodies:
    """Turns records into values. `labels` gives the labels whose tags stand on the server, `owners`
    the references of those who stand there."""

    def __init__(
        self, names: NameRules, qualified: Callable[[Ref], str], labels: Labels, owners: Owners
    ) -> None:
        self._names = names
        self._qualified = qualified
        self._labels = labels
        self._owners = owners

    def values(self, record: Entity, note: Note) -> Json:
        """The values of one record; `note` is told what had to be left out."""
        read = record.model_fields_set
        values: Json = {}
        if "display_name" in read:
            values["displayName"] = clean(record.display_name)
        if "description" in read:
            values["description"] = clean(record.description)
        if "source_url" in read and record.source_url:
            values["sourceUrl"] = clean(record.source_url)
        if "owners" in read:
            values["owners"] = self._owners(record.owners)
        if "tags" in read:
            values["tags"] = self._labels(record.tags)
            if record.tags_of is not None:
                values[ONLY_OF] = self._classifications(record.tags_of)
        if record.life_cycle and (stamps := _life_cycle(record.life_cycle)):
            values["lifeCycle"] = stamps
        if isinstance(record, Table):
            values |= self._table(record, note)
        elif isinstance(record, Pipeline):
            values |= clean(self._pipeline(record))
        return values

    # -- tables -----------------------------------------------------------------------------------

    def _table(self, record: Table, note: Note) -> Json:
        read = record.model_fields_set
        values: Json = {}
        if "table_type" in read:
            values["tableType"] = record.table_type
        if "columns" in read:
            values["columns"] = self._columns(record.columns, note)
        if "table_constraints" in read:
            known = None if "columns" not in read else {c["name"] for c in values["columns"]}
            values["tableConstraints"] = self._constraints(record.table_constraints, known)
        if "schema_definition" in read:
            is_view = record.table_type in VIEWS if "table_type" in read else True
            values["definition"] = clean(record.schema_definition) if is_view else None
        return values

    def _columns(self, columns: Sequence[Column], note: Note) -> list[Json]:
        """Servers match columns without regard to case: of two that differ only in it, or are
        stored alike, the first stays."""
        found: dict[str, Json] = {}
        for column in columns:
            value = self._column(column, note)
            if found.setdefault(value["name"].casefold(), value) is not value:
                note(f"column {column.name!r} left out: another one has its name")
        return list(found.values())

    def _column(self, column: Column, note: Note) -> Json:
        stored = self._stored(column.name)
        value: Json = {"name": stored, "dataType": column.data_type}
        display = column.display_name or (column.name if stored != column.name else None)
        precision = column.precision
        scale = column.scale if precision is not None else None
        if scale is not None and precision is not None and scale > precision:
            scale = None
        array = column.array_data_type
        length = column.data_length
        optional = {
            "displayName": clean(display),
            "description": clean(column.description),
            "dataTypeDisplay": clean(column.data_type_display),
            "dataLength": 1 if length is None and column.data_type in _WITH_LENGTH else length,
            "arrayDataType": "UNKNOWN" if array is None and column.data_type == "ARRAY" else array,
            "precision": precision,
            "scale": scale,
            "constraint": column.constraint,
            "ordinalPosition": column.ordinal_position,
            "tags": self._labels(column.tags) if "tags" in column.model_fields_set else None,
            ONLY_OF: None if column.tags_of is None else self._classifications(column.tags_of),
        }
        value |= {key: given for key, given in optional.items() if given is not None}
        if column.children or column.data_type == "STRUCT":
            value["children"] = self._columns(column.children, note)
        return value

    def _classifications(self, names: Iterable[str]) -> list[str]:
        return sorted({self._names.stored("classification", name) for name in names})

    def _stored(self, column: str) -> str:
        return self._names.stored("column", self._names.fit("column", column)) or "_"

    def _constraints(
        self, constraints: Iterable[TableConstraint], known: set[str] | None
    ) -> list[Json]:
        found = []
        for one in constraints:
            columns = [self._stored(name) for name in one.columns]
            if known is None or known.issuperset(columns):
                value: Json = {"constraintType": one.constraint_type, "columns": columns}
                if one.referred_columns:
                    value["referredColumns"] = [
                        self._qualified(Ref("column", path)) for path in one.referred_columns
                    ]
                found.append(value)
        return found

    # -- pipelines --------------------------------------------------------------------------------

    def _pipeline(self, record: Pipeline) -> Json:
        read = record.model_fields_set
        values: Json = {}
        if "tasks" in read:
            values["tasks"] = [self._task(task) for task in record.tasks]
        scalars = {
            "state": record.state,
            "schedule_interval": record.schedule_interval,
            "concurrency": record.concurrency,
            "pipeline_location": record.pipeline_location,
            "start_date": record.start_date,
        }
        for name, value in scalars.items():
            if name in read:
                values[_camel(name)] = value
        return values

    def _task(self, task: Task) -> Json:
        optional = {
            "displayName": task.display_name,
            "description": task.description,
            "sourceUrl": task.source_url,
            "taskType": task.task_type,
            "taskSQL": task.task_sql,
            "downstreamTasks": list(task.downstream_tasks) or None,
            "owners": self._owners(task.owners) or None,
            "tags": self._labels(task.tags) if "tags" in task.model_fields_set else None,
        }
        return {"name": task.name} | {k: v for k, v in optional.items() if v is not None}


def clean(value: Any) -> Any:
    """The value without control characters: a server answers 500 to NUL, and half of a surrogate
    pair can't be sent at all."""
    if value is None:
        return value
    if isinstance(value, str):
        return _CONTROL.sub("\ufffd", value) if _CONTROL.search(value) else value
    if isinstance(value, list):
        return [clean(one) for one in value]
    if isinstance(value, dict):
        return {key: clean(one) for key, one in value.items()}
    return value


def _life_cycle(stamps: LifeCycle) -> Json:
    found = {"created": stamps.created, "updated": stamps.updated}
    return {key: {"timestamp": value} for key, value in found.items() if value is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
