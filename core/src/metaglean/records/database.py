"""Services, databases, schemas and tables."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from metaglean.records.base import Entity, Part, TagLabel

TableType = Literal[
    "Regular", "External", "Dynamic", "View", "SecureView", "MaterializedView", "Iceberg", "Local",
    "Partitioned", "Foreign", "Transient", "Stream", "Stage", "SemanticView",
]  # fmt: skip
ServiceKind = Literal["databaseService", "pipelineService", "dashboardService"]


class Service(Entity):
    """The system that entities come from. It carries name and type, never a connection."""

    KIND: ClassVar[str] = "service"
    service_type: str


class Database(Entity):
    """A database; `default` where the source has none."""

    KIND: ClassVar[str] = "database"


class Schema(Entity):
    """A schema of a database; `default` where the source has none."""

    KIND: ClassVar[str] = "databaseSchema"


class Column(Part):
    """A column. `data_type` is OpenMetadata's word (STRING, LONG, …, UNKNOWN), `data_type_display`
    the source's own; `ordinal_position` counts from 1; `tags_of` is as that of entities."""

    name: str = Field(min_length=1)
    data_type: str = "UNKNOWN"
    data_type_display: str | None = None
    data_length: int | None = None
    array_data_type: str | None = None
    precision: int | None = None
    scale: int | None = None
    display_name: str | None = None
    description: str | None = None
    constraint: Literal["NULL", "NOT_NULL", "UNIQUE", "PRIMARY_KEY"] | None = None
    ordinal_position: int | None = None
    tags: tuple[TagLabel, ...] = ()
    tags_of: tuple[str, ...] | None = None
    children: tuple[Column, ...] = ()


class TableConstraint(Part):
    """A constraint over columns of the table; `referred_columns` are (table ref path + column)."""

    constraint_type: Literal[
        "UNIQUE", "PRIMARY_KEY", "FOREIGN_KEY", "SORT_KEY", "DIST_KEY", "CLUSTER_KEY"
    ]
    columns: tuple[str, ...]
    referred_columns: tuple[tuple[str, ...], ...] = ()


class Table(Entity):
    """A table or view. `schema_definition` is the SQL that defines it."""

    KIND: ClassVar[str] = "table"
    table_type: TableType = "Regular"
    columns: tuple[Column, ...] = ()
    table_constraints: tuple[TableConstraint, ...] = ()
    schema_definition: str | None = None
