"""What becomes of a record, by what stands."""

from __future__ import annotations

import json

import pytest

from metaglean import (
    Column,
    LifeCycle,
    Lineage,
    Owner,
    PipelineRun,
    Profile,
    Ref,
    TableConstraint,
    TagLabel,
)  # fmt: skip

SCHEMA = Ref("databaseSchema", ("domo", "default", "default"))
ANN = Owner(type="user", name="Ann", email="ann@example.com")
BOB = Owner(type="user", email="bob@example.com")
RED = TagLabel(classification="DomoTags", name="red")


def state(query, name):
    [[text]] = query("SELECT state FROM entities WHERE name = ?", name)
    return json.loads(text)


def test_a_first_run_creates_and_a_second_one_writes_nothing(write, table, parents, query, path):
    records = [*parents, *(table(f"t{i}", "a", "b:LONG", source_id=f"id{i}") for i in range(450))]
    assert {change.action for change in write(records)} == {"created"}
    before = query("SELECT * FROM entities"), query("SELECT * FROM history")
    changes = write(records)
    assert [change.ref for change in changes] == [record.ref for record in records]
    assert {change.action for change in changes} == {"unchanged"}
    assert (query("SELECT * FROM entities"), query("SELECT * FROM history")) == before


def test_runs_are_kept_with_their_counts(write, table, parents, query):
    write([*parents, table("t")])
    write([*parents, table("t", description="new")])
    rows = query("SELECT service, source_type, status, counts FROM runs ORDER BY id")
    assert [row[:3] for row in rows] == [("domo", "DomoDatabase", "success")] * 2
    assert json.loads(rows[0][3])["table"] == {"created": 1}
    assert json.loads(rows[1][3])["table"] == {"updated": 1}


def test_what_was_not_read_stays(write, table, query):
    full = table("t", "a", description="text", owners=(ANN,), tags=(RED,), source_url="https://x")
    write([full])
    [change] = write([table("t")])
    assert change.action == "unchanged"
    assert state(query, "t")["tags"] == [{"classification": "DomoTags", "name": "red"}]
    # The digest of the full record must not be lost, nor that of the poor one be believed.
    assert [change.action for change in write([full, table("t")])] == ["unchanged", "unchanged"]


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_value_clears_no_text(write, table, query, empty):
    column = Column(name="a", description="column text")
    stood = {"description": "text", "display_name": "T", "owners": (ANN,), "columns": (column,)}
    write([table("t", **stood)])
    empties = {
        "description": empty,
        "display_name": empty,
        "owners": (),
        "columns": (Column(name="a", description=empty),),
    }
    for _ in range(2):  # said at every run, not only at the first
        [change] = write([table("t", **empties)])
        assert change.action == "unchanged"
        assert set(change.kept) == {
            "description", "display_name", "owners", "columns.a.description",
        }  # fmt: skip
    assert state(query, "t")["description"] == "text"
    [change] = write([table("t", **empties)], override_metadata=True)
    assert change.fields == {
        "description": ("text", empty),
        "display_name": ("T", empty),
        "owners": (["Ann <ann@example.com>"], []),
        "columns.a.description": ("column text", empty),
    }


def test_an_empty_value_is_kept_beside_a_change_and_said_again(write, table):
    write([table("t", description="text", source_url="https://a")])
    poor = table("t", description=None, source_url="https://b")
    [change] = write([poor])
    assert (change.action, set(change.fields), set(change.kept)) == (
        "updated", {"source_url"}, {"description"},
    )  # fmt: skip
    [change] = write([poor])
    assert (change.action, set(change.kept)) == ("unchanged", {"description"})
    [change] = write([poor], override_metadata=True)
    assert change.fields == {"description": ("text", None)}


@pytest.mark.parametrize(
    ("field", "value", "empty"),
    [
        ("tags", (RED,), ()),
        ("source_url", "https://a", None),
        ("schema_definition", "SELECT 1", None),
        ("life_cycle", LifeCycle(created=5), None),
        ("table_constraints", (TableConstraint(constraint_type="UNIQUE", columns=("a",)),), ()),
        ("columns", (Column(name="a"),), ()),
    ],
)
def test_structure_follows_the_source_also_to_empty(write, table, query, field, value, empty):
    write([table("t", **{field: value})])
    [change] = write([table("t", **{field: empty})])
    assert change.action == "updated"
    assert not state(query, "t")[field]
    assert write([table("t", **{field: empty})])[0].action == "unchanged"


def test_column_texts_go_with_the_name(write, table, query):
    described = Column(name="a", data_type="STRING", description="of a", tags=(RED,))
    write([table("t", columns=(described, Column(name="b", data_type="LONG")))])
    moved = (Column(name="b", data_type="LONG"), Column(name="a", data_type="DATE"))
    [change] = write([table("t", columns=moved)])
    assert change.fields == {
        "columns.a.data_type": ("STRING", "DATE"),
        "columns order": (["a", "b"], ["b", "a"]),
    }
    last = state(query, "t")["columns"][1]
    assert (last["description"], len(last["tags"])) == ("of a", 1)


def test_a_facet_that_was_not_read_stays(write, table, query):
    write([table("t", facets={"a": 1, "b": 2}, volatile_facets={"a": 1, "b": 2})])
    write([table("t", facets={"b": 3}, volatile_facets={"b": 3})])
    assert state(query, "t")["facets"] == {"a": 1, "b": 3}
    [[volatile]] = query("SELECT volatile FROM entities WHERE name = 't'")
    assert json.loads(volatile)["facets"] == {"a": 1, "b": 3}
    write([table("t", facets={"a": {}})])
    assert state(query, "t")["facets"] == {"a": {}, "b": 3}


def test_a_column_text_that_was_read_as_empty_stays_read(write, table, query):
    full = table("t", columns=(Column(name="a", description=None),))
    write([full])
    before = state(query, "t")
    write([table("t", "a", description="half read otherwise")])
    write([full])
    assert state(query, "t")["columns"] == before["columns"]


def test_columns_added_and_removed_are_named_and_positions_are_no_news(write, table):
    def columns(*names):
        return tuple(Column(name=n, ordinal_position=i) for i, n in enumerate(names, 1))

    write([table("t", columns=columns("a", "b", "c.d"))])
    [change] = write([table("t", columns=columns("new", "a", "c.d"))])
    assert change.fields == {
        "columns.b": ("UNKNOWN", None),
        "columns.new": (None, "UNKNOWN"),
    }
    [change] = write([table("t", columns=columns("new", "a"))])
    assert list(change.fields) == ['columns."c.d"']


def test_nested_columns_are_compared_by_path(write, table):
    def nested(kind):
        inner = Column(name="x", data_type=kind)
        return table("t", columns=(Column(name="s", data_type="STRUCT", children=(inner,)),))

    write([nested("INT")])
    [change] = write([nested("LONG")])
    assert change.fields == {"columns.s.children.x.data_type": ("INT", "LONG")}


def test_the_order_of_owners_and_tags_is_no_change(write, table):
    write([table("t", owners=(ANN, BOB), tags=(RED,))])
    assert write([table("t", owners=(BOB, ANN), tags=(RED,))])[0].action == "unchanged"
    [change] = write([table("t", owners=(BOB,))])
    assert change.fields["owners"] == (
        ["Ann <ann@example.com>", "bob@example.com"],
        ["bob@example.com"],
    )


def test_volatile_values_are_stored_but_make_no_change(write, table, query):
    def loaded(rows, updated):
        return table(
            "t",
            volatile_facets={"domo": {"rows": rows}},
            life_cycle=LifeCycle(created=1, updated=updated),
        )

    write([loaded(1, 10)])
    stood = query("SELECT updated, state FROM entities")
    assert write([loaded(2, 20)])[0].action == "unchanged"
    assert query("SELECT updated, state FROM entities") == stood
    assert query("SELECT count(*) FROM history") == [(1,)]
    [[volatile]] = query("SELECT volatile FROM entities")
    assert json.loads(volatile) == {"facets": {"domo": {"rows": 2}}, "updated": 20}
    write([table("t", description="not asked for its rows")])
    assert query("SELECT volatile FROM entities") == [(volatile,)]


def test_history_holds_each_field(write, table, query):
    write([table("t", "a", description="old")])
    write([table("t", "a", "b:LONG", description="new")])
    rows = query("SELECT run, action, fields FROM history ORDER BY id")
    assert rows[0] == (1, "created", "{}")
    assert rows[1][:2] == (2, "updated")
    assert json.loads(rows[1][2]) == {
        "description": ["old", "new"],
        "columns.b": [None, "LONG"],
    }


def test_names_of_all_kinds_come_back(write, table, opened_catalog, make_run, parents):
    names = ["a.b", 'say "x"', "a::b", "line\nbreak", "  ", "Ünï", "Sales", "sales", "x" * 256, "'"]
    tables = [table(name, source_id=f"id {name}") for name in names]
    write([*parents, *tables])
    run = make_run()
    with opened_catalog(run) as sink:
        existing = list(sink.existing("table", SCHEMA))
    assert [entity.ref.name for entity in existing] == names
    assert [entity.source_id for entity in existing] == [f"id {name}" for name in names]
    assert not any(entity.deleted for entity in existing)


def test_existing_reads_only_its_scope_and_kind(write, table, opened_catalog, make_run, parents):
    write([*parents, table("t")])
    with opened_catalog(make_run()) as sink:
        assert [e.ref.name for e in sink.existing("databaseSchema", SCHEMA.parent)] == ["default"]
        assert not list(sink.existing("table", SCHEMA.parent))


def test_existing_crosses_pages(write, table, opened_catalog, make_run, monkeypatch):
    monkeypatch.setattr("metaglean.builtin.catalog.entities.PAGE", 7)
    for number in (0, 6, 7, 8, 15):
        write([table(f"t{i}") for i in range(number)])
        with opened_catalog(make_run()) as sink:
            assert len(list(sink.existing("table", SCHEMA))) == number


def test_one_record_that_is_no_json_costs_itself_only(table, opened_catalog, make_run):
    run = make_run()
    with opened_catalog(run) as sink:
        records = [table("a"), table("b", facets={"x": {"y": object()}}), table("c")]
        changes = list(sink.write(iter(records), run))
    assert [change.ref.name for change in changes] == ["a", "c"]
    assert [group.items for group in run.report.problems] == [["domo.default.default.b"]]


def test_lineage_runs_and_profiles(write, table, query):
    a, b = table("a"), table("b")
    edge = Lineage(ref=a.ref, target=b.ref, source="ViewLineage")
    profile = Profile(ref=a.ref, timestamp=5, row_count=1)
    assert [c.action for c in write([a, b, edge, profile])] == ["created"] * 4
    assert [c.action for c in write([a, b, edge, profile])] == ["unchanged"] * 4
    [change] = write([profile.model_copy(update={"row_count": 2})])
    assert change.fields == {"row_count": (1, 2)}
    assert query("SELECT count(*) FROM lineage") == [(1,)]
    [[counts]] = query("SELECT counts FROM runs WHERE id = 1")
    assert json.loads(counts) == {
        "lineage": {"created": 1}, "profile": {"created": 1}, "table": {"created": 2},
    }  # fmt: skip
    # What is read again without its SQL keeps it.
    write([Lineage(ref=a.ref, target=b.ref, sql_query="SELECT 1")])
    assert write([edge])[0].action == "unchanged"


def test_ends_that_are_not_there_are_counted_once(table, opened_catalog, make_run):
    run = make_run()
    away = Ref("table", ("other", "db", "s", "t"))
    pipeline = Ref("pipeline", ("airflow", "dag"))
    with opened_catalog(run) as sink:
        a = table("a")
        records = [
            a,
            Lineage(ref=a.ref, target=away),
            Lineage(ref=away, target=a.ref),
            PipelineRun(ref=pipeline, timestamp=1, execution_status="Failed"),
        ]
        changes = list(sink.write(iter(records), run))
    assert [change.action for change in changes] == ["created", "skipped", "skipped", "skipped"]
    assert [group.message[:30] for group in run.report.warnings] == [
        "2 records of kind lineage left", "1 records of kind pipelineRun ",
    ]  # fmt: skip
