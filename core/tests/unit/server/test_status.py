"""The run's status arrives where the workflow wants it, and a refusal is one warning."""

from __future__ import annotations

import pytest

from metaglean.builtin.server.status import StatusReporter
from metaglean.errors import AccessDenied, RemoteError
from metaglean.http.response import UnexpectedBody
from metaglean.records import Ref
from metaglean.run import Run

SERVICE = Ref("databaseService", ("my.service",))
FQN = '"my.service".metaglean 1'
LIST = "services/ingestionPipelines"
NAME = f"{LIST}/name/%22my.service%22.metaglean%201"
STATUS = f"{LIST}/%22my.service%22.metaglean%201/pipelineStatus"
TOKEN = "eyJ-the-token-of-the-servers-bot"
STORED = {
    "fullyQualifiedName": FQN,
    "openMetadataServerConnection": {"securityConfig": {"jwtToken": TOKEN}, "type": "****"},
}


class Clock:
    """Two seconds pass between start and end."""

    seconds = 1_700_000_000.5

    def now(self):
        return self.seconds

    def monotonic(self):
        return self.seconds

    def wake(self):
        pass


def new_run(fqn=FQN, **options):
    run = Run(SERVICE, clock=Clock(), run_id="11-22", **options)
    run.ingestion_pipeline_fqn = fqn
    return run.at("sink")


@pytest.fixture
def server(stand_in):
    def make(version=(1, 2, 0), **answers):
        there = {
            f"GET {NAME}": STORED,
            f"PUT {LIST}": STORED,
            f"GET {STATUS}/11-22": UnexpectedBody("an empty body", status=204),
            f"PUT {STATUS}": {},
        }
        return stand_in(version, there)

    return make


def reporter(server, run, service_id="5", **options):
    return StatusReporter(server, run, SERVICE, lambda: service_id, **options)


def states(server):
    return [body["pipelineState"] for body in server.sent(STATUS)]


START = {"runId": "11-22", "timestamp": 1_700_000_000_500, "startDate": 1_700_000_000_500}


def test_a_run_from_its_start_to_its_end(server):
    there, run = server(), new_run()
    reporting = reporter(there, run)
    reporting.start()
    reporting.start()
    run.clock.seconds += 2
    reporting.finish("partialSuccess")
    assert there.sent(STATUS) == [
        {**START, "pipelineState": "queued"},
        {**START, "pipelineState": "running"},
        {**START, "pipelineState": "partialSuccess", "endDate": 1_700_000_002_500},
    ]
    assert not there.sent(LIST)
    assert not run.report.warnings.count


def test_the_token_in_the_answer_is_a_secret(server):
    run = new_run()
    reporter(server(), run).start()
    assert TOKEN not in run.redactor.clean(f"a {TOKEN}")
    assert run.redactor.clean("****") == "****"


def test_a_pipeline_that_is_not_there_is_made(server):
    there, run = server(), new_run()
    del there.answers[f"GET {NAME}"]
    reporter(there, run).start()
    assert there.sent(LIST) == [
        {
            "name": "metaglean 1",
            "pipelineType": "metadata",
            "service": {"id": "5", "type": "databaseService"},
            "sourceConfig": {"config": {"type": "DatabaseMetadata"}},
            "airflowConfig": {},
        }
    ]
    assert states(there) == ["queued", "running"]


def test_on_a_first_run_the_service_comes_later(server):
    there, run = server(), new_run()
    del there.answers[f"GET {NAME}"]
    ids = [None, None, "5"]
    reporting = StatusReporter(there, run, SERVICE, lambda: ids.pop(0))
    reporting.start()
    reporting.start()
    assert not there.sent(LIST)
    reporting.finish("success")
    assert len(there.sent(LIST)) == 1
    assert states(there) == ["queued", "running", "success"]
    assert not run.report.warnings.count


def test_a_service_that_never_came_is_one_warning(server):
    there, run = server(), new_run()
    del there.answers[f"GET {NAME}"]
    reporting = reporter(there, run, None)
    reporting.start()
    reporting.finish("failed")
    assert run.report.warnings.count == 1
    assert not there.sent(STATUS)


@pytest.mark.parametrize(
    "fqn", ["other.metaglean", "metaglean", "my.service.metaglean", "a..b", '"a']
)
def test_a_pipeline_of_another_service_is_not_made(server, fqn):
    there, run = server(), new_run(fqn)
    reporting = reporter(there, run)
    reporting.start()
    reporting.finish("success")
    assert not there.sent(LIST)
    (warning,) = run.report.warnings
    assert (warning.count, "can't be reported" in warning.message) == (1, True)


def test_who_queued_the_run_has_said_when(server):
    there, run = server(), new_run()
    there.answers[f"GET {STATUS}/11-22"] = {
        "runId": "11-22", "pipelineState": "queued", "timestamp": 7, "startDate": 6,
    }  # fmt: skip
    reporter(there, run).start()
    assert there.sent(STATUS) == [
        {"runId": "11-22", "timestamp": 7, "startDate": 6, "pipelineState": "running"}
    ]


def test_newer_servers_get_the_steps(server):
    there, run = server((1, 3, 1)), new_run()
    run.redactor.add("hunter22")
    report = run.report
    report.count("source", "table", "read", 5)
    report.count("source", "table", "filtered", 2)
    report.count("sink", "table", "created", 3)
    report.count("sink", "table", "updated", 1)
    report.count("sink", "table", "deleted", 4)
    for number in range(12):
        run.problem(f"bad {'abcdefghijkl'[number]}", "Orders hunter22")
    run.problem("bad a", "Lines")
    reporter(there, run).finish("failed")
    source, sink, deletion = there.sent(STATUS)[-1]["status"]
    assert source == {
        "name": "source", "records": 5, "updated_records": 0, "filtered": 2, "warnings": 0,
        "errors": 0, "failures": [],
    }  # fmt: skip
    assert (sink["records"], sink["updated_records"], sink["errors"]) == (3, 1, 13)
    assert len(sink["failures"]) == 10
    assert sink["failures"][0] == {"name": "Orders ***", "error": "bad a (2 alike)"}
    assert (deletion["name"], deletion["records"]) == ("deletion", 4)
    assert "hunter22" not in str(there.calls)


def test_old_servers_do_not_get_the_steps(server):
    there = server((1, 2, 0))
    reporter(there, new_run()).finish("success")
    assert "status" not in there.sent(STATUS)[-1]


def test_a_field_called_unknown_is_left_out(server, refusal):
    there, run = server((1, 3, 0)), new_run()
    there.answers[f"PUT {STATUS}"] = lambda body: (
        refusal('Unrecognized field "status" (class org.x.ingestionPipelines.PipelineStatus)')
        if "status" in body
        else {}
    )
    reporter(there, run).finish("success")
    assert states(there) == ["queued", "running", "success", "success"]
    assert run.report.warnings.count == 1


@pytest.mark.parametrize(
    ("version", "told"), [((1, 2, 0), "failed"), ((1, 13, 0), "stopped"), ((2, 0, 7), "stopped")]
)
def test_a_stopped_run(server, version, told):
    there = server(version)
    reporter(there, new_run()).finish("stopped")
    assert states(there)[-1] == told


def test_a_server_that_does_not_know_stopped(server, refusal):
    there, run = server((1, 13, 0)), new_run()
    there.answers[f"PUT {STATUS}"] = lambda body: (
        refusal("Cannot construct instance of `org.x.PipelineStatusType`, problem: stopped")
        if body["pipelineState"] == "stopped"
        else {}
    )
    reporter(there, run).finish("stopped")
    assert states(there)[-1] == "failed"
    assert not run.report.warnings.count


def test_a_run_that_was_stopped_ends_over_a_connection_of_its_own(server):
    first, second, run = server(), server(), new_run()
    reporting = reporter(first, run, reconnect=lambda: second)
    reporting.start()
    run.stop()
    reporting.finish("stopped")
    assert (states(first), states(second)) == (["queued", "running"], ["failed"])


def test_another_run_of_the_same_millisecond(server, refusal):
    there, run = server(), new_run()
    taken = START["timestamp"]
    there.answers[f"PUT {STATUS}"] = lambda body: (
        refusal("Entity already exists", 409) if body["timestamp"] == taken else {}
    )
    reporter(there, run).finish("success")
    assert {body["timestamp"] for body in there.sent(STATUS)} == {taken, taken + 1}
    assert states(there)[-1] == "success"
    there.answers[f"PUT {STATUS}"] = refusal("Entity already exists", 409)
    reporter(there, run).finish("success")
    assert run.report.warnings.count == 1


ERRORS = [AccessDenied("403", status=403), RemoteError("away"), KeyError("odd answer")]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("where", [f"GET {NAME}", f"GET {STATUS}/11-22", f"PUT {STATUS}"])
def test_a_refusal_is_one_warning_and_the_end_of_it(server, where, error):
    there, run = server(), new_run()
    there.answers[where] = error
    reporting = reporter(there, run)
    reporting.start()
    calls = len(there.calls)
    reporting.start()
    reporting.finish("success")
    assert len(there.calls) == calls
    assert (run.report.warnings.count, run.report.problems.count) == (1, 0)
    assert run.report.features_off.keys() == {"run status"}


def test_a_signal_is_not_swallowed(server):
    there = server()
    there.answers[f"GET {NAME}"] = lambda given: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        reporter(there, new_run()).start()


@pytest.mark.parametrize("run", [new_run(None), new_run(dry_run=True)], ids=["unasked", "dry run"])
def test_nothing_is_reported(server, run):
    there = server()
    reporting = reporter(there, run)
    reporting.start()
    reporting.finish("success")
    assert there.calls == []
