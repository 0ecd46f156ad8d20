"""What a record wants to stand, in values; what a server can't hold is left out and told."""

from __future__ import annotations

import pytest

from metaglean.builtin.server.body import Bodies
from metaglean.builtin.server.features import Features
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.builtin.server.wire import fields_of, from_wire, known, to_wire
from metaglean.records import (
    Column,
    LifeCycle,
    Owner,
    Pipeline,
    Ref,
    Table,
    TableConstraint,
    TagLabel,
    Task,
)

REF = Ref("table", ("s", "d", "x", "t"))
OLD, NEW = Features((1, 2, 0)), Features((2, 0, 0))


def values(features=NEW, kind=Table, ref=REF, **fields):
    names = ServerNames(features)
    bodies = Bodies(
        names,
        QualifiedNames(names),
        lambda labels: [{"tagFQN": f"{one.classification}.{one.name}"} for one in labels],
        lambda owners: [{"id": one.name} for one in owners],
    )
    notes = []
    return bodies.values(kind(ref=ref, **fields), notes.append), notes


def columns(*given, features=NEW):
    found, notes = values(features, columns=given)
    return found["columns"], notes


def test_only_what_was_read_is_wanted():
    assert values() == ({}, [])
    found, _ = values(description=None, display_name=None, tags=(), owners=(), columns=())
    assert found == {
        "description": None, "displayName": None, "tags": [], "owners": [], "columns": [],
    }  # fmt: skip


def test_a_record_without_a_link_leaves_the_stored_one():
    assert values(source_url=None) == ({}, [])


def test_columns_that_a_server_takes_for_one():
    """Of two that differ only in case the first stays; another text is another column."""
    found, notes = columns(
        Column(name="id"), Column(name="ID"), Column(name="b"), Column(name="id"),
        Column(name="s", data_type="STRUCT", children=(Column(name="x"), Column(name="X"))),
    )  # fmt: skip
    assert [one["name"] for one in found] == ["id", "b", "s"]
    assert [one["name"] for one in found[2]["children"]] == ["x"]
    assert len(notes) == 3


def test_a_column_name_that_is_no_name():
    found, _ = columns(Column(name="a::b"), Column(name='q"q'), Column(name="n\nn"))
    assert [one["displayName"] for one in found] == ["a::b", 'q"q', "n\nn"]
    assert not any(set(one["name"]) & set(':"\n') for one in found)
    (long,), _ = columns(Column(name="x" * 300))
    assert long["name"] == "x" * 256
    assert long["displayName"] == "x" * 300
    (own,), _ = columns(Column(name="a::b", display_name="Mine"))
    assert own["displayName"] == "Mine"


@pytest.mark.parametrize("data_type", ["CHAR", "VARCHAR", "BINARY", "VARBINARY"])
def test_types_that_need_a_length(data_type):
    (one, two), _ = columns(
        Column(name="a", data_type=data_type), Column(name="b", data_type=data_type, data_length=9)
    )
    assert (one["dataLength"], two["dataLength"]) == (1, 9)


def test_an_array_needs_the_type_of_its_items():
    (one,), _ = columns(Column(name="a", data_type="ARRAY"))
    assert one["arrayDataType"] == "UNKNOWN"


def test_a_scale_beyond_its_precision_is_left_out():
    one, two, three = columns(
        Column(name="a", data_type="DECIMAL", precision=5, scale=2),
        Column(name="b", data_type="DECIMAL", precision=2, scale=5),
        Column(name="c", data_type="DECIMAL", scale=5),
    )[0]
    assert (one["precision"], one["scale"]) == (5, 2)
    assert "scale" not in two
    assert "scale" not in three


def test_constraints_name_columns_that_are_sent():
    unique = TableConstraint(constraint_type="UNIQUE", columns=("a::b",))
    gone = TableConstraint(constraint_type="UNIQUE", columns=("gone",))
    foreign = TableConstraint(
        constraint_type="FOREIGN_KEY", columns=("a::b",),
        referred_columns=(("s", "d", "x", "o.ther", "c"),),
    )  # fmt: skip
    found, _ = values(columns=(Column(name="a::b"),), table_constraints=(unique, gone, foreign))
    (name,) = [one["name"] for one in found["columns"]]
    assert found["tableConstraints"] == [
        {"constraintType": "UNIQUE", "columns": [name]},
        {"constraintType": "FOREIGN_KEY", "columns": [name],
         "referredColumns": ['s.d.x."o.ther".c']},
    ]  # fmt: skip


def test_a_table_has_no_definition():
    """Servers refuse one with it."""
    assert values(table_type="Regular", schema_definition="select 1")[0]["definition"] is None
    assert values(table_type="View", schema_definition="select 1")[0]["definition"] == "select 1"
    assert values(schema_definition="select 1")[0]["definition"] == "select 1"


def test_times_of_the_source():
    found, _ = values(life_cycle=LifeCycle(created=1))
    assert found == {"lifeCycle": {"created": {"timestamp": 1}}}
    assert values(life_cycle=LifeCycle()) == ({}, [])


def test_a_pipeline():
    ref = Ref("pipeline", ("p", "l"))
    task = Task(name="a", task_sql="select 1", downstream_tasks=("b",),
                owners=(Owner(type="user", name="1"),),
                tags=(TagLabel(classification="C", name="t"),))  # fmt: skip
    found, _ = values(kind=Pipeline, ref=ref, tasks=(task, Task(name="b")), schedule_interval=None,
                      pipeline_location="/x")  # fmt: skip
    assert found["tasks"] == [
        {"name": "a", "taskSQL": "select 1", "downstreamTasks": ["b"], "owners": [{"id": "1"}],
         "tags": [{"tagFQN": "C.t"}]},
        {"name": "b"},
    ]  # fmt: skip
    assert found["pipelineLocation"] == "/x"
    assert found["scheduleInterval"] is None


# -- the shapes of generations -------------------------------------------------------------------


VALUES = {
    "owners": [{"id": "1", "type": "user"}, {"id": "2", "type": "team"}],
    "definition": "select 1",
    "description": None,
    "tags": [],
    "state": "Active",
}


@pytest.mark.parametrize(
    ("version", "owner"),
    [((1, 2, 0), {}), ((1, 3, 0), {"owner": {"id": "1"}}), ((1, 5, 0), {"owners": [{"id": "1"}]})],
)
def test_a_task_has_the_owners_that_its_server_knows(version, owner):
    task = {"name": "a", "owners": [{"id": "1"}]}
    assert known(Features(version), {"tasks": [task]}) == {"tasks": [{"name": "a", **owner}]}


def test_a_body_has_the_keys_of_its_server():
    assert to_wire(OLD, known(OLD, VALUES)) == {
        "owner": {"id": "1", "type": "user"},
        "viewDefinition": "select 1",
    }
    assert to_wire(NEW, known(NEW, VALUES)) == {
        "owners": VALUES["owners"],
        "schemaDefinition": "select 1",
        "state": "Active",
    }


def test_what_is_asked_for_has_the_keys_of_its_server():
    assert {"owner", "viewDefinition", "tags"} <= set(fields_of(OLD, "table").split(","))
    assert {"owners", "schemaDefinition", "columns"} <= set(fields_of(NEW, "table").split(","))
    assert "lifeCycle" not in fields_of(Features((1, 1, 0)), "table")


@pytest.mark.parametrize(
    ("features", "stored"),
    [
        (OLD, {"owner": {"id": "1", "type": "user", "name": "ann", "href": "h"},
               "viewDefinition": "select 1"}),
        (NEW, {"owners": [{"id": "1", "type": "user", "name": "ann"},
                          {"id": "9", "type": "team", "name": "x", "inherited": True}],
               "schemaDefinition": "select 1"}),
    ],
)  # fmt: skip
def test_what_stands_has_our_keys(features, stored):
    """What it inherits from its parents is not its own."""
    found = from_wire(features, stored)
    assert found["owners"] == [{"id": "1", "type": "user", "name": "ann"}]
    assert found["definition"] == "select 1"
    assert from_wire(features, {})["owners"] == []
