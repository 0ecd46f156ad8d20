"""The order of a run, its verdict, and the calls of OpenMetadata's recipes."""

from __future__ import annotations

import dataclasses
import logging
import sys
import traceback

import pytest

from metaglean.components import Change, Config, Existing, Processor, Profiler, Sink, Source, Step
from metaglean.config.model import DeletionConfig, WorkflowConfig
from metaglean.errors import AccessDenied, ConfigError, PluginError, RemoteError, RunError
from metaglean.names import Listed
from metaglean.options import DatabaseOptions
from metaglean.records import Column, Database, Profile, Ref, Schema, Table
from metaglean.workflow import Workflow, run_workflow

NAMES = [f"T{n}" for n in range(10)]
SCHEMA = Ref("databaseSchema", ("svc", "default", "default"))


class Shelf(Source):
    type = "shelf"
    Options = DatabaseOptions
    service_type = "CustomDatabase"
    names = NAMES
    failing: dict[str, Exception] = {}
    gone: list[str] | None = None

    def test_connection(self, run):
        yield Step("read", True)

    def read(self, run):
        database = self.service.child("database", "default")
        schema = database.child("databaseSchema", "default")
        yield Database(ref=database)
        yield Schema(ref=schema)
        listing = run.listing("table", schema)
        for ref, item in listing.over(Listed(name.lower(), name) for name in self.names):
            with run.item(ref):
                if item.name in self.failing:
                    raise self.failing[item.name]
                yield Table(ref=ref, source_id=item.id, columns=(Column(name="a"),))

    def confirm_gone(self, run, kind, ids):
        return ids if self.gone is None else self.gone


class Memory(Sink):
    """Keeps refs in a dict shared by the class under test."""

    type = "memory"
    capabilities = frozenset({"deletion"})

    def __init__(self, config):
        super().__init__(config)
        self.stands: dict[Ref, Existing] = {}
        self.log: list[str] = []

    def open(self, run):
        self.log.append("open")
        yield Step("write", True)

    def existing(self, kind, scope):
        self.log.append(f"existing {kind}")
        for ref, entity in list(self.stands.items()):
            if ref.parent == scope and ref.kind == kind:
                yield entity

    def write(self, records, run):
        for record in records:
            with run.item(record.ref):
                known = record.ref in self.stands
                sid = getattr(record, "source_id", None)
                self.stands[record.ref] = Existing(record.ref, str(record.ref), sid)
                yield Change(record.ref, "unchanged" if known else "created")
        self.log.append("written")

    def delete(self, entities, run):
        for entity in entities:
            self.log.append(f"delete {entity.ref.name}")
            del self.stands[entity.ref]
            yield Change(entity.ref, "deleted")

    def close(self, status):
        self.log.append(f"close {status}")


def workflow(sink: Memory, source: type[Shelf] = Shelf, **options) -> Workflow:
    given = ("dry_run", "limit", "clock", "on_change")
    execution = {key: options.pop(key) for key in given if key in options}

    class Same(Memory):
        capabilities = sink.capabilities

        def __new__(cls, config):
            return sink

        def __init__(self, config):
            pass

    config = WorkflowConfig(
        service_name="svc",
        source_class=source,
        source_config=Config(),
        source_options=options.pop("source_options", DatabaseOptions()),
        sink_type="memory",
        sink_class=Same,
        sink_config=Config(),
        **options,
    )
    return Workflow(config, **execution)


@pytest.fixture
def sink():
    return Memory(Config())


def tables(sink: Memory) -> list[str]:
    return sorted(ref.name for ref in sink.stands if ref.kind == "table")


def sub(**attributes) -> type[Shelf]:
    return type("Other", (Shelf,), attributes)


def test_a_run_goes_in_order_and_yields_the_service_first(sink):
    flow = workflow(sink)
    flow.execute()
    flow.raise_from_status()
    assert sink.log == ["open", "existing table", "written", "close success"]
    assert next(iter(sink.stands)) == Ref("databaseService", ("svc",))
    assert tables(sink) == NAMES


def test_what_is_gone_is_deleted_after_everything_was_written(sink):
    workflow(sink).execute()
    sink.log.clear()
    flow = workflow(sink, sub(names=NAMES[:-1]))
    flow.execute()
    assert sink.log[-3:] == ["written", "delete T9", "close success"]
    assert flow.run.report.deletions[0]["deleted"] == 1


def test_what_the_source_does_not_confirm_stays(sink):
    workflow(sink).execute()
    workflow(sink, sub(names=NAMES[:-1], gone=[])).execute()
    assert tables(sink) == NAMES


def test_mark_deleted_tables_false_deletes_nothing(sink):
    workflow(sink).execute()
    options = DatabaseOptions.model_validate({"markDeletedTables": False})
    workflow(sink, sub(names=NAMES[:-1]), source_options=options).execute()
    assert tables(sink) == NAMES


def test_a_limit_deletes_nothing_and_is_no_failure(sink):
    workflow(sink).execute()
    flow = workflow(sink, sub(names=NAMES[:-1]), limit=3)
    flow.execute()
    flow.raise_from_status()
    assert tables(sink) == NAMES
    assert flow.run.report.number("sink", "table") == 3


def test_a_run_that_fails_in_the_middle_keeps_what_was_written_and_deletes_nothing(sink):
    workflow(sink).execute()
    away = sub(names=NAMES[:-1], failing={"T5": RemoteError("shelf is away")})
    flow = workflow(sink, away)
    flow.execute()
    with pytest.raises(RemoteError, match="shelf is away"):
        flow.raise_from_status()
    assert tables(sink) == NAMES
    assert sink.log[-2:] == ["written", "close failed"]


def test_too_few_successes_fail_the_run_and_name_the_share(sink):
    bad = sub(failing={name: AccessDenied("no") for name in NAMES[:4]})
    flow = workflow(sink, bad)
    flow.execute()
    with pytest.raises(RunError, match="source's entities succeeded"):
        flow.raise_from_status()
    assert tables(sink) == NAMES[4:]


def test_the_threshold_can_be_lowered(sink):
    bad = sub(failing={name: AccessDenied("no") for name in NAMES[:4]})
    flow = workflow(sink, bad, success_threshold=50)
    flow.execute()
    flow.raise_from_status()
    assert flow.status == "partialSuccess"


def test_an_incomplete_listing_fails_the_run(sink):
    def read(self, run):
        listing = run.listing("table", SCHEMA)
        listing.incomplete("page 2 was given up")
        for ref, item in listing.over([Listed("t0", "T0")]):
            yield Table(ref=ref, source_id=item.id)

    flow = workflow(sink, sub(read=read))
    flow.execute()
    with pytest.raises(RunError, match="page 2 was given up"):
        flow.raise_from_status()


def test_a_source_that_breaks_is_a_failed_run(sink):
    def read(self, run):
        yield Database(ref=self.service.child("database", "default"))
        raise ZeroDivisionError("oops")

    flow = workflow(sink, sub(read=read))
    flow.execute()
    with pytest.raises(RunError, match="the source stopped: ZeroDivisionError: oops"):
        flow.raise_from_status()


def test_a_signal_ends_the_run_in_order(sink):
    def read(self, run):
        yield Database(ref=self.service.child("database", "default"))
        raise KeyboardInterrupt

    flow = workflow(sink, sub(read=read))
    with pytest.raises(KeyboardInterrupt):
        flow.execute()
    assert sink.log[-2:] == ["written", "close stopped"]


def test_the_recipe_can_be_called_twice(sink, capsys):
    flow = workflow(sink)
    for _ in range(2):
        flow.execute()
        flow.raise_from_status()
        flow.print_status()
        flow.stop()
    out = capsys.readouterr().out
    assert out.count("svc: success") == 2
    assert "10 listed, 10 created" in out
    assert "10 listed, 10 unchanged" in out


def test_a_failed_run_prints_its_summary_before_the_recipe_raises(sink, capsys):
    flow = workflow(sink, sub(failing={"T1": RemoteError("away")}))
    flow.execute()
    assert "error: away" in capsys.readouterr().out


def test_a_sink_that_can_not_plan_refuses_a_dry_run(sink):
    with pytest.raises(ConfigError, match="can't tell what it would change"):
        workflow(sink, dry_run=True).execute()


def test_processors_map_the_stream_in_order(sink):
    class Drop(Processor):
        def process(self, records, run):
            return (record for record in records if record.ref.name != "T3")

    flow = workflow(sink, processors=((Drop, Config()),))
    flow.execute()
    assert tables(sink) == [name for name in NAMES if name != "T3"]
    workflow(sink, sub(names=NAMES[:-1]), processors=((Drop, Config()),)).execute()
    assert "T9" not in tables(sink)


def test_what_a_processor_drops_stays(sink):
    class DropAll(Processor):
        def process(self, records, run):
            return (record for record in records if not isinstance(record, Table))

    workflow(sink).execute()
    workflow(sink, processors=((DropAll, Config()),)).execute()
    assert tables(sink) == NAMES


def test_a_profile_workflow_hands_each_table_to_the_profiler(sink):
    seen = []

    class Counter(Profiler):
        type = "shelf"

        def profile(self, table, run):
            if table.ref.name == "T4":
                raise ValueError("bad table")
            seen.append(table.ref.name)
            yield Profile(ref=table.ref, timestamp=1, column_count=len(table.columns))

    flow = workflow(sink, profiler=(Counter, Config()))
    flow.execute()
    assert sorted(seen) == [name for name in NAMES if name != "T4"]
    assert "delete" not in "".join(sink.log)


def test_the_log_is_redacted_and_its_level_is_put_back(sink, caplog):
    class Leaky(Shelf):
        def read(self, run):
            run.log.warning("token is %s", "s3cret-value")
            run.warn("token is s3cret-value")
            yield from super().read(run)

    logging.getLogger("metaglean").setLevel(logging.NOTSET)
    flow = workflow(sink, Leaky, secrets=("s3cret-value",), logger_level="INFO")
    flow.execute()
    assert "s3cret-value" not in caplog.text
    assert "s3cret-value" not in str(flow.report())
    assert logging.getLogger("metaglean").level == logging.NOTSET


def test_deletion_limits_come_from_the_workflow(sink):
    workflow(sink).execute()
    flow = workflow(sink, sub(names=NAMES[:5]))
    flow.execute()
    assert tables(sink) == NAMES
    assert "deletion.maxPercent" in next(iter(flow.run.report.problems)).hint
    workflow(sink, sub(names=NAMES[:5]), deletion=DeletionConfig(max_percent=60)).execute()
    assert tables(sink) == NAMES[:5]


def test_a_processor_that_yields_no_record_fails_the_run(sink):
    class Nothing(Processor):
        def process(self, records, run):
            for record in records:
                yield None if record.ref.name == "T3" else record

    flow = workflow(sink, processors=((Nothing, Config()),))
    flow.execute()
    with pytest.raises(RunError, match="NoneType instead of a record"):
        flow.raise_from_status()


def test_a_processor_that_fails_on_everything_fails_the_run(sink):
    class Failing(Processor):
        def process(self, records, run):
            for record in records:
                with run.item(record.ref):
                    raise ValueError("bad")
                yield record

    flow = workflow(sink, processors=((Failing, Config()),))
    flow.execute()
    with pytest.raises(RunError, match="processor's entities succeeded"):
        flow.raise_from_status()


@pytest.mark.parametrize("where", ["open", "delete", "close", "existing"])
def test_a_sink_that_breaks_is_a_failed_run_without_its_secret(sink, where):
    workflow(sink).execute()

    def broken(*_):
        raise OSError("no route to s3cret-value")

    setattr(sink, where, broken)
    flow = workflow(sink, sub(names=NAMES[:-1]), secrets=("s3cret-value",))
    flow.execute()
    with pytest.raises(RunError, match=r"no route to \*\*\*") as caught:
        flow.raise_from_status()
    shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert "s3cret-value" not in shown + str(flow.report())
    assert "T9" in tables(sink) or where == "close"


def test_a_component_that_can_not_be_made_is_one_clear_error(sink):
    def broken(self, *_):
        raise ValueError("bad s3cret-value")

    with pytest.raises(PluginError, match=r"bad \*\*\*"):
        workflow(sink, sub(__init__=broken), secrets=("s3cret-value",)).execute()


def test_a_system_that_is_away_wins_over_a_sink_that_breaks(sink):
    def write(records, run):
        list(records)
        raise OSError("disk")
        yield

    sink.write = write
    flow = workflow(sink, sub(failing={"T1": RemoteError("away")}))
    flow.execute()
    with pytest.raises(RemoteError, match="away"):
        flow.raise_from_status()
    assert flow.report()["listings"]


def test_a_signal_in_the_deletion_pass_deletes_nothing_more(sink):
    workflow(sink).execute()

    def confirm_gone(self, run, kind, ids):
        run.stop(15)
        return ids

    flow = workflow(sink, sub(names=NAMES[:-1], confirm_gone=confirm_gone))
    with pytest.raises(KeyboardInterrupt):
        flow.execute()
    assert tables(sink) == NAMES
    assert flow.status == "stopped"


def test_a_limit_does_not_hide_a_listing_that_failed(sink):
    def read(self, run):
        listing = run.listing("table", SCHEMA)
        listing.incomplete("page 2 was given up")
        for ref, _ in listing.over([Listed("t0", "T0"), Listed("t1", "T1")]):
            yield Table(ref=ref)

    flow = workflow(sink, sub(read=read), limit=1)
    flow.execute()
    with pytest.raises(RunError, match="page 2 was given up"):
        flow.raise_from_status()


def test_a_limit_counts_tables_of_a_profile_workflow(sink):
    seen = []

    class Counter(Profiler):
        def profile(self, table, run):
            seen.append(table.ref.name)
            yield Profile(ref=table.ref, timestamp=1)

    workflow(sink, profiler=(Counter, Config()), limit=2).execute()
    assert len(seen) == 2


def test_an_observer_that_fails_is_left_out(sink):
    def broken(change):
        raise BrokenPipeError

    flow = workflow(sink, on_change=broken)
    flow.execute()
    flow.raise_from_status()
    assert tables(sink) == NAMES


def test_raise_on_error_false_is_heard_by_run_workflow(sink):
    flow = workflow(sink, sub(failing=dict.fromkeys(NAMES, AccessDenied("no"))))
    config = dataclasses.replace(flow.config, raise_on_error=False)
    assert run_workflow(config).status == "failed"


def test_loggers_of_plugins_are_redacted_too(sink, capsys):
    class Leaky(Shelf):
        def read(self, run):
            logging.getLogger("metaglean.leaky").warning("token is %s", "s3cret-value")
            yield from super().read(run)

    handler = logging.StreamHandler(sys.stdout)
    logging.getLogger().addHandler(handler)
    try:
        workflow(sink, Leaky, secrets=("s3cret-value",)).execute()
    finally:
        logging.getLogger().removeHandler(handler)
    out = capsys.readouterr().out
    assert "token is ***" in out
    assert "s3cret-value" not in out


def test_a_source_that_fails_at_once_writes_not_even_its_service(sink):
    def read(self, run):
        raise RemoteError("away")
        yield

    flow = workflow(sink, sub(read=read))
    flow.execute()
    assert not sink.stands


def test_a_long_run_says_in_its_log_how_far_it_is(sink, caplog):
    class Slow(Shelf):
        def read(self, run):
            for record in super().read(run):
                run.clock.sleep(10)
                yield record

    class Clock:
        time = 0.0

        def now(self):
            return self.time

        monotonic = now

        def sleep(self, seconds):
            self.time += seconds

        def wake(self):
            pass

    flow = workflow(sink, Slow, clock=Clock())
    flow.execute()
    assert [r.message for r in caplog.records if "of 10 read" in r.message]
