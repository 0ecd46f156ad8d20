"""Lineage, pipeline runs and the run's own status on a real server."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from tests.server.api import Api
from tests.server.real import RealServer

from metaglean import Bearer, Run
from metaglean.builtin.server.client import Server, classify
from metaglean.builtin.server.features import Features, parse_version
from metaglean.builtin.server.lineage import LineageWriter
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.builtin.server.resolver import Resolver
from metaglean.builtin.server.runs import RunWriter
from metaglean.builtin.server.status import StatusReporter
from metaglean.records import ColumnLineage, Lineage, PipelineRun, Ref, TaskRun

NAMES = ("Orders", "a.b/c%d", "ü 😀 \\ ;?#+", 'say "x"')
COLUMNS = ("id", "na.me", 'q"u', "Ä b")
JULY = 1_688_000_000_000


class Place:
    """Tables, and a pipeline with two tasks, in services of a test's own."""

    def __init__(self, real: RealServer, **options: Any) -> None:
        self.api: Api = real.api()
        self.service = Ref("databaseService", (real.scratch("links.db"),))
        self.pipelines = Ref("pipelineService", (real.scratch("links pipes"),))
        self.run = Run(self.service, **options)
        session = self.run.session("OpenMetadata", f"{real.url}/v1", Bearer(real.token),
                                   classify=classify)  # fmt: skip
        version = parse_version(real.version)
        assert version
        self.server = Server(session, Features(version))
        names = ServerNames(self.server.features)
        self.fqn = QualifiedNames(names)
        self.resolver = Resolver(self.server, self.fqn, lambda one: names.stored("column", one))
        self._make(names)

    def _make(self, names: ServerNames) -> None:
        kind = {"serviceType": "CustomDatabase"}
        made = self.api.put("services/databaseServices", {"name": self.service.name, **kind})
        self.service_id = made["id"]
        database = self.service.child("database", "d")
        self.schema = database.child("databaseSchema", "s")
        self.api.put("databases", {"name": "d", "service": self.fqn(self.service)})
        self.api.put("databaseSchemas", {"name": "s", "database": self.fqn(database)})
        columns = [{"name": names.stored("column", name), "dataType": "STRING"} for name in COLUMNS]
        for name in NAMES:
            stored = names.stored("table", name)
            body = {"name": stored, "databaseSchema": self.fqn(self.schema), "columns": columns}
            self.api.put("tables", body)
        kind = {"serviceType": "CustomPipeline"}
        self.api.put("services/pipelineServices", {"name": self.pipelines.name, **kind})
        self.pipeline = self.pipelines.child("pipeline", "load.it/now")
        tasks = [{"name": "t.1"}, {"name": "t2"}]
        service = self.fqn(self.pipelines)
        self.api.put("pipelines", {"name": "load.it/now", "service": service, "tasks": tasks})

    def table(self, name: str) -> Ref:
        return self.schema.child("table", name)

    def edge(self, source: Ref, target: Ref) -> dict[str, Any] | None:
        """The details of an edge, as anybody reads them."""
        ids = [self.api.by_name("tables", self.fqn(ref))["id"] for ref in (source, target)]
        found = self.api.get(f"lineage/table/{ids[0]}", upstreamDepth=0, downstreamDepth=1)
        edges = [edge for edge in found["downstreamEdges"] if edge["toEntity"] == ids[1]]
        return edges[0].get("lineageDetails", {}) if edges else None

    def draw(self, api: Api, source: Ref, target: Ref, details: dict[str, str]) -> None:
        ids = [self.api.by_name("tables", self.fqn(ref))["id"] for ref in (source, target)]
        ends = [{"id": number, "type": "table"} for number in ids]
        edge = {"fromEntity": ends[0], "toEntity": ends[1], "lineageDetails": details}
        api.put("lineage", {"edge": edge})


@pytest.fixture
def place(real_server: RealServer) -> Place:
    return Place(real_server)


def columns(source: Ref, to: str, *names: str) -> ColumnLineage:
    return ColumnLineage(from_columns=tuple((source, name) for name in names), to_column=to)


@pytest.mark.parametrize("name", NAMES)
def test_an_edge_arrives_and_stays(place: Place, name: str) -> None:
    source, target = place.table(name), place.table("Orders" if name != "Orders" else NAMES[1])
    lineage = Lineage(
        ref=source,
        target=target,
        source="QueryLineage",
        sql_query="select 'ä' from x",
        description="d",
        pipeline=place.pipeline,
        columns_lineage=tuple(columns(source, one, one, "id") for one in COLUMNS),
    )
    writer = LineageWriter(place.server, place.resolver, place.run)
    assert writer.write(lineage).action == "created"
    stored = place.edge(source, target)
    assert stored
    assert (stored["source"], stored["sqlQuery"]) == ("QueryLineage", "select 'ä' from x")
    assert stored["pipeline"]["fullyQualifiedName"] == place.fqn(place.pipeline)
    assert len(stored["columnsLineage"]) == len(COLUMNS)
    assert not writer.left_out
    again = LineageWriter(place.server, place.resolver, place.run).write(lineage)
    assert (again.action, again.fields) == ("unchanged", {})
    assert place.edge(source, target) == stored


def test_an_edge_that_a_person_drew_stays(admin_server: RealServer) -> None:
    place = Place(admin_server)
    source, target = place.table("Orders"), place.table(NAMES[1])
    by_hand = {"source": "Manual", "sqlQuery": "mine", "description": "why"}
    admin = admin_server.api(as_admin=True)
    place.draw(admin, source, target, by_hand)
    lineage = Lineage(
        ref=source,
        target=target,
        source="PipelineLineage",
        sql_query="ours",
        columns_lineage=(columns(source, "na.me", "id"), columns(source, "gone", "id")),
    )
    writer = LineageWriter(place.server, place.resolver, place.run)
    change = writer.write(lineage)
    assert (change.action, set(change.fields)) == ("updated", {"columns_lineage"})
    stored = place.edge(source, target) or {}
    assert {key: stored[key] for key in by_hand} == by_hand
    assert len(stored["columnsLineage"]) == 1
    assert writer.left_out == {"columns": 1}


def test_a_column_that_is_gone_does_not_cost_the_edge(place: Place) -> None:
    source, target = place.table("Orders"), place.table(NAMES[1])
    writer = LineageWriter(place.server, place.resolver, place.run)
    old = Lineage(ref=source, target=target, source="QueryLineage",
                  columns_lineage=(columns(source, "id", "id"),))  # fmt: skip
    writer.write(old)
    left = [{"name": "na.me", "dataType": "STRING"}]
    body = {"name": NAMES[1], "databaseSchema": place.fqn(place.schema), "columns": left}
    place.resolver.remember(target, place.api.put("tables", body)["id"])
    new = old.model_copy(update={"columns_lineage": (columns(source, "na.me", "id"),)})
    assert writer.write(new).action == "updated"
    stored = place.edge(source, target) or {}
    assert [entry["toColumn"] for entry in stored["columnsLineage"]] == [
        f'{place.fqn(target)}."na.me"'
    ]


def test_what_is_deleted_is_no_end(place: Place) -> None:
    target = place.table(NAMES[1])
    gone = place.api.by_name("tables", place.fqn(target))["id"]
    place.api.delete(f"tables/{gone}", hardDelete=False, recursive=True)
    writer = LineageWriter(place.server, place.resolver, place.run)
    lineage = Lineage(ref=place.table("Orders"), target=target)
    assert writer.write(lineage).action == "skipped"
    assert writer.left_out == {"edges": 1}


def test_runs_arrive_once(place: Place) -> None:
    tasks = (
        TaskRun(name="t.1", execution_status="Successful", start_time=JULY, end_time=JULY + 5,
                log_link="https://x.example/log?a=b c&e={f}"),
        TaskRun(name="t2", execution_status="Skipped"),
        TaskRun(name="nowhere", execution_status="Failed"),
    )  # fmt: skip
    records = [
        PipelineRun(ref=place.pipeline, timestamp=JULY + number, execution_status=status,
                    execution_id=f"run {number}", end_time=JULY + number + 9, task_status=tasks)
        for number, status in enumerate(("Successful", "Failed", "Pending", "Skipped"))
    ]  # fmt: skip
    writer = RunWriter(place.server, place.resolver, place.run)
    assert [change.action for change in writer.write(records)] == ["created"] * 4
    path = f"pipelines/{quote(place.fqn(place.pipeline), safe='')}/status"
    stored = place.api.get(path, startTs=JULY, endTs=JULY + 9)["data"]
    assert [one["timestamp"] - JULY for one in stored] == [3, 2, 1, 0]
    assert {row["name"] for one in stored for row in one["taskStatus"]} == {"t.1", "t2"}
    again = RunWriter(place.server, place.resolver, place.run).write(records)
    assert [change.action for change in again] == ["unchanged"] * 4
    records[0] = records[0].model_copy(update={"execution_status": "Failed"})
    changes = writer.write(records)
    assert [change.action for change in changes] == ["updated", *["unchanged"] * 3]
    stored = place.api.get(path, startTs=JULY, endTs=JULY)["data"]
    assert (len(stored), stored[0]["executionStatus"]) == (1, "Failed")
    assert not place.run.report.problems.count


@pytest.mark.parametrize("status", ["success", "partialSuccess", "failed", "stopped"])
def test_the_status_of_a_run_stands_at_its_ingestion_pipeline(
    real_server: RealServer, status: str
) -> None:
    place = Place(real_server)
    fqn = f'"{place.service.name}".metaglean run'
    place.run.ingestion_pipeline_fqn = fqn
    ids: list[str | None] = [None, place.service_id]
    reporter = StatusReporter(place.server, place.run, place.service, lambda: ids.pop(0))
    reporter.start()
    assert place.api.find("services/ingestionPipelines", fqn) is None
    reporter.start()
    path = f"services/ingestionPipelines/{quote(fqn, safe='')}/pipelineStatus/{place.run.id}"
    running = place.api.get(path)
    assert running["pipelineState"] == "running"
    place.run.problem("bad", "Orders")
    reporter.finish(status)
    ended = place.api.get(path)
    assert ended["pipelineState"] in {status, "failed" if status == "stopped" else status}
    assert ended["endDate"] >= ended["startDate"] == running["startDate"]
    listed = place.api.get(path.rpartition("/")[0], startTs=JULY, endTs=ended["endDate"])
    assert len(listed["data"]) == 1
    assert not place.run.report.warnings.count


def test_a_pipeline_of_nobody_is_one_warning(place: Place) -> None:
    place.run.ingestion_pipeline_fqn = "links_nobody.metaglean"
    reporter = StatusReporter(place.server, place.run, place.service, lambda: place.service_id)
    reporter.start()
    reporter.finish("success")
    assert (place.run.report.warnings.count, place.run.report.problems.count) == (1, 0)
