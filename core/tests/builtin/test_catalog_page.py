"""The page of `metaglean catalog html`, looked at without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from contextlib import closing
from importlib.resources import files

import pytest

from metaglean import (
    Column,
    Lineage,
    Owner,
    Profile,
    TagLabel,
)  # fmt: skip
from metaglean.builtin.catalog.page import writer
from metaglean.builtin.catalog.page.content import LONGEST, shown
from metaglean.builtin.catalog.reader import Reader
from metaglean.cli import main
from metaglean.errors import RunError

BLOCK = re.compile(r'<script type="text/plain" data-block="(\w+)">([^<]*)</script>')
ASSETS = files("metaglean.builtin.catalog.page") / "assets"


@pytest.fixture
def catalog(path, write, table, parents, monkeypatch):
    monkeypatch.setenv("METAGLEAN_CATALOG", str(path))
    orders = table(
        "orders",
        description="All orders.",
        display_name="The orders",
        owners=(Owner(type="user", name="Ann", email="ann@example.com"),),
        tags=(TagLabel(classification="Tier", name="Gold"),),
        columns=(
            Column(name="id", data_type="LONG", description="The number\x01."),
            Column(name="to", data_type="STRUCT", children=(Column(name="city"),)),
            Column(name="a.b", tags=(TagLabel(classification="Tier", name="Gold"),)),
        ),
        schema_definition="SELECT '</script>'",
        source_url="https://example.com/1",
        volatile_facets={"domo": {"rows": 5}},
        facets={"domo": {"kind": "x"}},
    )
    write([*parents, orders.model_copy(update={"description": "Old"}), table("a.b", "x"),
           Profile(ref=orders.ref, timestamp=5, row_count=7)])  # fmt: skip
    write([orders, Lineage(ref=parents[2].ref.child("table", "a.b"), target=orders.ref)])
    return path


def page_of(catalog, name="page.html"):
    target = catalog.with_name(name)
    assert main(["catalog", "html", "-o", str(target)]) == 0
    return target.read_text("utf-8")


def blocks(text):
    """Kind → the blocks of that kind."""
    found = {}
    for kind, packed in BLOCK.findall(text):
        found.setdefault(kind, []).append(json.loads(zlib.decompress(base64.b64decode(packed))))
    return found


def test_it_holds_what_the_catalog_holds(catalog, capsys):
    found = blocks(page_of(catalog))
    assert re.search(r"page\.html: 2 tables, 0\.\d MB", capsys.readouterr().out)
    [head], [index], [details] = found["head"], found["index"], found["detail"]
    assert [scope["fqn"] for scope in head["scopes"]] == ["domo.default.default"]
    assert [one["tables"] for one in head["containers"]] == [2, 2, 2]
    assert head["owners"] == [{"label": "Ann <ann@example.com>", "tables": 1}]
    assert head["tags"] == [{"label": "Tier.Gold", "tables": 1}]
    assert (head["runCount"], head["runs"][0]["id"]) == (2, 2)
    assert index["name"] == ["a.b", "orders"]
    assert index["part"] == ['"a.b"', ""]
    assert index["columns"] == ["x", "id\x01to\x01city\x01a.b"]
    assert index["columnTexts"] == ["", "The number\ufffd.\x01\x01\x01"]
    assert index["columnTags"] == [[], [3, 0]]
    orders = details[1]
    assert orders["types"] == ["LONG", "STRUCT", "UNKNOWN", "UNKNOWN"]
    assert orders["depths"] == [0, 0, 1, 0]
    assert orders["sql"] == "SELECT '</script>'"
    assert orders["facets"] == [["domo.kind", "x"], ["domo.rows", "5"]]
    assert [event[2] for event in orders["history"]] == ["updated", "created"]
    assert orders["history"][0][3] == [["description", "Old", "All orders."]]
    assert orders["lineage"]["upstream"] == [["table", 'domo.default.default."a.b"', "", []]]
    assert orders["profile"]["rows"] == 7
    assert "profile" not in details[0]


def test_the_same_catalog_gives_the_same_page(catalog):
    assert page_of(catalog, "one.html") == page_of(catalog, "two.html")


def test_an_empty_catalog_and_one_without_the_entities_above(path, write, table, monkeypatch):
    monkeypatch.setenv("METAGLEAN_CATALOG", str(path))
    write([])
    assert "index" not in blocks(page_of(path))
    write([table("alone", "x")])
    [head] = blocks(page_of(path))["head"]
    assert [one["title"] for one in head["containers"]] == ["domo", "default", "default"]


def test_blocks_are_of_bounded_size(catalog, monkeypatch):
    whole = blocks(page_of(catalog))
    monkeypatch.setattr(writer, "BLOCK", 1)
    monkeypatch.setattr(writer, "BATCH", 1)
    found = blocks(page_of(catalog))
    assert len(found["index"]) == len(found["detail"]) == 2
    assert [one for block in found["detail"] for one in block] == whole["detail"][0]


def test_the_policy_names_this_script_and_this_style(catalog):
    text = page_of(catalog)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    for tag in ("script", "style"):
        [inside] = re.findall(rf"(?s)<{tag}>(.*?)</{tag}>", text)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_no_text_of_the_catalog_stands_in_the_markup(catalog):
    before, after = writer.frame()
    text = page_of(catalog)
    assert text.startswith(before.decode())
    assert text.endswith(after.decode())
    rest = text.removeprefix(before.decode()).removesuffix(after.decode())
    assert BLOCK.sub("", rest).strip() == ""


@pytest.mark.parametrize("name", writer.SCRIPTS)
def test_scripts_never_parse_text_as_markup(name):
    script = (ASSETS / name).read_text("utf-8")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in script
    for word in ("</script", "<!--", "fetch(", "XMLHttp", "localStorage", "import("):
        assert word not in script


def test_every_asset_is_used():
    used = {*writer.SCRIPTS, "frame.html", "style.css"}
    assert {asset.name for asset in ASSETS.iterdir()} == used


def test_a_page_that_fails_leaves_the_old_one(catalog, monkeypatch):
    old = page_of(catalog)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_write_block", full)
    with closing(Reader(catalog)) as reader, pytest.raises(RunError, match="No space left"):
        writer.write_page(reader, catalog.with_name("page.html"))
    assert catalog.with_name("page.html").read_text("utf-8") == old
    assert not list(catalog.parent.glob(".*"))


def test_where_it_can_not_be_written(catalog, tmp_path, capsys):
    before = catalog.read_bytes()
    assert main(["catalog", "html", "-o", str(catalog)]) == 2
    assert "is the catalog itself" in capsys.readouterr().err
    assert main(["catalog", "html", "-o", str(tmp_path)]) == 2
    assert "is not a file" in capsys.readouterr().err
    assert main(["catalog", "html", "-o", str(tmp_path / "no" / "where.html")]) == 1
    assert "No such file or directory" in capsys.readouterr().err
    assert catalog.read_bytes() == before


def test_a_link_to_a_file_stays_one(catalog, tmp_path):
    real = tmp_path / "real.html"
    real.write_text("old", "utf-8")
    (tmp_path / "page.html").symlink_to(real)
    page_of(catalog)
    assert (tmp_path / "page.html").is_symlink()
    assert real.read_text("utf-8").startswith("<!doctype html>")


def test_values_in_one_short_text():
    assert shown(None) == shown("") == shown([]) == ""
    assert shown(["a", ["b", 1]]) == "a, b, 1"
    assert shown({"a": "é"}) == '{"a": "é"}'
    assert len(shown("x" * 1000)) == LONGEST


# Colour of text or edge, the ground that it stands on, and the contrast that WCAG's AA asks for.
PAIRS = [
    *((text, ground, 4.5) for text in ("ink", "quiet", "accent") for ground in ("ground", "panel")),
    *((text, "soft", 4.5) for text in ("ink", "quiet")),
    *((name, f"{name}-soft", 4.5) for name in ("accent", "good", "bad")),
    ("ink", "mark", 4.5),
    ("panel", "accent", 4.5),
    *(("edge", ground, 3.0) for ground in ("ground", "panel")),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_apart(scheme):
    style = (ASSETS / "style.css").read_text("utf-8")
    light, _, dark = style.partition("@media (prefers-color-scheme: dark)")
    block = (light if scheme == "light" else dark).partition("* {")[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    low = [
        (one, other)
        for one, other, least in PAIRS
        if contrast(colours[one], colours[other]) < least
    ]
    assert low == []


def contrast(one, other):
    """As WCAG 2 defines it: from 1 to 21."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    shares = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    parts = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4
             for share in shares]  # fmt: skip
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
