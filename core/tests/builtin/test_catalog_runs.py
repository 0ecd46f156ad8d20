"""The actions of `metaglean catalog` that look at runs, history and lineage."""

from __future__ import annotations

import contextlib
import json
from itertools import pairwise

import pytest

from metaglean import Column, ColumnLineage, Lineage, Owner, TagLabel
from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.runs import difference, named
from metaglean.cli import main

RED, BLUE = (TagLabel(classification="DomoTags", name=name) for name in ("red", "blue"))


@pytest.fixture
def run(path, capsys):
    """The exit code, standard output and standard error of one action."""

    def running(*arguments):
        try:
            code = main(["catalog", *arguments, "-f", str(path)])
        except SystemExit as error:  # usage
            code = error.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return running


@pytest.fixture
def remove(table, make_run, opened_catalog):
    """A run that marks tables as deleted."""

    def removing(*names):
        run = make_run()
        with opened_catalog(run) as sink:
            list(sink.write(iter([]), run))
            standing = list(sink.existing("table", table("x").ref.parent))
            list(sink.delete([one for one in standing if one.ref.name in names], run))

    return removing


def net(path, first, second, below=""):
    with contextlib.closing(Reader(path)) as reader:
        found = difference(reader.store, first, second, below)
    return {change.fqn.rpartition(".")[2]: (change.action, change.fields) for change in found}


# -- runs -----------------------------------------------------------------------------------------


def test_runs_are_listed_and_shown(write, table, parents, run, remove):
    write([*parents, table("a", "id"), table("b")])
    write([table("a", "id", description="New")])
    remove("b")
    code, out, _ = run("runs")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split()[:4] == ["RUN", "SERVICE", "SOURCE", "STARTED"]
    assert [line.split()[0] for line in lines[1:4]] == ["3", "2", "1"]
    assert lines[-1] == "3 of 3 runs"
    code, out, _ = run("runs", "2")
    assert "~ change  table domo.default.default.a\n      description: (none) → New\n" in out
    assert "- delete  table domo.default.default.b" in run("runs", "last")[1]
    rows = [json.loads(line) for line in run("runs", "--json", "--limit", "2")[1].splitlines()]
    assert [(row["id"], row["status"], row["seconds"]) for row in rows] == [
        (3, "success", 0.0), (2, "success", 0.0),
    ]  # fmt: skip
    shown = [json.loads(line) for line in run("runs", "-1", "--json")[1].splitlines()]
    assert (shown[0]["id"], shown[1]["action"]) == (2, "updated")
    assert run("runs", "--service", "other")[1] == "0 of 0 runs of service other\n"


def test_a_run_that_did_not_end_is_shown_as_such(write, table, query, run):
    write([table("a")])
    query("UPDATE runs SET ended = NULL, status = NULL, counts = NULL")
    assert "not ended" in run("runs")[1]
    assert "not ended" in run("runs", "1")[1]


@pytest.mark.parametrize("name", ["9", "-9", "x", "", "-x", "0", "9" * 40, "-" + "9" * 40])
def test_unknown_runs(write, table, path, name):
    write([table("a")])
    with contextlib.closing(Reader(path)) as reader:
        assert named(reader.store, name) is None


def test_an_unknown_run_is_said(write, table, run):
    write([table("a")])
    code, out, err = run("runs", "7")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "error: there is no run '7' in the catalog",
        "  The only one is 1; `metaglean catalog runs last` shows what it did.",
    ]
    assert run("diff")[0] == 1


# -- diff -----------------------------------------------------------------------------------------


def test_the_net_effect_between_two_runs(write, table, parents, path, remove):
    write([*parents, table("stays", "id", description="1"), table("back", "id"), table("goes")])
    remove("back")  # run 2
    write([table("stays", "id", description="2"), table("new"), table("brief"), table("goes", "x")])
    remove("goes", "brief")  # run 4
    write([table("stays", "id", description="3"), table("back", "id", description="Again")])
    assert net(path, 1, 5) == {
        "back": ("updated", {"description": [None, "Again"]}),
        "goes": ("deleted", {}),
        "new": ("created", {}),
        "stays": ("updated", {"description": ["1", "3"]}),
    }
    assert net(path, 2, 5)["back"] == ("restored", {"description": [None, "Again"]})
    assert net(path, 3, 4) == {"brief": ("deleted", {}), "goes": ("deleted", {})}
    assert net(path, 5, 5) == {}
    assert net(path, 1, 5, "domo.default.default.new") == {"new": ("created", {})}
    assert net(path, 1, 5, "domo.default.defau") == {}


def test_what_was_taken_back_is_no_difference(write, table, path, remove):
    first = table("t", "a", "b", owners=(Owner(type="team", name="x"),), tags=(RED, BLUE))
    write([first])
    write([table("t", "a", "b:LONG", "c", owners=(), tags=(RED,))])
    write([first.model_copy(update={"tags": (BLUE, RED)})])
    changed = net(path, 1, 2)["t"][1]
    assert changed.keys() == {"columns.b.data_type", "columns.c", "tags"}
    assert net(path, 1, 3) == {}
    remove("t")
    write([first])
    assert net(path, 1, 5) == {}


def test_what_came_stands_for_its_parts(write, table, path):
    def with_column(**fields):
        return table("t", columns=(Column(name="a"), Column(name="b", **fields)))

    write([table("t", columns=(Column(name="a"),))])
    write([with_column(data_type="LONG")])
    write([with_column(data_type="LONG", description="Text")])
    write([table("t", facets={"domo.x": {"a": {"b": 1}, "c": 1}})])
    write([table("t", facets={"domo.x": {"a": {"b": 2}, "c": 1}})])
    facets = {"domo.x": {"a": {"b": 2}, "c": 1}}
    fields = {"columns.b": [None, "LONG"], "facets": [None, facets]}
    assert net(path, 1, 5) == {"t": ("updated", fields)}
    assert net(path, 2, 3) == {"t": ("updated", {"columns.b.description": [None, "Text"]})}


def test_a_run_that_changed_nothing_ends_where_the_one_before_it_did(write, table, path):
    write([table("t", "a")])
    write([table("t", "a")])
    write([table("t", "b")])
    assert net(path, 1, 2) == {}
    assert net(path, 2, 3)["t"][1] == {"columns.a": ["STRING", None], "columns.b": [None, "STRING"]}


def test_diff_as_people_see_it(write, table, parents, run):
    write([*parents, table("a", "id")])
    write([table("a", "id", "more"), table("b")])
    code, out, _ = run("diff")
    assert code == 0
    assert out.splitlines()[:3] == [
        "~ change  table domo.default.default.a", "      columns.more: (none) → STRING",
        "+ create  table domo.default.default.b",
    ]  # fmt: skip
    assert out.splitlines()[-1].endswith("1 created, 1 updated")
    assert run("diff", "previous", "last", "--below", "a")[1].count("table") == 1
    assert "nothing differs" in run("diff", "2", "2")[1]
    code, _, err = run("diff", "2", "1")
    assert (code, "name the earlier one first" in err) == (2, True)
    assert run("diff", "1", "5")[0] == 1
    assert run("diff", "1", "2", "--below", "nowhere")[0] == 1
    rows = [json.loads(line) for line in run("diff", "--json")[1].splitlines()]
    assert rows[0]["fields"] == {"columns.more": [None, "STRING"]}


# -- history --------------------------------------------------------------------------------------


def test_history_in_pages(write, table, run):
    for number in range(5):
        write([table("t", description=f"Text {number}")])
    code, out, _ = run("history", "t", "--limit", "2")
    assert code == 0
    assert "description: Text 3 → Text 4" in out
    assert out.splitlines()[-2:] == ["changes 1 to 2 of 5", "--page 2 shows those before them"]
    assert "created" in run("history", "t", "--limit", "2", "--page", "3")[1]
    assert run("history", "t", "--page", "9")[1].splitlines()[-1] == "changes none of 5"
    events = [json.loads(line) for line in run("history", "t", "--json")[1].splitlines()]
    assert [event["run"] for event in events] == [5, 4, 3, 2, 1]
    assert run("history", "nothing")[0] == 1
    assert run("history", "t", "--page", "-1")[0] == 2


# -- lineage --------------------------------------------------------------------------------------


@pytest.fixture
def flow(write, table, parents):
    """raw → clean → report → raw (a cycle), clean → other → report."""
    made = {name: table(name, "id") for name in ("raw", "clean", "report", "other")}
    columns = (
        ColumnLineage(from_columns=((made["raw"].ref, "id"),), to_column="id", function="sum"),
    )
    pairs = ("raw clean", "clean report", "report raw", "clean other", "other report")
    edges = [Lineage(ref=made[a].ref, target=made[b].ref) for a, b in map(str.split, pairs)]
    edges[0] = edges[0].model_copy(update={"columns_lineage": columns, "source": "ViewLineage"})
    write([*parents, *made.values(), *edges])


def test_lineage_is_a_tree_that_ends(flow, run):
    code, out, _ = run("lineage", "raw", "--down", "--columns")
    assert code == 0
    assert out.replace("domo.default.default.", "").splitlines() == [
        "table  raw", "", "goes to", "  → table clean  [ViewLineage]", "      id ← raw.id  by sum",
        "    → table other  [Manual]", "      → table report  [Manual]",
        "        → table raw  [Manual]  (cycle)", "    → table report  [Manual]  (see above)",
    ]  # fmt: skip
    out = run("lineage", "raw", "--up", "--depth", "1")[1]
    assert out.splitlines()[-1].endswith("report  [Manual]  (more behind it)")
    assert run("lineage", "raw", "--up", "--down")[0] == 2
    assert run("lineage", "raw", "--depth", "0")[0] == 2
    assert run("lineage", "nothing")[0] == 1


def test_lineage_as_json_and_where_there_is_none(flow, write, table, run):
    found = json.loads(run("lineage", "clean", "--json", "--depth", "1")[1])
    assert [step["fqn"].rpartition(".")[2] for step in found["up"]] == ["raw"]
    assert [step["fqn"].rpartition(".")[2] for step in found["down"]] == ["other", "report"]
    assert found["up"][0]["columns"][0]["function"] == "sum"
    write([table("alone")])
    assert run("lineage", "alone")[1].count("nothing that is known") == 2


def test_a_long_chain_is_no_trouble(write, table, parents, run):
    tables = [table(f"t{number}") for number in range(500)]
    edges = [Lineage(ref=a.ref, target=b.ref) for a, b in pairwise(tables)]
    write([*parents, *tables, *edges])
    assert len(json.loads(run("lineage", "t0", "--down", "--json")[1])["down"]) == 499
