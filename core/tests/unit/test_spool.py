"""The spool, with a sink that anybody could have written."""

from __future__ import annotations

import json
import os
import stat

import pytest

from metaglean.components import Change, Config, Existing, Sink, Source
from metaglean.config.limits import LimitsConfig
from metaglean.config.model import WorkflowConfig
from metaglean.config.rename import RenameConfig
from metaglean.errors import ConfigError, RemoteError, RunError
from metaglean.fqn import NameRules
from metaglean.names import Listed
from metaglean.options import DatabaseOptions
from metaglean.records import (
    Column,
    ColumnLineage,
    Database,
    Lineage,
    Ref,
    Schema,
    Table,
    TableConstraint,
    dump,
    load,
    moved,
)
from metaglean.spool.fitted import fitted
from metaglean.workflow import Workflow, run_workflow


class Shelf(Source):
    """Two tables of one name, the second of which refers to the first."""

    type = "shelf"
    names: tuple[str, ...] = ("orders", "Orders", "users")
    fails = False

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        database = self.service.child("database", "default")
        schema = database.child("databaseSchema", "default")
        yield Database(ref=database)
        yield Schema(ref=schema)
        inventory = [Listed(f"id{n}", name, n) for n, name in enumerate(self.names)]
        refs = [ref for ref, _ in run.listing("table", schema).over(inventory)]
        for number, ref in enumerate(refs):
            keys = ()
            if number:
                columns = ((*refs[0].path, "a"),)
                keys = (
                    TableConstraint(
                        constraint_type="FOREIGN_KEY", columns=("a",), referred_columns=columns
                    ),
                )
            yield Table(ref=ref, source_id=f"id{number}", table_constraints=keys)
        yield Lineage(ref=refs[0], target=refs[1])
        if self.fails:
            raise RemoteError("the shelf is away")


class Target:
    """What stands, shared by the sinks of a test; `away` names the call that fails."""

    def __init__(self) -> None:
        self.stands: dict[Ref, Existing] = {}
        self.written: list = []
        self.away = ""
        self.after = 0


TARGET = Target()


class Far(Sink):
    type = "far"
    capabilities = frozenset({"deletion", "plan"})

    def _call(self, name):
        if TARGET.away == name:
            raise RemoteError(f"far: {name} is not answered", "Wait.")

    def open(self, run):
        self._call("open")
        yield from ()

    def existing(self, kind, scope):
        for entity in list(TARGET.stands.values()):
            if entity.ref.parent == scope:
                yield entity
        if kind == "table":
            self._call("existing")

    def write(self, records, run):
        for number, record in enumerate(records):
            if number >= TARGET.after:
                self._call("write")
            TARGET.written.append(record)
            yield Change(record.ref, "created", kind=record.kind)

    def delete(self, entities, run):
        raise AssertionError("a push never deletes")

    def close(self, status):
        self._call("close")


@pytest.fixture(autouse=True)
def target():
    TARGET.__init__()
    return TARGET


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool.jsonl"


def config(spool=None, source=Shelf, service="svc", **options):
    return WorkflowConfig(
        service_name=service,
        source_class=source,
        source_config=Config(),
        source_options=DatabaseOptions(),
        sink_type="far",
        sink_class=Far,
        sink_config=Config(),
        limits=LimitsConfig(spool=str(spool) if spool else None),
        **options,
    )


def execute(workflow_config, **options):
    workflow = Workflow(workflow_config, silent=True, **options)
    workflow.execute()
    return workflow


def exit_code(workflow):
    return workflow.report()["exit_code"]


@pytest.mark.parametrize(
    ("call", "after"), [("open", 0), ("existing", 0), ("write", 0), ("write", 4)]
)
def test_a_sink_that_is_away_leaves_a_spool_and_a_push_sends_it(target, spool, call, after):
    undisturbed = execute(config())
    assert undisturbed.error is None
    expected, target.written = target.written, []
    target.away, target.after = call, after
    run = execute(config(spool))
    assert exit_code(run) == 1
    assert run.report()["spool"]["records"] == len(expected)
    assert f"metaglean push {spool}" in str(run.error)
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    assert [path.name for path in spool.parent.iterdir()] == [spool.name]
    target.away, target.written = "", []
    assert execute(config(), push=spool).error is None
    assert target.written == expected


def test_a_sink_whose_tables_cannot_be_read_is_given_none(target, spool):
    """Their names were given without knowing what stands; the sink may be back by then."""
    target.away = "existing"
    assert exit_code(execute(config(spool))) == 1
    assert [type(one).__name__ for one in target.written] == ["Service", "Database", "Schema"]


def test_a_push_gives_the_names_that_stand_by_then(target, spool):
    """Away at the start, nobody knew that `Orders` has been called `orders_id1` for long, and that
    `users` is now called what a table that is gone was called."""
    target.away = "open"
    execute(config(spool))
    target.away = ""
    schema = Ref("databaseSchema", ("svc", "default", "default"))
    names = {"id0": "Old name", "id1": "orders", "id2": "users_id2"}
    for source_id, name in names.items():
        ref = schema.child("table", name)
        target.stands[ref] = Existing(ref, name, source_id)
    execute(config(), push=spool)
    tables = [one for one in target.written if isinstance(one, Table)]
    assert [one.ref.name for one in tables] == list(names.values())
    (key,) = tables[2].table_constraints
    assert key.referred_columns == ((*schema.path, "Old name", "a"),)
    (edge,) = [one for one in target.written if isinstance(one, Lineage)]
    assert (edge.ref.name, edge.target.name) == ("Old name", "orders")


def test_what_gets_no_name_is_not_sent(target, spool):
    """As in a run: its listing was incomplete, and its name stands for another id."""

    class Broken(Shelf):
        def read(self, run):
            listing_of, run.listing = run.listing, lambda *args: incomplete(listing_of(*args))
            yield from super().read(run)

    def incomplete(listing):
        if listing.kind == "table":
            listing.incomplete("a page was given up")
        return listing

    target.away = "open"
    execute(config(spool, Broken))
    target.away = ""
    ref = Ref("table", ("svc", "default", "default", "users"))
    target.stands[ref] = Existing(ref, "users", "somebody else")
    push = execute(config(source=Broken), push=spool)
    assert "users" not in {one.ref.name for one in target.written}
    assert isinstance(push.error, RunError)  # as the run would have been: its listing is incomplete


def test_no_spool_is_left_where_the_sink_stays(spool):
    assert execute(config(spool)).error is None
    assert list(spool.parent.iterdir()) == []


def test_no_spool_is_made_by_a_dry_run(target, spool):
    target.away = "open"
    assert exit_code(execute(config(spool), dry_run=True)) == 3
    assert list(spool.parent.iterdir()) == []


def test_a_spool_that_is_there_is_not_overwritten(target, spool):
    target.away = "open"
    for _ in range(3):
        execute(config(spool))
    names = sorted(path.name for path in spool.parent.iterdir())
    assert names == ["spool-2.jsonl", "spool-3.jsonl", "spool.jsonl"]


def test_a_source_that_is_away_as_well_still_wins(target, spool):
    class Gone(Shelf):
        fails = True

    target.away = "write"
    run = execute(config(spool, Gone))
    assert exit_code(run) == 3
    assert run.report()["spool"]["path"] == str(spool)


def test_nothing_read_leaves_no_spool(target, spool):
    class Silent(Shelf):
        def read(self, run):
            raise RemoteError("the shelf is away")

    target.away = "open"
    assert exit_code(execute(config(spool, Silent))) == 3
    assert list(spool.parent.iterdir()) == []


def test_what_json_cannot_hold_is_no_problem_while_the_sink_is_there(target, spool):
    class Odd(Shelf):
        names = ("half of a pair \ud800", "users")

        def read(self, run):
            for record in super().read(run):
                odd = isinstance(record, Table) and record.source_id == "id0"
                yield record.model_copy(update={"description": "\ud800"}) if odd else record

    run = execute(config(spool, Odd))
    assert (run.error, run.status) == (None, "success")
    assert "can't be kept in the spool" in str(run.report()["warnings"])
    target.away, target.after = "write", 3
    run = execute(config(spool, Odd))
    assert exit_code(run) == 1
    target.away = ""
    assert execute(config(source=Odd), push=spool).error is None


def test_a_signal_while_the_sink_is_away_keeps_what_was_read(target, spool):
    class Stopped(Shelf):
        def read(self, run):
            for number, record in enumerate(super().read(run)):
                if number == 3:
                    run.stop(2)
                yield record

    target.away = "open"
    run = Workflow(config(spool, Stopped), silent=True)
    with pytest.raises(KeyboardInterrupt):
        run.execute()
    assert run.report()["spool"]["records"] == 4
    target.away = ""
    execute(config(source=Stopped), push=spool)
    assert len(target.written) == 4


def test_a_sink_that_is_away_only_at_its_end_needs_no_spool(target, spool):
    target.away = "close"
    assert exit_code(execute(config(spool))) == 3
    assert list(spool.parent.iterdir()) == []


def test_raise_on_error_does_not_hide_that_nothing_was_written(target, spool):
    target.away = "open"
    with pytest.raises(RunError, match="the sink was away"):
        run_workflow(config(spool, raise_on_error=False), silent=True)


@pytest.mark.parametrize("path", ["nowhere/spool.jsonl", "."])
def test_a_spool_that_cannot_be_made_is_an_error_at_once(target, tmp_path, path):
    run = execute(config(tmp_path / path))
    assert isinstance(run.error, ConfigError)
    assert "limits.spool" in str(run.error)
    assert not target.written


def test_a_full_disk_costs_nothing_while_the_sink_is_there(target, spool, monkeypatch):
    write, written = os.write, []

    def full(handle, data):
        written.append(data)
        if len(written) > 3 and data[:1] == b"{":
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr("metaglean.spool.file.os.write", full)
    run = execute(config(spool))
    assert run.error is None
    assert "No space left" in str(run.report()["warnings"])
    target.away, target.after = "write", 6
    written.clear()
    assert exit_code(execute(config(spool))) == 3
    assert list(spool.parent.iterdir()) == []


# -- the file --------------------------------------------------------------------------------------


def test_a_spool_that_gets_no_name_is_told_and_can_be_sent(target, spool, monkeypatch):
    def fails(handle):
        raise OSError(5, "no answer")

    target.away = "write"
    with monkeypatch.context() as patched:
        patched.setattr("metaglean.spool.file.os.fsync", fails)
        workflow = execute(config(spool))
    assert exit_code(workflow) == 3
    (part,) = spool.parent.iterdir()
    assert str(part) in str(workflow.report()["warnings"])
    target.away = ""
    assert exit_code(execute(config(), push=part)) == 0
    assert {one.ref.name for one in target.written} >= {"orders", "users"}


@pytest.fixture
def kept(target, spool):
    target.away = "open"
    execute(config(spool))
    target.away = ""
    return spool


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_half_a_line_at_the_end_is_left_out(target, kept, cut):
    lines = kept.read_bytes().splitlines(keepends=True)
    records = [line for line in lines if line.startswith(b'{"record"')]
    kept.write_bytes(b"".join(lines[:-1])[:-cut])  # no end either: the run was killed
    push = execute(config(), push=kept)
    assert push.error is None
    assert len(target.written) == len(records) - 1
    assert "was ended before its time" in str(push.report()["warnings"])


def test_a_damaged_record_costs_this_record(target, kept):
    lines = kept.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if b'"record":"table"' in line)
    lines[number] = b'{"record":"table","nonsense\n'
    kept.write_bytes(b"".join(lines))
    push = execute(config(), push=kept)
    assert [group["items"] for group in push.report()["problems"]] == [[f"{kept}:{number + 1}"]]
    assert len(target.written) == len([line for line in lines if b'"record"' in line]) - 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a spool"),
        ("[1]\n", "is not a spool"),
        ('{"record":"database"}\n', "is not a spool"),
        ('{"spool": 2, "metaglean": "9.0"}\n', "by Metaglean 9.0, in a form"),
        ('{"spool": 1}\n', ":1 is damaged"),
        ('{"spool": 1, "service": ["a", "b"], "source": "s", "started": 1}\n[]\n', ":2 is dam"),
        (
            '{"spool": 1, "service": ["a", "b"], "source": "s", "started": 1}\n{"end": 1}\n',
            ":2 is damaged",
        ),
    ],
)
def test_what_is_no_spool_is_one_clear_error(spool, text, told):
    spool.write_text(text)
    with pytest.raises(ConfigError, match=told):
        Workflow(config(), push=spool)


def test_a_spool_of_another_service_or_that_is_not_there(kept):
    with pytest.raises(ConfigError, match=r"a spool of the service 'svc' \(shelf\)"):
        Workflow(config(service="other"), push=kept)
    with pytest.raises(ConfigError, match="No such file"):
        Workflow(config(), push=kept.with_name("none.jsonl"))


def test_a_damaged_listing_ends_the_push(kept):
    lines = kept.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if line.startswith(b'{"inventory"'))
    lines[number] = b'{"inventory": {\n'
    kept.write_bytes(b"".join(lines))
    with pytest.raises(ConfigError, match=f":{number + 1} is damaged"):
        Workflow(config(), push=kept)


def test_what_a_later_run_wrote_is_left_alone(target, kept):
    schema = Ref("databaseSchema", ("svc", "default", "default"))
    end = json.loads(kept.read_bytes().splitlines()[-1])["end"]["at"]
    for source_id, name, age in (("id0", "orders", 5), ("id2", "users", -5)):
        ref = schema.child("table", name)
        target.stands[ref] = Existing(ref, name, source_id, updated=end + age)
    push = execute(config(), push=kept)
    names = {one.ref.name for one in target.written if isinstance(one, Table)}
    assert names == {"users", "Orders_id1"}
    assert "by a later run" in str(push.report()["warnings"])
    target.written.clear()
    execute(config(), push=kept, overwrite=True)
    assert "orders" in {one.ref.name for one in target.written if isinstance(one, Table)}


@pytest.mark.parametrize("ahead", [-0.9, 0, 0.9])
def test_what_a_push_wrote_itself_is_sent_again(target, kept, ahead):
    """Also by a clock of the target's that is not quite the machine's."""
    push = execute(config(), push=kept)
    ref = Ref("table", ("svc", "default", "default", "orders"))
    target.stands[ref] = Existing(ref, "orders", "id0", updated=push.run.started + ahead)
    count = len(target.written)
    target.written.clear()
    again = execute(config(), push=kept)
    assert len(target.written) == count
    assert not again.report()["warnings"] or "later run" not in str(again.report()["warnings"])


# -- moving ----------------------------------------------------------------------------------------


def test_every_ref_of_a_record_moves():
    def shout(ref):
        return Ref(ref.kind, tuple(part.upper() for part in ref.path))

    def table(name):
        return Ref("table", ("s", "d", "x", name))

    edge = Lineage(
        ref=table("a"),
        target=table("b"),
        pipeline=Ref("pipeline", ("p", "q")),
        columns_lineage=(ColumnLineage(from_columns=((table("a"), "c"),), to_column="e"),),
    )
    # Names of columns stay; all other small letters were in refs.
    assert json.loads(dump(moved(edge, shout))) == {
        "record": "lineage",
        "ref": ["table", ["S", "D", "X", "A"]],
        "target": ["table", ["S", "D", "X", "B"]],
        "pipeline": ["pipeline", ["P", "Q"]],
        "columns_lineage": [
            {"from_columns": [[["table", ["S", "D", "X", "A"]], "c"]], "to_column": "e"}
        ],
    }
    assert load(dump(moved(edge, lambda ref: ref))) == edge


# -- columns whose names nobody could fit ----------------------------------------------------------


def test_columns_get_the_names_that_the_target_can_hold():
    """As a source gives them that knows the target's rules."""
    names = ("short", "a" * 20, "A" * 21, "aaaaaaaa_2", "short")
    table = Table(
        ref=Ref("table", ("s", "d", "x", "t")),
        columns=tuple(Column(name=name) for name in names),
        table_constraints=(TableConstraint(constraint_type="PRIMARY_KEY", columns=("a" * 20,)),),
    )
    found = fitted(table, NameRules(10))
    assert [(one.name, one.display_name) for one in found.columns] == [
        ("short", None),
        ("a" * 10, "a" * 20),
        ("AAAAAAAA_3", "A" * 21),
        ("aaaaaaaa_2", None),
        ("short_2", "short"),
    ]
    assert found.table_constraints[0].columns == ("a" * 10,)
    assert fitted(found, NameRules(10)) == found


def test_what_fits_is_left_as_it_was():
    table = Table(ref=Ref("table", ("s", "d", "x", "t")), columns=(Column(name="a"),))
    assert fitted(table, NameRules()) is table


@pytest.mark.parametrize(("call", "after"), [("open", 0), ("write", 4)])
def test_renaming_is_done_once(target, spool, call, after):
    rename = RenameConfig.model_validate({"tables": [{"pattern": "o", "replacement": "oo"}]})
    undisturbed = execute(config(rename=rename))
    assert undisturbed.error is None
    expected, target.written = target.written, []
    assert "oorders" in {one.ref.name for one in expected}
    target.away, target.after = call, after
    assert exit_code(execute(config(spool, rename=rename))) == 1
    target.away, target.written = "", []
    assert execute(config(rename=rename), push=spool).error is None
    assert target.written == expected
