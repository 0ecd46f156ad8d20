from __future__ import annotations

from metaglean import Database, Ref, Schema

SCHEMA = Ref("databaseSchema", ("domo", "default", "default"))


def delete(sink, run, kind, scope, *names):
    gone = [entity for entity in sink.existing(kind, scope) if entity.ref.name in names]
    assert len(gone) == len(names)
    return list(sink.delete(gone, run))


def test_deleted_ones_are_marked_and_come_back_restored(
    write, table, opened_catalog, make_run, query, parents
):
    records = [*parents, table("a", "x", description="text"), table("b")]
    write(records)
    run = make_run()
    with opened_catalog(run) as sink:
        list(sink.write(iter([*parents, table("b")]), run))
        changes = delete(sink, run, "table", SCHEMA, "a")
    assert [(change.ref.name, change.action) for change in changes] == [("a", "deleted")]
    with opened_catalog(make_run()) as sink:
        marks = {e.ref.name: e.deleted for e in sink.existing("table", SCHEMA)}
    assert marks == {"a": True, "b": False}
    actions = {change.ref.name: change.action for change in write([table("a", "x")])}
    assert actions == {"a": "restored"}
    actions = query("SELECT action FROM history JOIN entities e ON e.id = entity WHERE name = 'a'")
    assert actions == [("created",), ("deleted",), ("restored",)]
    assert "text" in query("SELECT state FROM entities WHERE name = 'a'")[0][0]


def test_an_unchanged_one_is_restored_too(write, table, opened_catalog, make_run):
    write([table("a", "x")])
    run = make_run()
    with opened_catalog(run) as sink:
        delete(sink, run, "table", SCHEMA, "a")
    assert [change.action for change in write([table("a", "x")])] == ["restored"]
    assert [change.action for change in write([table("a", "x")])] == ["unchanged"]


def test_what_lies_in_a_deleted_schema_goes_with_it(
    write, table, opened_catalog, make_run, query, parents, clock
):
    database = parents[1].ref
    other = database.child("databaseSchema", "default2")
    kept = table("t").model_copy(update={"ref": other.child("table", "t")})
    write([*parents, table("a"), table("a.b"), Schema(ref=other), kept, Database(ref=database)])
    clock.sleep(1)
    run = make_run()
    write([table("made by an overlapping run")])
    with opened_catalog(run) as sink:
        changes = delete(sink, run, "databaseSchema", database, "default")
        assert not list(sink.delete([], run))
    assert sorted(change.ref.path[2:] for change in changes) == [
        ("default",), ("default", "a"), ("default", "a.b"),
    ]  # fmt: skip
    assert query("SELECT count(*) FROM entities WHERE deleted_run IS NULL") == [(5,)]


def test_a_dry_run_deletes_nothing(write, table, opened_catalog, make_run, dump, path):
    write([table("a"), table("b")])
    stood, content = dump(), path.read_bytes()
    run = make_run(dry_run=True)
    with opened_catalog(run) as sink:
        changes = delete(sink, run, "table", SCHEMA, "a")
    assert [change.action for change in changes] == ["deleted"]
    assert (dump(), path.read_bytes()) == (stood, content)


def test_deleting_twice_is_once(write, table, opened_catalog, make_run, query):
    write([table("a")])
    for _ in range(2):
        run = make_run()
        with opened_catalog(run) as sink:
            delete(sink, run, "table", SCHEMA, "a")
    assert query("SELECT count(*) FROM history WHERE action = 'deleted'") == [(1,)]
