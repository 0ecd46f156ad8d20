"""`metaglean catalog export`: CSV, JSON Lines, Markdown."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import Column, Owner, TagLabel
from metaglean.builtin.catalog import exports, reader
from metaglean.builtin.catalog.exports import csv_lines, markdown_lines
from metaglean.cli import main
from metaglean.cli.catalog import export


@pytest.fixture
def catalog(write, table, parents, path):
    write(
        [
            *parents,
            table(
                "orders",
                description='=HYPERLINK(1)\nsecond line, "quoted"',
                display_name="+Orders",
                owners=(Owner(type="user", name="@Ann", email="ann@example.com"),),
                tags=(TagLabel(classification="Pii", name="x|y"),),
                columns=(
                    Column(name="-id", data_type="LONG"),
                    Column(name="s", children=(Column(name="x", description="in|side"),)),
                ),
                schema_definition="SELECT\t1 -- ```",
                source_url="javascript:alert(1)",
            ),
            table("plain", "id", description="# Not a <b>heading</b>\n1. nor a *list*, a_b _c_"),
        ]
    )  # fmt: skip
    return path


def run(capsys, path, *arguments):
    try:
        code = main(["catalog", "export", *arguments, "-f", str(path)])
    except SystemExit as error:  # usage
        code = error.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_of_tables(catalog, capsys):
    code, out, _ = run(capsys, catalog, "--format", "csv")
    orders, plain = read(out)
    assert code == 0
    assert orders["name"] == "domo.default.default.orders"
    assert orders["description"] == '\'=HYPERLINK(1)\nsecond line, "quoted"'
    assert (orders["display_name"], orders["columns"]) == ("'+Orders", "2")
    assert orders["owners"] == "'@Ann <ann@example.com>"
    assert plain["deleted"] == ""


def test_csv_of_columns(catalog, capsys):
    _, out, _ = run(capsys, catalog, "--format", "csv", "--columns", "orders")
    assert [(row["column"], row["type"]) for row in read(out)] == [
        ("'-id", "LONG"), ("s", ""), ("s.x", ""),
    ]  # fmt: skip
    code, _, err = run(capsys, catalog, "--format", "jsonl", "--columns")
    assert (code, "--columns is for csv" in err) == (2, True)


@given(
    text=st.text(st.characters(codec="utf-8"), max_size=30) | st.from_regex(r"[=+\-@\t\r\n ]\w*")
)
def test_no_cell_is_a_formula_and_every_cell_is_read_back(text):
    entry = reader.Entry(1, "table", "a.b", None, False, 0.0, {}, {"description": text})
    lines = "\n".join(csv_lines([entry], columns=False))
    [row] = csv.DictReader(io.StringIO(lines, newline=""))
    cell = row["description"]
    assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell.removeprefix("'") == exports._plain(text).removeprefix("'")


def test_jsonl_is_everything(catalog, capsys):
    _, out, _ = run(capsys, catalog, "--format", "jsonl")
    entities = [json.loads(line) for line in out.splitlines()]
    assert [entity["kind"] for entity in entities] == [
        "table", "table", "databaseSchema", "database", "databaseService",
    ]  # fmt: skip
    assert entities[0]["columns"][1]["children"][0]["name"] == "x"
    out = run(capsys, catalog, "--format", "jsonl", "--kind", "database", "domo")[1]
    assert json.loads(out)["fqn"] == "domo.default"


def test_markdown_shows_texts_as_they_are(catalog, capsys):
    _, out, _ = run(capsys, catalog, "--format", "markdown", "domo.default.default")
    assert out.startswith(
        "# domo.default.default\n\n## domo.default.default\n\n### \\+Orders (`orders`)\n"
    )
    for line in (
        "| `-id` | LONG |  |  |", "| `s.x` |  |  | in\\|side |", "- Tags: Pii.x\\|y",
        "- Link: `javascript:alert(1)`", "````sql\nSELECT  1 -- ```\n````",
        "\\# Not a &lt;b&gt;heading&lt;/b&gt;\n1\\. nor a \\*list\\*, a_b \\_c\\_",
    ):  # fmt: skip
        assert line in out


@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_no_text_opens_html_or_breaks_the_table(text):
    column = {"name": text or "x", "description": text}
    state = {"columns": [column], "description": text}
    entry = reader.Entry(1, "table", "a.b", None, False, 0.0, {}, state)
    lines = list(markdown_lines([entry], "a"))
    row = lines[-1]
    assert row.startswith("| ")
    assert "\n" not in row
    outside = [line for line in lines if not line.startswith("| ")]
    assert "<" not in "".join(outside)


def test_a_file_is_replaced_whole_or_not_at_all(catalog, capsys, tmp_path, monkeypatch):
    target = tmp_path / "out.csv"
    target.write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr(export, "csv_lines", lambda entries, columns: iter(["a", 1]))
        code = run(capsys, catalog, "--format", "csv", "-o", str(target))[0]
        assert (code, target.read_text()) == (70, "before")
    code, out, err = run(capsys, catalog, "--format", "csv", "-o", str(target))
    assert (code, out, err) == (0, "", f"{target}: 2 entities\n")
    assert len(read(target.read_text("utf-8"))) == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["metaglean.db", "out.csv"]
    assert run(capsys, catalog, "--format", "csv", "-o", str(catalog))[0] == 2
    assert run(capsys, catalog, "--format", "csv", "-o", str(tmp_path / "no" / "dir"))[0] == 1
    assert run(capsys, catalog, "--format", "csv", "nowhere")[0] == 1


def test_a_long_export_says_how_far_it_is(catalog, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "EVERY", 0.0)
    _, _, err = run(capsys, catalog, "--format", "csv", "-o", str(tmp_path / "x"))
    assert err.splitlines()[0] == "1 entities so far"
