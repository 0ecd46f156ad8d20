from __future__ import annotations

import io
import json
import sys

import pytest

from metaglean import LifeCycle, Owner, Ref, TagLabel
from metaglean.cli import main


@pytest.fixture
def catalog(write, table, parents, path, monkeypatch, opened_catalog, make_run):
    monkeypatch.setenv("METAGLEAN_CATALOG", str(path))
    sales = table(
        "Sales",
        "id:LONG",
        "name",
        description="All sales.\nTwo lines",
        owners=(Owner(type="user", name="Ann", email="ann@example.com"),),
        tags=(TagLabel(classification="DomoTags", name="red"),),
        table_type="View",
        schema_definition="SELECT 1",
        life_cycle=LifeCycle(created=0, updated=86_400_000),
        volatile_facets={"domo": {"rows": 5}},
    )
    old = sales.model_copy(update={"description": "Old", "columns": sales.columns[:1]})
    write([*parents, old, table("evil\x1b[2J\nname"), table("gone")])
    write([sales])
    run = make_run()
    with opened_catalog(run) as sink:
        gone = [e for e in sink.existing("table", parents[2].ref) if e.ref.name == "gone"]
        list(sink.delete(gone, run))
    return path


def run(capsys, *arguments):
    code = main(["catalog", *arguments])
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    return code, captured.out, captured.err


def test_ls(catalog, capsys):
    code, out, _ = run(capsys, "ls")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "COLUMNS", "OWNERS", "TAGS", "UPDATED"]
    assert lines[1].split()[:5] == [
        "domo.default.default.Sales", "View", "2", "Ann", "<ann@example.com>",
    ]  # fmt: skip
    assert len(lines) == 5
    assert lines[-1].startswith("catalog: 2 tables, 1 databaseSchema")
    assert "deleted: 1 table" in lines[-1]


def test_ls_below_a_name_with_deleted_ones(catalog, capsys):
    code, out, _ = run(capsys, "ls", "domo.default", "--deleted")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:4]] == [
        "default.Sales", "default.evil_[2J__reserved__newline__name", "default.gone",
    ]  # fmt: skip
    assert "yes" in out.splitlines()[3]


def test_ls_of_containers_counts_what_is_in_them(catalog, capsys):
    _, out, _ = run(capsys, "ls", "--kind", "databaseService")
    assert "2 tables, 1 databaseSchema, 1 database" in out


def test_ls_as_json(catalog, capsys):
    _, out, _ = run(capsys, "ls", "domo", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows[0]["fqn"] == "domo.default.default.Sales"
    assert rows[0]["columns"][1]["name"] == "name"


def test_show(catalog, capsys):
    code, out, _ = run(capsys, "show", "domo.default.default.Sales")
    assert code == 0
    for text in (
        "table  domo.default.default.Sales\n",
        "Ann <ann@example.com>",
        "1970-01-02 00:00Z",
        "  All sales.\n  Two lines",
        "  SELECT 1",
        "  id    LONG",
        "description: Old → All sales.",
        "columns.name: (none) → STRING",
    ):
        assert text in out


def test_show_by_the_end_of_the_name_and_as_json(catalog, capsys):
    code, out, _ = run(capsys, "show", "default.Sales", "--json")
    shown = json.loads(out)
    assert (code, shown["kind"], shown["fqn"]) == (0, "table", "domo.default.default.Sales")
    assert [event["action"] for event in shown["history"]] == ["updated", "created"]


def test_json_stays_json_where_the_terminal_lacks_characters(write, table, path, monkeypatch):
    name = "Übersicht\x9b\u2028"
    write([table("t", description=name)])
    monkeypatch.setenv("METAGLEAN_CATALOG", str(path))
    for encoding in ("ascii", "latin-1", "utf-8"):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["catalog", "ls", "--json"]) == 0
        out.flush()
        assert json.loads(out.buffer.getvalue().decode(encoding))["description"] == name


def test_show_of_a_deleted_one(catalog, capsys):
    _, out, _ = run(capsys, "show", "gone")
    assert out.startswith("table  domo.default.default.gone  (deleted)")


def test_unknown_and_ambiguous_names(catalog, capsys):
    code, out, err = run(capsys, "show", "Slaes")
    assert (code, out) == (1, "")
    assert "no 'Slaes'" in err
    assert "Did you mean domo.default.default.Sales" in err
    assert run(capsys, "ls", "dommo")[0] == 1
    code, _, err = run(capsys, "show", "default")
    assert (code, "is the name of several" in err) == (1, True)


def test_no_catalog_is_a_clear_error_and_makes_none(tmp_path, capsys):
    missing = tmp_path / "none.db"
    code, _, err = run(capsys, "ls", "-f", str(missing))
    assert (code, err.splitlines()[0]) == (2, f"error: there is no catalog {missing}")
    assert not missing.exists()


def test_an_empty_catalog(tmp_path, write, capsys, path):
    write([])
    code, out, _ = run(capsys, "ls", "-f", str(path))
    assert (code, out) == (0, "catalog: nothing\n")


def test_nested_columns_and_long_names_are_shown(write, table, path, capsys):
    from metaglean import Column

    column = Column(name="s", data_type="STRUCT", children=(Column(name="x" * 200),))
    write([table("t", columns=(column,))])
    _, out, _ = run(capsys, "show", "t", "-f", str(path))
    assert "    " + "x" * 200 in out


def test_names_with_quotes_and_dots(write, table, path, capsys):
    write([table('a.b "c"')])
    name = 'domo.default.default."a.b __reserved__quote__c__reserved__quote__"'
    code, out, _ = run(capsys, "show", name, "-f", str(path))
    assert (code, name in out) == (0, True)
    assert Ref("table", ("domo", "default", "default", 'a.b "c"')).name == 'a.b "c"'
