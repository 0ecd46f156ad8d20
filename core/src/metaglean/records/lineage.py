"""Lineage: an edge between two entities, either of which may belong to another service."""

from __future__ import annotations

from typing import ClassVar, Literal

from metaglean.records.base import Part, Record
from metaglean.records.ref import Ref

LineageSource = Literal[
    "Manual", "ViewLineage", "QueryLineage", "PipelineLineage", "DashboardLineage", "DbtLineage",
    "SparkLineage", "OpenLineage", "ExternalTableLineage", "CrossDatabaseLineage", "ChildAssets",
]  # fmt: skip


class ColumnLineage(Part):
    """`from_columns` are (ref, column name) pairs; `to_column` is a column of the edge's target."""

    from_columns: tuple[tuple[Ref, str], ...]
    to_column: str
    function: str | None = None


class Lineage(Record):
    """Data flows from `ref` to `target`; the sink resolves both ends by name."""

    KIND: ClassVar[str] = "lineage"
    target: Ref
    source: LineageSource = "Manual"
    sql_query: str | None = None
    description: str | None = None
    pipeline: Ref | None = None
    columns_lineage: tuple[ColumnLineage, ...] = ()
