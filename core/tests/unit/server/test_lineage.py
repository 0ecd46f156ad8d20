"""Edges are read and merged before they are written; those that people drew stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean.builtin.server import edges
from metaglean.builtin.server.lineage import LineageWriter
from metaglean.builtin.server.resolver import Resolver
from metaglean.errors import ItemError, NotFound
from metaglean.fqn import build
from metaglean.records import ColumnLineage, Lineage, Ref

A, B = (Ref("table", ("s", "d", "x", name)) for name in "ab")
PIPELINE = Ref("pipeline", ("p", "load"))
READ = "lineage/table/1"
EDGE = "lineage/getLineageEdge/1/2"


def fqn(ref):
    return build(ref.path)


def table(number, name, *columns):
    names = [{"fullyQualifiedName": f"s.d.x.{name}.{column}"} for column in columns]
    return {"id": str(number), "columns": names}


def columns(to, *sources):
    return ColumnLineage(from_columns=tuple((A, one) for one in sources), to_column=to)


def wire(to, *sources, **more):
    return {"fromColumns": [f"s.d.x.a.{x}" for x in sources], "toColumn": f"s.d.x.b.{to}", **more}


@pytest.fixture
def server(stand_in):
    def make(details=None, version=(1, 2, 0)):
        listed = [{"toEntity": "9"}]
        if details is not None:
            listed.append({"toEntity": "2", "lineageDetails": details})
        return stand_in(
            version,
            {
                "GET tables/name/s.d.x.a": table(1, "a", "id", "x", "y"),
                "GET tables/name/s.d.x.b": table(2, "b", "id", "z"),
                "GET pipelines/name/p.load": {"id": "7"},
                f"GET {READ}": {"downstreamEdges": listed},
                f"GET {EDGE}": {"edge": details} if details is not None else NotFound("no edge"),
                "PUT lineage": None,
            },
        )

    return make


def writer(server, run):
    return LineageWriter(server, Resolver(server, fqn), run)


def details(server):
    """Of the only edge that was sent."""
    (body,) = server.sent("lineage")
    assert body["edge"]["fromEntity"] == {"id": "1", "type": "table"}
    assert body["edge"]["toEntity"] == {"id": "2", "type": "table"}
    return body["edge"]["lineageDetails"]


RECORD = Lineage(
    ref=A,
    target=B,
    source="QueryLineage",
    sql_query="select 1",
    pipeline=PIPELINE,
    columns_lineage=(columns("id", "id", "id"),),
)
STORED = {
    "source": "QueryLineage",
    "sqlQuery": "select 1",
    "pipeline": {"id": "7", "type": "pipeline", "fullyQualifiedName": "p.load", "deleted": False},
    "columnsLineage": [wire("id", "id")],
}


def test_a_new_edge(server, run):
    there = server()
    change = writer(there, run).write(RECORD)
    assert (change.action, change.kind, change.ref) == ("created", "lineage", A)
    assert details(there) == {
        "source": "QueryLineage",
        "sqlQuery": "select 1",
        "pipeline": {"id": "7", "type": "pipeline"},
        "columnsLineage": [wire("id", "id")],
    }
    assert there.asked(READ) == [{"upstreamDepth": 0, "downstreamDepth": 1}]


def test_a_column_named_twice_is_one_and_not_left_out(server, run):
    writing = writer(server(), run)
    writing.write(RECORD)
    assert not writing.left_out


def test_a_source_is_never_null(server, run):
    there = server()
    writer(there, run).write(Lineage(ref=A, target=B))
    assert details(there) == {"source": "Manual"}


@pytest.mark.parametrize("version", [(1, 2, 0), (1, 12, 0), (2, 0, 0)])
def test_what_stands_is_not_written_again(server, run, version):
    there = server({**STORED, "createdAt": 1, "updatedBy": "someone"}, version)
    change = writer(there, run).write(RECORD)
    assert (change.action, change.fields) == ("unchanged", {})
    assert not there.sent("lineage")


def test_newer_servers_are_asked_for_the_edge_alone(server, run):
    there = server(STORED, (1, 5, 0))
    assert writer(there, run).write(RECORD).action == "unchanged"
    assert there.asked(EDGE)
    assert not there.asked(READ)
    there = server(None, (1, 5, 0))
    assert writer(there, run).write(RECORD).action == "created"


def test_a_server_without_that_call_is_asked_the_other_way_once(server, run, no_such_path):
    there = server(STORED, (1, 3, 0))
    there.answers[f"GET {EDGE}"] = no_such_path
    writing = writer(there, run)
    assert [writing.write(RECORD).action for _ in range(2)] == ["unchanged"] * 2
    assert (len(there.asked(EDGE)), len(there.asked(READ))) == (1, 2)


def test_an_edge_that_cant_be_read_is_not_written(server, run):
    there = server(STORED, (1, 5, 0))
    there.answers[f"GET {EDGE}"] = ItemError("500: out of memory", status=500)
    with pytest.raises(ItemError):
        writer(there, run).write(RECORD)
    assert not there.sent("lineage")
    assert not there.asked(READ)


def test_what_the_record_does_not_say_stays(server, run):
    stored = {**STORED, "description": "why", "tempLineageTables": [{"fromEntity": "t"}]}
    there = server({**stored, "createdAt": 1, "createdBy": "x", "updatedAt": 2, "updatedBy": "y"})
    change = writer(there, run).write(
        Lineage(ref=A, target=B, source="QueryLineage", columns_lineage=(columns("z", "x", "y"),))
    )
    united = [wire("id", "id"), wire("z", "x", "y")]
    assert change.action == "updated"
    assert change.fields == {"columns_lineage": (stored["columnsLineage"], united)}
    assert details(there) == {
        **stored,
        "pipeline": {"id": "7", "type": "pipeline"},
        "columnsLineage": united,
    }


def test_what_the_record_says_follows_it(server, run):
    there = server({**STORED, "source": "PipelineLineage", "sqlQuery": "select 0"})
    change = writer(there, run).write(RECORD)
    assert change.fields == {
        "source": ("PipelineLineage", "QueryLineage"),
        "sql_query": ("select 0", "select 1"),
    }
    assert details(there)["sqlQuery"] == "select 1"


def test_a_source_that_was_not_given_changes_nothing(server, run):
    there = server({"source": "DbtLineage"})
    assert writer(there, run).write(Lineage(ref=A, target=B)).action == "unchanged"


@pytest.mark.parametrize("source", [{"source": "Manual"}, {}])
def test_an_edge_that_a_person_drew_gets_columns_only(server, run, source):
    by_hand = {**source, "sqlQuery": "mine", "columnsLineage": [wire("z", "x", function="f")]}
    there = server(by_hand)
    more = ColumnLineage(from_columns=((A, "x"),), to_column="z", function="ours")
    record = RECORD.model_copy(update={"columns_lineage": (*RECORD.columns_lineage, more)})
    change = writer(there, run).write(record)
    assert set(change.fields) == {"columns_lineage"}
    assert set(change.kept) == {"source", "sql_query", "pipeline"}
    assert details(there) == {
        "source": "Manual",
        "sqlQuery": "mine",
        "columnsLineage": [wire("z", "x", function="f"), wire("id", "id")],
    }


def test_an_edge_without_anything_to_add_stays_as_a_person_drew_it(server, run):
    there = server({"source": "Manual", "columnsLineage": [wire("id", "id", "x")]})
    change = writer(there, run).write(RECORD)
    assert change.action == "unchanged"
    assert change.kept
    assert not there.sent("lineage")


def test_ends_that_are_not_there_are_skipped_and_counted(server, run):
    there = server()
    writing = writer(there, run)
    gone = Ref("table", ("s", "d", "x", "gone"))
    for record in (Lineage(ref=A, target=gone), Lineage(ref=gone, target=B)):
        change = writing.write(record)
        assert (change.action, change.kind) == ("skipped", "lineage")
    assert not there.sent("lineage")
    writing.report()
    (warning,) = run.report.warnings
    assert warning.message.startswith("2 lineage edges left out")
    writing.report()
    assert run.report.warnings.count == 1


def test_columns_and_pipelines_that_are_not_there_are_left_out(server, run):
    there = server()
    del there.answers["GET pipelines/name/p.load"]
    other = ColumnLineage(from_columns=((B, "id"),), to_column="id")
    record = RECORD.model_copy(
        update={
            "columns_lineage": (
                columns("id", "id", "nope"),  # cut
                columns("nope", "id"),  # left out, as the others
                columns("Z", "x"),
                other,
            )
        }
    )
    writing = writer(there, run)
    writing.write(record)
    assert details(there) == {
        "source": "QueryLineage",
        "sqlQuery": "select 1",
        "columnsLineage": [wire("id", "id")],
    }
    assert writing.left_out == {"columns": 4, "pipelines": 1}
    writing.report()
    assert run.report.warnings.count == 2


def test_columns_that_are_gone_are_cut_from_what_is_sent(server, run):
    foreign = {"fromColumns": ["t.d.x.c.k"], "toColumn": "s.d.x.b.z"}
    stored = {**STORED, "columnsLineage": [wire("old", "id"), wire("z", "old", "x"), foreign]}
    there = server(stored)
    writer(there, run).write(RECORD)
    assert details(there)["columnsLineage"] == [
        wire("z", "x"),
        {"fromColumns": ["t.d.x.c.k"], "toColumn": "s.d.x.b.z"},
        wire("id", "id"),
    ]


def test_only_tables_have_column_lineage(server, run):
    there = server()
    there.answers["GET topics/name/k.t"] = {"id": "2"}
    topic = Ref("topic", ("k", "t"))
    writing = writer(there, run)
    writing.write(RECORD.model_copy(update={"target": topic}))
    (body,) = there.sent("lineage")
    assert "columnsLineage" not in body["edge"]["lineageDetails"]
    assert writing.left_out == {"columns": 1}


def test_a_word_that_the_server_lacks_gets_a_stand_in_that_no_person_uses(server, run, refusal):
    there = server(None, (1, 2, 0))
    writing = writer(there, run)
    writing.write(RECORD.model_copy(update={"source": "SparkLineage"}))
    assert details(there)["source"] == "QueryLineage"

    there = server(None, (2, 0, 0))
    there.answers["PUT lineage"] = [
        refusal(
            "Cannot construct instance of `org.openmetadata.schema.type.LineageDetails$Source`, "
            "problem: ChildAssets at [Source: (x); line: 1]"
        ),
        None,
    ]
    writing = writer(there, run)
    writing.write(RECORD.model_copy(update={"source": "ChildAssets"}))
    sources = [x["edge"]["lineageDetails"]["source"] for x in there.sent("lineage")]
    assert sources == ["ChildAssets", "QueryLineage"]
    assert run.report.warnings.count == 1
    there.answers[f"GET {EDGE}"] = {"edge": there.sent("lineage")[-1]["edge"]["lineageDetails"]}
    assert writing.write(RECORD.model_copy(update={"source": "ChildAssets"})).action == "unchanged"


def test_1_1_knows_no_source(server, run):
    there = server(None, (1, 1, 7))
    writer(there, run).write(RECORD)
    assert "source" not in details(there)


def test_a_field_called_unknown_is_left_out_for_the_rest_of_the_run(server, run, refusal):
    there = server()
    there.answers["PUT lineage"] = [
        refusal('Unrecognized field "source" (class org.openmetadata.schema.type.LineageDetails)'),
        None,
        None,
    ]
    writing = writer(there, run)
    writing.write(RECORD)
    writing.write(RECORD)
    sent = ["source" in body["edge"]["lineageDetails"] for body in there.sent("lineage")]
    assert sent == [True, False, False]
    assert run.report.warnings.count == 1


def test_what_else_is_refused_is_an_error(server, run, refusal):
    there = server()
    there.answers["PUT lineage"] = refusal("Invalid column name")
    with pytest.raises(ItemError):
        writer(there, run).write(RECORD)
    assert len(there.sent("lineage")) == 1


def test_records_of_one_pair_at_the_same_time_all_arrive(server, run):
    there = server()
    edge = []

    def read(query):
        found = [{"toEntity": "2", "lineageDetails": one} for one in edge]
        time.sleep(0.01)  # long enough for another thread, were it let in
        return {"downstreamEdges": found}

    there.answers[f"GET {READ}"] = read
    there.answers["PUT lineage"] = lambda body: edge.__setitem__(
        slice(None), [body["edge"]["lineageDetails"]]
    )
    records = [
        RECORD.model_copy(update={"columns_lineage": (columns(to, source),)})
        for to in ("id", "z")
        for source in ("id", "x", "y")
    ]
    assert len(list(run.map(writer(there, run).write, records))) == len(records)
    assert pairs(edge[0]) == {
        (f"s.d.x.b.{to}", f"s.d.x.a.{source}") for to in ("id", "z") for source in ("id", "x", "y")
    }


def test_a_dry_run_writes_nothing(server, dry_run):
    there = server({**STORED, "sqlQuery": "select 0"})
    resolver = Resolver(there, fqn)
    new = Ref("table", ("s", "d", "x", "new"))
    resolver.plan(new)
    writing = LineageWriter(there, resolver, dry_run)
    change = writing.write(RECORD)
    assert change.fields == {"sql_query": ("select 0", "select 1")}
    assert writing.write(RECORD.model_copy(update={"target": new})).action == "created"
    assert not there.sent("lineage")
    assert not writing.left_out


def test_columns_unite_per_target():
    stored = [wire("id", "id", function="f")]
    wanted = [wire("id", "x", "id"), wire("z", "y", function="g"), wire("z", "x", function="h")]
    united = edges.unite(stored, wanted, functions=True)
    assert united == [wire("id", "id", "x", function="f"), wire("z", "y", "x", function="h")]
    assert edges.unite(united, wanted, functions=True) == united
    assert stored == [wire("id", "id", function="f")]


NAMES = st.sampled_from(["id", "x", "y", "z"])
ENTRIES = st.lists(
    st.builds(
        lambda to, sources, function: wire(to, *sources, **function),
        NAMES,
        st.lists(NAMES, min_size=1, max_size=3),
        st.sampled_from([{}, {"function": "f"}, {"function": "g"}]),
    ),
    max_size=5,
)
TEXTS = st.sampled_from([None, "", "a", "b"])
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.sampled_from(["Manual", "QueryLineage", "DbtLineage"]),
        "sqlQuery": TEXTS,
        "description": TEXTS,
        "pipeline": st.sampled_from([{"id": "7", "type": "pipeline"}, None]),
        "columnsLineage": ENTRIES,
    },
)


def pairs(details):
    entries = details.get("columnsLineage") or []
    return {(one["toColumn"], source) for one in entries for source in one["fromColumns"]}


@given(stored=DETAILS, said=DETAILS)
def test_once_written_nothing_differs_and_nothing_is_lost(stored, said):
    wanted = {**said, "columnsLineage": edges.unite((), said.get("columnsLineage") or (),
                                                    functions=True)}  # fmt: skip
    merged = edges.merge(stored, wanted)
    assert pairs(merged.details) == pairs(stored) | pairs(wanted)
    assert not edges.merge(merged.details, wanted).fields
    for key in ("source", "sqlQuery", "description", "pipeline"):
        by_hand = edges.drawn(stored)
        kept = by_hand or not said.get(key)
        assert merged.details.get(key) == (stored if kept else said).get(key)
