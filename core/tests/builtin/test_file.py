from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import (
    Classification,
    Column,
    ColumnLineage,
    ConfigError,
    FilterPattern,
    Lineage,
    Pipeline,
    Ref,
    Run,
    RunError,
    Service,
    TableConstraint,
    Tag,
)  # fmt: skip
from metaglean.builtin.file import FileSink, FileSource, renamed
from metaglean.options import DatabaseOptions
from metaglean.records import dump, load

SCHEMA = Ref("databaseSchema", ("domo", "default", "default"))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "records.jsonl"


def written(file, run, records):
    sink = FileSink(FileSink.Config(path=str(file)))
    list(sink.open(run))
    status = "failed"
    try:
        changes = list(sink.write(iter(records), run))
        status = "success"
    finally:
        sink.close(status)
    return changes


def source(file, name="domo", **options):
    service = Ref("databaseService", (name,))
    return FileSource(FileSource.Config(path=str(file)), DatabaseOptions(**options), service)


def test_what_was_written_is_read_back(file, make_run, table, parents):
    records = [
        *parents,
        table("t", "a", "b:LONG", description=None, facets={"domo": {"x": [1, None]}}),
        Classification(ref=Ref("classification", ("DomoTags",))),
        Tag(ref=Ref("tag", ("DomoTags", "red"))),
    ]
    assert [c.action for c in written(file, make_run(), records)] == ["created"] * 6
    back = list(source(file).read(make_run()))
    # Core writes the service itself, with the type that the source has from the file.
    assert source(file).service_type == "DomoDatabase"
    assert back == records[1:]
    assert [r.model_fields_set for r in back] == [r.model_fields_set for r in records[1:]]


def test_another_service_name_moves_every_ref(file, make_run, table, parents):
    old, foreign = table("t"), Ref("table", ("other", "d", "s", "t"))
    constraint = TableConstraint(
        constraint_type="FOREIGN_KEY",
        columns=("a",),
        referred_columns=((*old.ref.path, "id"), (*foreign.path, "id")),
    )
    edge = Lineage(
        ref=old.ref,
        target=foreign,
        pipeline=Ref("pipeline", ("domo", "p")),
        columns_lineage=(
            ColumnLineage(from_columns=((old.ref, "a"), (foreign, "b")), to_column="c"),
        ),
    )
    tag = Tag(ref=Ref("tag", ("domo", "red")))
    records = [*parents, old.model_copy(update={"table_constraints": (constraint,)}), edge, tag]
    written(file, make_run(), records)
    back = list(source(file, "copy").read(make_run()))
    text = "\n".join(map(dump, back))
    assert '"domo"' not in text.replace(dump(tag), "")
    assert [load(line) for line in text.splitlines()] == back
    assert back[-1] == tag
    assert back[2].table_constraints[0].referred_columns[0][0] == "copy"
    assert back[2].table_constraints[0].referred_columns[1][0] == "other"
    assert back[3].target == foreign
    assert back[3].columns_lineage[0].from_columns[1] == (foreign, "b")


def test_renaming_sets_no_field(table):
    record = table("t")
    moved = renamed(record, "domo", "copy")
    assert moved.model_fields_set == record.model_fields_set
    assert renamed(moved, "copy", "domo") == record


def test_bad_lines_cost_themselves_only(file, make_run, table):
    lines = [dump(table("a")), "{", '{"record":"nonsense"}', "", "[]", dump(table("b")), '{"rec']
    file.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe")
    run = make_run()
    assert [record.ref.name for record in source(file).read(run)] == ["a", "b"]
    items = [item for group in run.report.problems for item in group.items]
    assert sorted(item.rpartition(":")[2] for item in items) == ["2", "3", "5", "7", "8"]
    assert not run.listings


def test_filter_patterns_act(file, make_run, table, parents, clock):
    written(file, make_run(), [*parents, table("keep"), table("drop")])
    options = DatabaseOptions(table_filter_pattern=FilterPattern(excludes=("drop",)))
    run = make_run(filters=options.filters())
    assert [r.ref.name for r in source(file).read(run)][-1] == "keep"
    options = DatabaseOptions(schema_filter_pattern=FilterPattern(excludes=("default",)))
    run = make_run(filters=options.filters())
    assert [r.KIND for r in source(file).read(run)] == ["database"]


def test_qualified_names_are_matched_as_they_are_stored(file, make_run, table, parents):
    written(file, make_run(), [*parents, table("a.b"), table("c")])
    quoted = FilterPattern(includes=(r'domo\.default\.default\."a\.b"$',))
    options = DatabaseOptions(table_filter_pattern=quoted, use_fqn_for_filtering=True)
    run = make_run(filters=options.filters())
    assert [r.ref.name for r in source(file).read(run) if r.KIND == "table"] == ["a.b"]


def test_a_summary_can_name_the_file(file):
    assert FileSink(FileSink.Config(path=str(file))).target == str(file)


def test_missing_and_wrong_paths(tmp_path, make_run):
    with pytest.raises(ConfigError, match="No such file"):
        list(source(tmp_path / "none").read(make_run()))
    with pytest.raises(ConfigError, match="No such file"):
        list(source(tmp_path / "none").test_connection(make_run()))
    with pytest.raises(ConfigError, match="directory"):
        list(source(tmp_path).read(make_run()))
    with pytest.raises(ConfigError, match="there is no directory"):
        written(tmp_path / "no" / "x", make_run(), [])
    with pytest.raises(ConfigError, match="is a directory"):
        written(tmp_path, make_run(), [])
    with pytest.raises(ValueError, match="console"):
        FileSink.Config(path="-")


def test_connection_steps(file, make_run, table):
    file.touch()
    assert [step.ok for step in source(file).test_connection(make_run())] == [True]
    file.write_text("no record\n")
    assert [step.ok for step in source(file).test_connection(make_run())] == [False]
    file.write_text(dump(table("t")) + "\n")
    assert [step.ok for step in source(file).test_connection(make_run())] == [True]


def test_a_new_run_replaces_the_file_when_it_has_something(file, make_run, table):
    written(file, make_run(), [table("a"), table("b")])
    stood = file.read_bytes()
    sink = FileSink(FileSink.Config(path=str(file)))
    list(sink.open(make_run()))
    assert not list(sink.write(iter(()), make_run()))
    sink.close("failed")
    assert file.read_bytes() == stood
    written(file, make_run(), [table("c")])
    assert file.read_text() == dump(table("c")) + "\n"
    written(file, make_run(), [])
    assert not file.read_bytes()


def test_a_test_of_the_connection_keeps_what_stands_in_the_file(file, make_run, table):
    written(file, make_run(), [table("a")])
    stood = file.read_bytes()
    sink = FileSink(FileSink.Config(path=str(file)))
    list(sink.open(make_run()))
    sink.close("success")
    assert file.read_bytes() == stood
    list(sink.open(make_run()))
    next(sink.write(iter([table("b")]), make_run(dry_run=True)))  # not read to its end
    sink.close("success")
    assert file.read_bytes() == stood


def test_a_dry_run_writes_nothing(file, make_run, table):
    assert written(file, make_run(dry_run=True), [table("a")])[0].action == "created"
    assert not file.exists()


def test_a_record_that_is_no_json_costs_itself_only(file, make_run, table):
    run = make_run()
    changes = written(file, run, [table("a", facets={"x": object()}), table("b")])
    assert [change.ref.name for change in changes] == ["b"]
    assert run.report.problems.count == 1
    assert file.read_text() == dump(table("b")) + "\n"


KILLED = """
import os, sys
from metaglean import Ref, Run, Table
from metaglean.builtin.file import FileSink
sink = FileSink(FileSink.Config(path=sys.argv[1]))
run = Run(Ref("databaseService", ("domo",)))
list(sink.open(run))
schema = Ref("databaseSchema", ("domo", "default", "default"))
records = (Table(ref=schema.child("table", f"t{i}")) for i in range(1000))
for number, change in enumerate(sink.write(records, run)):
    if number == 99:
        os._exit(9)
"""


def test_a_crash_leaves_whole_lines(file, make_run):
    subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False)
    assert len(list(source(file).read(make_run()))) == 100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error(make_run, table):
    with pytest.raises(RunError, match="No space left"):
        written("/dev/full", make_run(), [table("a")])


NAMES = st.text(min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1, max_size=4), NAMES)
def test_any_names_survive(tmp_path_factory, names, service):
    file = tmp_path_factory.getbasetemp() / "any.jsonl"
    ref = Ref("databaseService", (service,))
    records = [
        Service(ref=ref, service_type="X"),
        *(Pipeline(ref=Ref("pipeline", (service, name)), description=name) for name in names),
    ]
    run = Run(ref)
    written(file, run, records)
    assert list(source(file, service).read(run)) == records[1:]
    assert not run.report.problems.count


def test_both_are_found_as_plugins():
    from metaglean.plugins import Registry

    assert Registry().get("sink", "file") is FileSink
    assert Registry().get("source", "File") is FileSource


def test_a_column_is_kept_as_it_was_read(file, make_run, table):
    record = table("t", columns=(Column(name="a", description=None),))
    written(file, make_run(), [record])
    [back] = source(file).read(make_run())
    assert back.columns[0].model_fields_set == {"name", "description"}
