"""The settings of `sourceConfig.config`, by kind of source, with the peer's keys and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from metaglean.filters import Filters, Pattern
from metaglean.settings import Config

_NO_SQL = "there is nothing of the kind in systems that are read so far"


class FilterPattern(Config):
    """`includes` and `excludes`: regular expressions, matched at the start, ignoring case."""

    includes: tuple[str, ...] = Field((), description="Keep what one of these matches.")
    excludes: tuple[str, ...] = Field((), description="Drop what one of these matches; wins.")


class SourceOptions(Config):
    """What every source understands."""

    DELETABLE: ClassVar[Mapping[str, str]] = {}
    """Kind → the attribute (of type bool) that switches its deletion on."""
    PATTERNS: ClassVar[Mapping[str, str]] = {}
    """Kind → the attribute that holds its filter pattern."""

    type: str | None = Field(None, description="The kind of source configuration.")
    threads: int | None = Field(
        None, ge=1, le=64, description="Workers for detail calls; 8 if not given."
    )
    override_metadata: bool = Field(
        False, description="Also replace what would otherwise be kept in the target."
    )
    use_fqn_for_filtering: bool = Field(
        False, description="Match filter patterns against service.database.schema.table."
    )

    def filters(self) -> Filters:
        """The filter patterns, compiled. Raises ConfigError for an invalid expression."""
        patterns = {}
        for kind, attribute in self.PATTERNS.items():
            pattern: FilterPattern | None = getattr(self, attribute)
            if pattern and (pattern.includes or pattern.excludes):
                key = type(self).model_fields[attribute].alias or attribute
                patterns[kind] = Pattern(key, pattern.includes, pattern.excludes)
        return Filters(patterns, self.use_fqn_for_filtering)

    def deletes(self, kind: str) -> bool:
        """Whether entities of this kind are marked deleted once they are gone at the source."""
        attribute = self.DELETABLE.get(kind)
        return bool(attribute and getattr(self, attribute))


class DatabaseOptions(SourceOptions):
    """`sourceConfig.config` of database sources (`type: DatabaseMetadata`)."""

    DELETABLE: ClassVar[Mapping[str, str]] = {
        "table": "mark_deleted_tables",
        "databaseSchema": "mark_deleted_schemas",
        "database": "mark_deleted_databases",
    }
    PATTERNS: ClassVar[Mapping[str, str]] = {
        "database": "database_filter_pattern",
        "databaseSchema": "schema_filter_pattern",
        "table": "table_filter_pattern",
    }
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "markAllDeletedTables": "deletion is always limited to the scope that was listed",
        "markDeletedStoredProcedures": _NO_SQL,
        "includeStoredProcedures": _NO_SQL,
        "storedProcedureFilterPattern": _NO_SQL,
        "queryLogDuration": "query logs are not read",
        "queryParsingTimeoutLimit": "no SQL is parsed",
        "viewParsingTimeoutLimit": "no SQL is parsed",
        "includeCustomProperties": "there are no custom properties at the source",
        "ownerConfig": "owners come from the source",
        "incremental": "every run lists everything; unchanged entities are not written",
        "extractJsonSchema": _NO_SQL,
        "jsonSchemaSampleSize": _NO_SQL,
    }

    type: Literal["DatabaseMetadata"] | None = Field(
        None, description="DatabaseMetadata (may be left out)."
    )
    mark_deleted_tables: bool = Field(
        True, description="Soft-delete tables that are gone at the source."
    )
    mark_deleted_schemas: bool = Field(False, description="The same for schemas.")
    mark_deleted_databases: bool = Field(False, description="The same for databases.")
    include_tables: bool = Field(True, description="Read tables.")
    include_views: bool = Field(True, description="Read views.")
    include_tags: bool = Field(True, description="Read tags.")
    include_owners: bool = Field(False, description="Read owners.")
    include_ddl: bool = Field(
        False, alias="includeDDL", description="Accepted; view SQL is always read."
    )
    database_filter_pattern: FilterPattern | None = Field(None, description="Which databases.")
    schema_filter_pattern: FilterPattern | None = Field(None, description="Which schemas.")
    table_filter_pattern: FilterPattern | None = Field(None, description="Which tables.")


class ProfilerOptions(DatabaseOptions):
    """`sourceConfig.config` with `type: Profiler`: read the source, profile each table."""

    type: Literal["Profiler"] = Field("Profiler", description="Profiler.")  # type: ignore[assignment]  # narrows the parent's literal on purpose
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        **DatabaseOptions.WITHOUT_EFFECT,
        "classificationFilterPattern": "tables are chosen by name",
        "computeTableMetrics": "the profiler decides",
        "computeColumnMetrics": "the profiler decides",
        "useStatistics": "the profiler decides",
        "randomizedSample": "the profiler decides",
        "timeoutSeconds": "each call has its own time-out",
        "metrics": "the profiler decides",
        "processingEngine": "there is one engine",
        "profileSampleConfig": "the profiler decides",
        "profileSample": "the profiler decides",
        "profileSampleType": "the profiler decides",
        "generateSampleData": "sample data is not stored",
        "processPiiSensitive": "sample data is not stored",
        "confidence": "sample data is not stored",
        "sampleDataCount": "sample data is not stored",
    }
    SPELLINGS: ClassVar[Mapping[str, str]] = {"threadCount": "threads"}

    include_views: bool = Field(False, description="Profile views as well.")


def schema_defaults(options: type[SourceOptions]) -> dict[str, Any]:
    """Key → default of every option, as the docs list them."""
    return {
        field.alias or name: field.default
        for name, field in options.model_fields.items()
        if not field.is_required()
    }
