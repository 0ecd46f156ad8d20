"""Sources in memory that say everything a record can say, for the recorded bodies.

`stage` 1 is the first reading; 2 is the same systems after changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from metaglean import Config, Run, Source, Step
from metaglean.records import (
    Column,
    ColumnLineage,
    Database,
    LifeCycle,
    Lineage,
    Owner,
    Pipeline,
    PipelineRun,
    Record,
    Ref,
    Schema,
    Service,
    Table,
    TableConstraint,
    TagLabel,
    Task,
    TaskRun,
)
from metaglean_testkit import sample

# The words of the newest list: for older servers the sink must find stand-ins.
DATA_TYPES = (
    "LONG DOUBLE DECIMAL DATE DATETIME STRING VARCHAR CHAR BINARY VARBINARY ARRAY MAP JSON UUID "
    "UNKNOWN IPV4 DATETIMERANGE HLL UINT BITMAP MONEY BIT MEASURE KPI HIERARCHYID"
).split()
LABEL = TagLabel(classification="Testkit", name="Sample")
ANN = Owner(type="user", email="ann@example.com", name="Ann")
START = 1_700_000_000_000
PIPELINES = "record-pipelines"


class StagedConfig(Config):
    """`stage` tells which state of the system is read."""

    stage: Literal[1, 2] = Field(1, description="The state that is read.")


class Staged(Source):
    """Base of them all."""

    Config = StagedConfig
    stored: ClassVar[Mapping[str, Any]] = {}

    def test_connection(self, run: Run) -> Iterator[Step]:
        yield Step("read", ok=True)

    def connection(self, version: tuple[int, int]) -> Mapping[str, Any]:
        return self.stored

    @property
    def later(self) -> bool:
        """Whether this is the second reading."""
        return bool(self.config.stage == 2)


class ManyTables(Staged):
    """The test kit's sample, and a table of every type."""

    type = "record-tables"
    classifications = ("Testkit",)
    connection_types = ("CustomDatabase",)
    stored = {"type": "CustomDatabase", "sourcePythonClass": "none"}

    def read(self, run: Run) -> Iterator[Record]:
        for entity in sample.entities():
            update: dict[str, Any] = {}
            if isinstance(entity, Table | Database | Schema):
                update["description"] = "What is there later." if self.later else "What is there."
            if isinstance(entity, Table) and self.later:
                update["tags"] = ()
            yield entity.model_copy(update=update)
        tables = list(self._tables())
        yield from tables
        yield from _edges(tables)

    def _tables(self) -> Iterator[Table]:
        types = get_args(Table.model_fields["table_type"].annotation)
        for table_type in types:
            is_view = "View" in table_type
            yield Table(
                ref=sample.SCHEMA.child("table", f"as {table_type}"),
                source_id=f"as-{table_type}",
                source_url=f"https://source.example/tables/as-{table_type}",
                table_type=table_type,
                schema_definition=self._definition() if is_view else None,
                columns=tuple(self._columns()),
                table_constraints=tuple(self._constraints()),
                owners=(ANN,),
                tags=(LABEL,),
                life_cycle=LifeCycle(created=START, updated=START + self.config.stage),
            )

    def _definition(self) -> str:
        return "SELECT 2" if self.later else "SELECT 1"

    def _columns(self) -> Iterator[Column]:
        words = [*reversed(DATA_TYPES[1:]), "STRING"] if self.later else DATA_TYPES
        for number, word in enumerate(words):
            name = f"c{number}" if number % 5 or not self.later else f"new{number}"
            yield Column(
                name=name,
                data_type=word,
                data_type_display=word.lower(),
                description=f"Holds {word}.\n\x00<b>🙂",
                display_name=f"Column {number}",
                precision=9 if word == "DECIMAL" else None,
                scale=2 if word == "DECIMAL" else None,
                constraint="NOT_NULL" if number else "PRIMARY_KEY",
                ordinal_position=number + 1,
                tags=(LABEL,) if number % 2 else (),
            )
        inner = Column(name="inner", data_type="STRUCT", children=(Column(name="x::y"),))
        yield Column(name="nested", data_type="STRUCT", children=(inner,))

    def _constraints(self) -> Iterator[TableConstraint]:
        columns = ("c1",)
        yield TableConstraint(constraint_type="UNIQUE", columns=columns)
        yield TableConstraint(constraint_type="CLUSTER_KEY", columns=columns)
        other = (*sample.SCHEMA.path, "orders", "id")
        yield TableConstraint(
            constraint_type="FOREIGN_KEY", columns=columns, referred_columns=(other,)
        )


def _edges(tables: list[Table]) -> Iterator[Lineage]:
    """One edge for each word of how an edge came to be."""
    words = get_args(Lineage.model_fields["source"].annotation)
    first = tables[0].ref
    for word, table in zip(words, tables[1:], strict=False):
        yield Lineage(
            ref=first,
            target=table.ref,
            source=word,
            sql_query="SELECT c1 FROM t",
            description="As the source says.",
            pipeline=Ref("pipeline", (PIPELINES, "daily.load")),
            columns_lineage=(
                ColumnLineage(from_columns=((first, "c1"),), to_column="c2", function="max"),
            ),
        )


class NoDashboards(Staged):
    """A dashboard service: there are no records yet of what would be in it."""

    type = "record-dashboards"
    service_kind = "dashboardService"
    service_type = "DomoDashboard"
    connection_types = ("DomoDashboard",)

    def connection(self, version: tuple[int, int]) -> Mapping[str, Any]:
        access = {"clientId": "id", "secretToken": "hand-made-secret"}
        return {"type": "DomoDashboard", "instanceDomain": "https://domo.example", **access}

    def read(self, run: Run) -> Iterator[Record]:
        yield Service(ref=self.service, service_type=self.service_type)


class ManyPipelines(Staged):
    """Pipelines with tasks of all kinds, and their runs."""

    type = PIPELINES
    service_kind = "pipelineService"
    service_type = "Airflow"
    connection_types = ("Airflow",)
    stored = {
        "type": "Airflow",
        "hostPort": "http://airflow.example:8080",
        "connection": {"type": "Backend"},
    }

    def read(self, run: Run) -> Iterator[Record]:
        yield Service(ref=self.service, service_type=self.service_type)
        pipelines = [self._pipeline(name) for name in ("daily.load", "x" * 120)]
        yield from pipelines
        for pipeline in pipelines:
            for number, status in enumerate(("Successful", "Failed", "Pending", "Skipped")):
                yield self._run(pipeline, number, status)

    def _pipeline(self, name: str) -> Pipeline:
        later = self.later
        tasks = [
            Task(
                name=task,
                display_name=task.title(),
                description="New." if later else "Does it.",
                source_url="https://airflow.example/dags/x/grid?task_id=1",
                task_type="PythonOperator",
                task_sql="SELECT 1",
                downstream_tasks=("check.it",),
                owners=(ANN,),
                tags=(LABEL,),
            )
            for task in ("load", "check.it", "new" if later else "old")
        ]
        return Pipeline(
            ref=self.service.child("pipeline", name),
            source_id=name,
            source_url="https://airflow.example/dags/x",
            display_name="Load",
            description="Loads all, later." if later else "Loads all.",
            owners=(ANN,),
            tags=(LABEL,),
            tasks=tuple(tasks),
            state="Inactive" if later else "Active",
            schedule_interval="@hourly" if later else "@daily",
            concurrency=4,
            pipeline_location="/dags/load.py",
            start_date=START,
        )

    def _run(self, pipeline: Pipeline, number: int, status: Any) -> PipelineRun:
        moment = START + 60_000 * number
        return PipelineRun(
            ref=pipeline.ref,
            timestamp=moment,
            execution_status=status,
            execution_id=f"scheduled__{number}",
            end_time=moment + 1000 + self.later,
            task_status=(
                TaskRun(
                    name="load",
                    execution_status=status,
                    start_time=moment,
                    end_time=moment + 500,
                    log_link="https://airflow.example/log",
                ),
                TaskRun(name="gone", execution_status="Successful"),
            ),
        )
