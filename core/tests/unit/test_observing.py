"""Observers are told what happens, and none of them changes a run."""

from __future__ import annotations

import threading
import time

import pytest

from metaglean import (
    Change,
    Config,
    Database,
    Listed,
    Observer,
    Ref,
    RemoteError,
    Run,
    Schema,
    Source,
    Step,
    Table,
    observing,
)
from metaglean.errors import ConfigError, Interrupted, PluginError
from metaglean.plugins import Registry
from metaglean_testkit import Classes, MemorySink, run_classes

SECRET = "hunter2-hunter2"


class Shop(Source):
    type = "shop"
    number = 3
    ending: BaseException | None = None

    def test_connection(self, run):
        yield Step("read", True)

    def read(self, run):
        database = self.service.child("database", "d")
        schema = database.child("databaseSchema", "s")
        yield Database(ref=database)
        yield Schema(ref=schema)
        inventory = [Listed(str(n), f"t{n}") for n in range(self.number)]
        for ref, listed in run.listing("table", schema).over(inventory):
            yield Table(ref=ref, source_id=listed.id, columns=(), description=f"see {SECRET}")
        run.redactor.add(SECRET)
        run.problem(f"a problem with {SECRET}", "t1", hint=SECRET)
        run.warn(f"a warning: https://u:p@host/?token=abc {SECRET}")
        if self.ending:
            raise self.ending


class Diary(Observer):
    """Writes down what it is told; `at` names the call at which `trouble` happens."""

    type = "diary"
    at = ""
    trouble = staticmethod(lambda: None)
    calls: list = []
    threads: set = set()

    def _write(self, name, *arguments):
        Diary.calls.append((name, *arguments))
        Diary.threads.add(threading.current_thread().name)
        if name == self.at:
            self.trouble()

    def started(self, run):
        self._write("started", run)

    def phase_began(self, phase):
        self._write("phase_began", phase)

    def phase_ended(self, phase):
        self._write("phase_ended", phase)

    def changed(self, changes):
        self._write("changed", changes)

    def noticed(self, notices):
        self._write("noticed", notices)

    def called(self, systems):
        self._write("called", systems)

    def ended(self, report):
        self._write("ended", report)


class Other(Diary):
    type = "other"

    def __init__(self, config):
        super().__init__(config)
        self.at = ""


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(Diary, "calls", [])
    monkeypatch.setattr(Diary, "threads", set())


def workflow(*observers):
    return {
        "source": {"type": "shop", "serviceName": "svc", "serviceConnection": {"config": {}}},
        "sink": {"type": "memory"},
        "observers": [{"type": observer.type} for observer in observers],
    }


def run(*observers, source=Shop, **options):
    return run_classes(workflow(*observers), source, MemorySink, *observers, **options)


def warnings(outcome):
    return [one["message"] for one in outcome.report["warnings"] if one["stage"] == "observer"]


def named(name):
    return [call[1] for call in Diary.calls if call[0] == name]


def test_it_is_told_everything_in_order():
    outcome = run(Diary)
    assert outcome.exit_code == 0
    names = [call[0] for call in Diary.calls]
    assert (names[0], names[-1]) == ("started", "ended")
    began = [phase.name for phase in named("phase_began")]
    ended = [phase.name for phase in named("phase_ended")]
    assert began == ["open", "write", "read", "delete", "close"]
    assert ended == ["open", "read", "write", "delete", "close"]
    assert all(phase.ended >= phase.began for phase in named("phase_ended"))
    changes = [change for batch in named("changed") for change in batch]
    assert [str(change.ref) for change in changes if change.ref.kind == "table"] == [
        "svc.d.s.t0", "svc.d.s.t1", "svc.d.s.t2",
    ]  # fmt: skip
    notices = [notice for batch in named("noticed") for notice in batch]
    assert [(notice.level, notice.stage, notice.item) for notice in notices] == [
        ("problem", "source", "t1"), ("warning", "source", ""),
    ]  # fmt: skip
    about, report = named("started")[0], named("ended")[0]
    assert (about.source, about.sink, str(about.service)) == ("shop", "memory", "svc")
    assert report["status"] == "partialSuccess"
    assert Diary.threads == {"metaglean-observer-diary"}
    assert SECRET not in repr(Diary.calls)
    assert "abc" not in repr(notices)


def test_changes_come_in_batches(monkeypatch):
    monkeypatch.setattr(observing, "BATCH", 10)
    monkeypatch.setattr(observing, "BATCH_SECONDS", 60.0)
    run(Diary, source=type("Many", (Shop,), {"number": 25}))
    assert [len(batch) for batch in named("changed")] == [10, 10, 8]


@pytest.mark.parametrize("ending", [RemoteError("away"), ValueError("bug"), Interrupted(15)])
def test_a_run_that_fails(ending):
    outcome = run(Diary, source=type("Failing", (Shop,), {"ending": ending}))
    assert outcome.exit_code in {1, 3, 143}
    failed = [phase.name for phase in named("phase_ended") if phase.error]
    assert failed == ["read"]
    assert named("ended")[0]["exit_code"] == outcome.exit_code


FAILURES = [
    ValueError("bug"),
    SystemExit(1),
    KeyboardInterrupt(),
    RemoteError("away"),
    MemoryError(),
]


CALLS = ["started", "phase_began", "phase_ended", "changed", "noticed", "called", "ended"]


@pytest.mark.parametrize(
    ("at", "error"), [*((at, FAILURES[0]) for at in CALLS), *(("changed", e) for e in FAILURES[1:])]
)
def test_one_that_fails_is_one_warning(at, error, monkeypatch):
    def trouble():
        raise error

    monkeypatch.setattr(Diary, "at", at)
    monkeypatch.setattr(Diary, "trouble", staticmethod(trouble))
    alone, outcome = run(), run(Diary)
    assert outcome.exit_code == alone.exit_code
    assert outcome.report["counts"] == alone.report["counts"]
    assert len(warnings(outcome)) == 1
    assert "the observer diary failed" in warnings(outcome)[0]
    assert len(named(at)) == 1, "it was called again"


def test_one_that_fails_to_be_made_costs_a_warning(monkeypatch):
    def refuse(self, config):
        raise OSError(f"no {SECRET}")

    monkeypatch.setattr(Diary, "__init__", refuse)
    outcome = run(Diary)
    assert outcome.exit_code == 0
    assert len(warnings(outcome)) == 1


def test_the_others_go_on(monkeypatch):
    def trouble():
        raise ValueError("bug")

    monkeypatch.setattr(Diary, "at", "started")
    monkeypatch.setattr(Diary, "trouble", staticmethod(trouble))
    run(Diary, Other)
    assert len(named("ended")) == 1
    assert len(named("phase_ended")) == 5


def test_one_that_hangs_is_left_behind(monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(observing, "END_SECONDS", 0.1)
    monkeypatch.setattr(Diary, "at", "started")
    monkeypatch.setattr(Diary, "trouble", staticmethod(forever.wait))
    began = time.monotonic()
    outcome = run(Diary)
    assert time.monotonic() - began < 3
    assert outcome.exit_code == 0
    assert warnings(outcome) == [
        "the observer diary did not end within 0.1 seconds; it is off for the rest of the run"
    ]
    forever.set()


def test_one_that_is_too_slow_is_switched_off(monkeypatch):
    monkeypatch.setattr(observing, "END_SECONDS", 0.1)
    monkeypatch.setattr(observing, "BATCH", 2)
    monkeypatch.setattr(observing, "QUEUED", 5)
    begun, forever = threading.Event(), threading.Event()

    def trouble():
        begun.set()
        forever.wait()

    monkeypatch.setattr(Diary, "at", "changed")
    monkeypatch.setattr(Diary, "trouble", staticmethod(trouble))
    run = Run(Ref("databaseService", ("svc",)))
    watch = observing.Watch([(Diary, Config()), (Other, Config())], run, "shop", "memory")

    def work():  # on a thread, so that a dead lock is a failure
        for number in range(40):
            watch.changed(Change(Ref("table", ("svc", "d", "s", f"t{number}")), "created"))
            if number == 1:
                begun.wait(5)
            time.sleep(0.001)  # the other one keeps up
        watch.close(dict)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(5)
    assert not worker.is_alive()
    told = [group.message for group in run.report.warnings]
    assert told == ["the observer diary is too slow; it is off for the rest of the run"]
    batches = [call for call in Diary.calls if call[0] == "changed"]
    names = [change.ref.name for _, batch in batches[1:] for change in batch]
    assert sorted(names) == sorted({*names}), "the other one was told something twice"
    assert len(names) == 40
    forever.set()


def test_its_sessions_are_not_the_runs(monkeypatch):
    sessions = []

    class Caller(Observer):
        type = "caller"

        def started(self, run):
            sessions.append(run.session("Far", "http://127.0.0.1:1"))

    outcome = run(Caller)
    assert outcome.report["systems"] == []
    assert warnings(outcome) == []
    assert sessions[0]._caller.stopped


def test_what_is_wrong_with_its_settings_is_an_error():
    with pytest.raises(PluginError, match=r"observers\[0\].type: there is no observer"):
        run_classes({**workflow(), "observers": [{"type": "nosuch"}]}, Shop, MemorySink)
    with pytest.raises(PluginError, match="pip install metaglean-observability"):
        Registry([]).get("observer", "OpenTelemetry")
    with pytest.raises(ConfigError, match=r"observers\[0\].config.colour"):
        run_classes(
            {**workflow(), "observers": [{"type": "diary", "config": {"colour": 1}}]},
            Shop, MemorySink, Diary,
        )  # fmt: skip


def test_a_connection_test_has_no_observers():
    from metaglean.config import parse_workflow
    from metaglean.workflow import Workflow

    config = parse_workflow(workflow(Diary), Classes(Shop, MemorySink, Diary))
    assert list(Workflow(config, silent=True).test_connection())
    assert Diary.calls == []


def test_the_schema_of_workflows_knows_them():
    import jsonschema

    from metaglean.config.schema import workflow_schema

    schema = workflow_schema({"source": [Shop], "sink": [MemorySink], "observer": [Diary]})
    valid = workflow(Diary)
    jsonschema.validate(valid, schema)
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        jsonschema.validate(
            {**valid, "observers": [{"type": "Diary", "config": {"colour": 1}}]}, schema
        )


def test_what_is_off_is_in_the_report_and_the_log(monkeypatch):
    def refuse(self, config):
        raise OSError("no")

    monkeypatch.setattr(Diary, "__init__", refuse)
    outcome = run(Diary)
    assert list(outcome.report["features_off"]) == ["the observer diary"]
    assert "WARNING metaglean the observer diary failed: OSError: no" in outcome.log
