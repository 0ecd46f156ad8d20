"""A whole workflow through the sink: lineage, pipeline runs, and how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.real import RealServer

from metaglean import Change, Workflow
from metaglean.records import (
    Column,
    ColumnLineage,
    Database,
    Lineage,
    Record,
    Ref,
    Schema,
    Service,
    Table,
    dump,
)


def records(service: str) -> list[Record]:
    top = Ref("databaseService", (service,))
    database = top.child("database", "d")
    schema = database.child("databaseSchema", "x")
    tables = [schema.child("table", f"t{number}") for number in range(30)]
    columns = (Column(name="a.b", data_type="STRING"),)
    edges = ColumnLineage(from_columns=((tables[0], "a.b"),), to_column="a.b")
    return [
        Service(ref=top, service_type="CustomDatabase"),
        Database(ref=database),
        Schema(ref=schema),
        *(Table(ref=ref, columns=columns) for ref in tables),
        *(
            Lineage(ref=tables[0], target=ref, source="QueryLineage", columns_lineage=(edges,))
            for ref in tables[1:]
        ),
        Lineage(ref=tables[0], target=schema.child("table", "nowhere")),
    ]


class Flow:
    """The records of a file, into the server."""

    def __init__(self, server: RealServer, folder: Path) -> None:
        self.api = server.api()
        self.service = server.scratch("reported")
        self.changes: list[Change] = []
        path = folder / "records.jsonl"
        path.write_text("".join(f"{dump(one)}\n" for one in records(self.service)))
        self.config: dict[str, Any] = {
            "source": {
                "type": "file",
                "serviceName": self.service,
                "serviceConnection": {"config": {"type": "File", "path": str(path)}},
                "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
            },
            "ingestionPipelineFQN": f"{self.service}.nightly",
            "workflowConfig": {
                "openMetadataServerConfig": {
                    "hostPort": server.url,
                    "authProvider": "openmetadata",
                    "securityConfig": {"jwtToken": server.token},
                }
            },
        }

    def execute(self, **options: Any) -> Workflow:
        workflow = Workflow.create(
            self.config, silent=True, on_change=self.changes.append, **options
        )
        workflow.execute()
        return workflow

    def state(self, workflow: Workflow) -> Any:
        assert workflow.run
        path = f"services/ingestionPipelines/{self.service}.nightly/pipelineStatus"
        return (self.api.get(f"{path}/{workflow.run.id}") or {}).get("pipelineState")

    def actions(self, kind: str) -> list[str]:
        return [one.action for one in self.changes if (one.kind or one.ref.kind) == kind]


@pytest.fixture
def flow(real_server: RealServer, tmp_path: Path) -> Flow:
    return Flow(real_server, tmp_path)


def test_a_first_and_a_second_run(flow: Flow) -> None:
    first = flow.execute()
    assert (first.error, flow.state(first)) == (None, "success")
    assert flow.actions("lineage") == ["created"] * 29 + ["skipped"]
    flow.changes.clear()
    second = flow.execute()
    assert (second.error, flow.state(second)) == (None, "success")
    assert {one.action for one in flow.changes} == {"unchanged", "skipped"}
    assert flow.state(first) == "success"
    assert second.run
    (system,) = second.run.report.systems
    assert system.as_dict()["calls"] <= 31 + 29 + 25  # each table once, each edge once


def test_a_dry_run_finds_what_it_would_create_and_says_nothing(flow: Flow) -> None:
    workflow = flow.execute(dry_run=True)
    assert workflow.error is None
    assert flow.actions("lineage") == ["created"] * 29 + ["skipped"]
    assert flow.api.find("services/databaseServices", flow.service) is None
    assert flow.api.find("services/ingestionPipelines", f"{flow.service}.nightly") is None


def test_a_run_that_is_stopped_says_so(flow: Flow) -> None:
    def stop(change: Change) -> None:
        if change.ref.kind == "table":
            workflow.stop()

    workflow = Workflow.create(flow.config, silent=True, on_change=stop)
    workflow.execute()
    assert workflow.status == "stopped"
    assert flow.state(workflow) in {"stopped", "failed"}
