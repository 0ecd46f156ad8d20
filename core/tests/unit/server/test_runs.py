"""Runs of pipelines: only what differs is sent, in bulk where there is bulk."""

from __future__ import annotations

import pytest

from metaglean.builtin.server.resolver import Resolver
from metaglean.builtin.server.runs import RunWriter
from metaglean.errors import ItemError
from metaglean.fqn import build
from metaglean.records import PipelineRun, Ref, TaskRun

PIPELINE = Ref("pipeline", ("p", "a.b"))
NAME = "pipelines/name/p.%22a.b%22"
STATUS = "pipelines/p.%22a.b%22/status"
BULK = f"{STATUS}/bulk"


def fqn(ref):
    return build(ref.path)


def record(timestamp, status="Successful", tasks=(), **more):
    return PipelineRun(
        ref=PIPELINE, timestamp=timestamp, execution_status=status, task_status=tasks, **more
    )


def row(timestamp, status="Successful", tasks=(), **more):
    return {
        "timestamp": timestamp,
        "executionStatus": status,
        "taskStatus": list(tasks),
        **more,
    }


@pytest.fixture
def server(stand_in):
    def make(*stored, version=(1, 2, 0)):
        return stand_in(
            version,
            {
                f"GET {NAME}": {"id": "1", "tasks": [{"name": "t1"}, {"name": "t2"}]},
                f"GET {STATUS}": {"data": list(stored)},
                f"PUT {STATUS}": {"id": "1"},
                f"PUT {BULK}": {"status": "success"},
            },
        )

    return make


def writer(server, run):
    return RunWriter(server, Resolver(server, fqn), run)


def actions(changes):
    assert {change.kind for change in changes} <= {"pipelineRun"}
    return [change.action for change in changes]


def test_only_what_differs_is_sent(server, run):
    there = server(row(2), row(1, "Pending"))
    changes = writer(there, run).write([record(1), record(2), record(3)])
    assert actions(changes) == ["updated", "unchanged", "created"]
    assert changes[0].fields == {"execution_status": ("Pending", "Successful")}
    assert there.sent(STATUS) == [row(1), row(3)]
    assert there.asked(STATUS) == [{"startTs": 1, "endTs": 3}]
    assert not there.sent(BULK)


def test_a_bulk_call_where_there_is_one(server, run):
    there = server(row(2), version=(1, 12, 0))
    changes = writer(there, run).write([record(n) for n in range(1, 252)])
    assert actions(changes).count("created") == 250
    assert [len(bodies) for bodies in there.sent(BULK)] == [100, 100, 50]
    assert not there.sent(STATUS)


def test_one_run_needs_no_bulk_call(server, run):
    there = server(version=(1, 12, 0))
    writer(there, run).write([record(1)])
    assert there.sent(STATUS) == [row(1)]
    assert not there.sent(BULK)


def test_bulk_that_is_not_there_is_tried_once(server, run, no_such_path):
    there = server(version=(1, 12, 0))
    there.answers[f"PUT {BULK}"] = no_such_path
    writing = writer(there, run)
    for start in (1, 11):
        assert actions(writing.write([record(start), record(start + 1)])) == ["created"] * 2
    assert len(there.sent(BULK)) == 1
    assert [body["timestamp"] for body in there.sent(STATUS)] == [1, 2, 11, 12]


@pytest.mark.parametrize("answer", [{"status": "partialSuccess"}, "refused"])
def test_a_bulk_call_that_fails_is_sent_one_by_one(server, run, refusal, answer):
    there = server(version=(2, 0, 0))
    there.answers[f"PUT {BULK}"] = refusal("one is bad") if answer == "refused" else answer
    there.answers[f"PUT {STATUS}"] = lambda body: (
        refusal("this one is bad") if body["timestamp"] == 2 else {}
    )
    changes = writer(there, run).write([record(1), record(2), record(3)])
    assert actions(changes) == ["created", "created"]
    (problem,) = run.report.problems
    assert (problem.count, problem.stage) == (1, "sink")
    assert "this one is bad" in problem.message
    assert there.features.has("statusBulk")


def test_tasks_that_the_pipeline_lacks_are_left_out(server, run):
    there = server()
    tasks = (TaskRun(name="t1", execution_status="Failed"),
             TaskRun(name="gone", execution_status="Failed"))  # fmt: skip
    writing = writer(there, run)
    writing.write([record(1, tasks=tasks)])
    assert there.sent(STATUS) == [row(1, tasks=[{"name": "t1", "executionStatus": "Failed"}])]
    assert there.asked(NAME)[-1] == {"fields": "tasks"}
    writing.report()
    (warning,) = run.report.warnings
    assert warning.message == "1 task runs left out: their pipeline has no such task"


def test_task_names_that_are_given_are_not_asked_for(server, run):
    there = server()
    writer(there, run).write(
        [record(1, tasks=(TaskRun(name="x", execution_status="Failed"),))], ["x"]
    )
    assert there.sent(STATUS)[0]["taskStatus"] == [{"name": "x", "executionStatus": "Failed"}]
    assert there.asked(NAME) == [{}]


def test_a_run_without_tasks_has_an_empty_list(server, run):
    there = server()
    writer(there, run).write([PipelineRun(ref=PIPELINE, timestamp=1, execution_status="Failed")])
    assert there.sent(STATUS) == [row(1, "Failed")]


def test_tasks_that_were_not_read_stay(server, run):
    there = server(row(1, "Pending", [{"name": "t1", "executionStatus": "Pending"}], extra=1))
    writer(there, run).write([PipelineRun(ref=PIPELINE, timestamp=1, execution_status="Failed")])
    assert there.sent(STATUS) == [
        row(1, "Failed", [{"name": "t1", "executionStatus": "Pending"}], extra=1)
    ]


def test_what_was_not_read_stays_and_what_is_empty_goes(server, run):
    stored_task = {
        "name": "t1",
        "executionStatus": "Pending",
        "startTime": 3,
        "logLink": "http://x",
    }
    stored = row(1, "Pending", [stored_task], executionId="r1", endTime=9, executedBy="me")
    there = server(stored, version=(2, 0, 0))
    task = TaskRun(name="t1", execution_status="Failed", log_link=None)
    change = writer(there, run).write([record(1, "Failed", (task,), end_time=None)])[0]
    task_row = {"name": "t1", "executionStatus": "Failed", "startTime": 3}
    assert there.sent(STATUS) == [row(1, "Failed", [task_row], executionId="r1", executedBy="me")]
    assert set(change.fields) == {"execution_status", "end_time", "task_status"}


def test_the_order_of_tasks_is_no_difference(server, run):
    rows = [{"name": n, "executionStatus": "Failed", "endTime": 5} for n in ("t2", "t1")]
    tasks = tuple(TaskRun(name=n, execution_status="Failed", end_time=5) for n in ("t1", "t2"))
    there = server(row(1, tasks=rows))
    assert actions(writer(there, run).write([record(1, tasks=tasks)])) == ["unchanged"]
    changed = (tasks[0], TaskRun(name="t2", execution_status="Failed", end_time=None))
    change = writer(there, run).write([record(1, tasks=changed)])[0]
    assert set(change.fields) == {"task_status"}


def test_a_task_run_several_times_keeps_all_its_rows(server, run):
    tasks = tuple(
        TaskRun(name="t1", execution_status=s, start_time=1) for s in ("Failed", "Successful")
    )
    there = server()
    writer(there, run).write([record(1, tasks=tasks)])
    there.answers[f"GET {STATUS}"] = {"data": there.sent(STATUS)}
    assert len(there.sent(STATUS)[0]["taskStatus"]) == 2
    assert actions(writer(there, run).write([record(1, tasks=tasks)])) == ["unchanged"]


def test_links_are_sent_as_uris(server, run):
    link = "https://x/log?a=b c&d={e}%2Fé%zz#f"
    tasks = (TaskRun(name="t1", execution_status="Failed", log_link=link),)
    there = server()
    writer(there, run).write([record(1, tasks=tasks)])
    sent = there.sent(STATUS)[0]["taskStatus"][0]["logLink"]
    assert sent == "https://x/log?a=b%20c&d=%7Be%7D%2F%C3%A9%25zz#f"


def test_old_servers_know_neither_skipped_nor_execution_ids(server, run):
    given = record(1, "Skipped", execution_id="r1", end_time=9)
    there = server(row(1, "Pending"))
    assert actions(writer(there, run).write([given])) == ["unchanged"]
    there = server(version=(2, 0, 0))
    writer(there, run).write([given])
    assert there.sent(STATUS) == [row(1, "Skipped", executionId="r1", endTime=9)]


def test_what_a_server_calls_unknown_is_left_out_for_the_rest_of_the_run(server, run, refusal):
    there = server(version=(2, 0, 0))
    where = "(class org.openmetadata.schema.entity.data.PipelineStatus), not marked as ignorable"
    there.answers[f"PUT {STATUS}"] = [
        refusal(f'Unrecognized field "executionId" {where}'),
        refusal(f'Unrecognized field "endTime" {where}'),
        refusal(
            "Cannot construct instance of `org.openmetadata.schema.type.StatusType`, "
            "problem: Skipped at [Source: x]"
        ),
        {},
        {},
    ]
    tasks = (TaskRun(name="t1", execution_status="Skipped", end_time=3),)
    writing = writer(there, run)
    given = record(1, "Skipped", tasks, execution_id="r1", end_time=9)
    assert actions(writing.write([given])) == ["created"]
    expected = row(1, "Pending", [{"name": "t1", "executionStatus": "Pending", "endTime": 3}])
    assert there.sent(STATUS)[-1] == expected
    assert run.report.warnings.count == 3
    there.answers[f"GET {STATUS}"] = {"data": [expected]}
    assert actions(writing.write([given])) == ["unchanged"]


def test_a_pipeline_that_is_not_there(server, run):
    there = server()
    del there.answers[f"GET {NAME}"]
    writing = writer(there, run)
    assert actions(writing.write([record(1), record(2)])) == ["skipped", "skipped"]
    assert writing.left_out == {"pipelines": 2}
    assert not there.sent(STATUS)


def test_of_several_with_one_timestamp_the_last_counts(server, run):
    there = server()
    writing = writer(there, run)
    changes = writing.write([record(1, "Failed"), record(1), record(2)])
    assert actions(changes) == ["skipped", "created", "created"]
    assert there.sent(STATUS) == [row(1), row(2)]
    assert writing.left_out["repeated"] == 1


def test_what_stands_must_be_readable(server, run):
    there = server()
    there.answers[f"GET {STATUS}"] = ItemError("500", status=500)
    assert writer(there, run).write([record(1), record(2)]) == []
    (problem,) = run.report.problems
    assert (problem.items, problem.count) == (["p.a.b"], 1)
    assert not there.sent(STATUS)


def test_a_dry_run_writes_nothing(server, dry_run):
    there = server(row(1, "Failed"))
    resolver = Resolver(there, fqn)
    assert actions(RunWriter(there, resolver, dry_run).write([record(1)])) == ["updated"]
    resolver.plan(PIPELINE)
    assert actions(RunWriter(there, resolver, dry_run).write([record(1)])) == ["created"]
    assert not there.sent(STATUS)


def test_nothing_is_nothing(server, run):
    there = server()
    assert writer(there, run).write([]) == []
    assert there.calls == []
