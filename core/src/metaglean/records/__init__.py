"""The records: what sources yield, processors map and sinks write. One class a kind."""

from __future__ import annotations

import json
from typing import Any

from metaglean.records.base import Entity, LifeCycle, Owner, Record, TagLabel
from metaglean.records.database import Column, Database, Schema, Service, Table, TableConstraint
from metaglean.records.governance import Classification, Tag
from metaglean.records.labels import whole_labels
from metaglean.records.lineage import ColumnLineage, Lineage
from metaglean.records.moving import moved
from metaglean.records.pipeline import Pipeline, PipelineRun, Task, TaskRun
from metaglean.records.profile import ColumnProfile, Profile
from metaglean.records.ref import ANCESTORS, Ref

__all__ = [
    "ANCESTORS", "RECORD_KINDS", "Classification", "Column", "ColumnLineage", "ColumnProfile",
    "Database", "Entity", "LifeCycle", "Lineage", "Owner", "Pipeline", "PipelineRun", "Profile",
    "Record", "Ref", "Schema", "Service", "Table", "TableConstraint", "Tag", "TagLabel", "Task",
    "TaskRun", "dump", "load", "moved", "whole_labels",
]  # fmt: skip

RECORD_KINDS: dict[str, type[Record]] = {
    kind.KIND: kind
    for kind in (
        Service, Database, Schema, Table, Classification, Tag, Pipeline, PipelineRun, Lineage,
        Profile,
    )
}  # fmt: skip


def dump(record: Record) -> str:
    """One line of JSON: `{"record": KIND, …fields that were read}`. `load` gives the same back."""
    return f'{{"record":"{record.KIND}",{record.model_dump_json(exclude_unset=True)[1:]}'


def load(line: str | bytes) -> Record:
    """The record of one line that `dump` wrote.

    Raises ValueError for what is not such a line (pydantic's ValidationError is one).
    """
    data: Any = json.loads(line)
    kind = data.pop("record", None) if isinstance(data, dict) else None
    if kind not in RECORD_KINDS:
        raise ValueError(f"not a record: {kind!r} is none of {', '.join(sorted(RECORD_KINDS))}")
    return RECORD_KINDS[kind].model_validate(data)
