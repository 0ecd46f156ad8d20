"""Search: what is found and how it is ranked, with the index, without it, and in old catalogs."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaglean import Column, Owner, TagLabel
from metaglean.builtin.catalog import index
from metaglean.builtin.catalog.documents import PLACES, document, texts
from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.search import search
from metaglean.builtin.catalog.words import begins, terms, words
from metaglean.cli import main

SENSITIVE = TagLabel(classification="Pii", name="sensitive")
OLD = Path(__file__).with_name("catalog_v1.sql")


def names(path, *asked, **options):
    with contextlib.closing(Reader(path)) as reader:
        found = search(reader, asked, **options)
    return [hit.entry.fqn.rpartition(".")[2] for hit in found.hits]


def unindexed(path):
    with contextlib.closing(Reader(path)) as reader:
        return search(reader, ["anything"]).unindexed


@pytest.fixture
def shop(write, table, parents, path):
    write(
        [
            *parents,
            table("orders", "id:LONG", "CustomerId:LONG", description="What was sold, by day."),
            table("order_lines", "id:LONG", "price", tags=(SENSITIVE,)),
            table("daily", "day", columns=(Column(name="day", description="of the order"),)),
            table("T17", "x", display_name="Überfällige Bestellungen"),
            table("受注データ", "得意先"),
            table("people", owners=(Owner(type="user", name="Zoë Kim", email="zoe@example.com"),)),
            table("s", columns=(Column(name="a", children=(Column(name="deep_field"),)),)),
        ]
    )  # fmt: skip
    return path


@pytest.fixture(params=["index", "no FTS5", "version 1"])
def anyhow(request, shop, query, monkeypatch):
    """The same catalog with its index, in a Python without FTS5, and as version 1 had it."""
    if request.param == "no FTS5":
        monkeypatch.setattr(index, "available", lambda store: False)
    elif request.param == "version 1":
        for statement in ("DROP TABLE search_docs", "DROP TABLE search_todo",
                          "DROP TABLE search", "DROP TRIGGER search_created",
                          "DROP TRIGGER search_changed", "PRAGMA user_version = 1"):  # fmt: skip
            query(statement)
    return shop


FOUND = {
    "orders": ["orders"],
    "ORDER": ["order_lines", "orders", "daily"],  # whole in the name, begun in it, elsewhere
    "orderlines": ["order_lines"],
    "order price": ["order_lines"],
    "customer": ["orders"],
    "CustomerId": ["orders"],
    "customer_id": ["orders"],
    "customerid": ["orders"],
    "sold day": ["orders"],
    "uberfallige": ["T17"],
    "Bestell": ["T17"],
    "受注": ["受注データ"],
    "データ": ["受注データ"],
    "得": ["受注データ"],
    "先": ["受注データ"],
    "sensitive": ["order_lines"],
    "pii.sensitive": ["order_lines"],
    "zoe kim": ["people"],
    "zoe@example.com": ["people"],
    "deep field": ["s"],
    "rder": [],
    "orders nothing": [],
}


def test_what_is_found(anyhow):
    assert {asked: names(anyhow, *asked.split(), kind="table") for asked in FOUND} == FOUND
    assert names(anyhow, "default", kind="databaseSchema") == ["default"]
    assert names(anyhow, "domo", "orders")[0] == "orders"
    assert len(names(anyhow, "domo", limit=3)) == 3


UNUSUAL = [
    *['"', "'", "*", "a*", 'name : "x"', "NOT", "a AND", "OR", "NEAR(a b)", "{name}", "^a", "-"],
    *["()", "\x00", "\udcff", "😀", "a" * 5000, "x " * 500, "%", "_", "\\", "--help me", "ﬁ", "İ"],
]


LONG = [
    "Ab" * 40 + " " + " ".join(f"w{n}X{n}Yz" for n in range(40)),
    "受注データ得意先" * 20 + " " + " ".join(chr(0x4E00 + n) * 3 for n in range(60)),
]


def test_odd_input_is_no_error(shop, capsys):
    for asked in UNUSUAL + LONG:
        code = main(["catalog", "search", "-f", str(shop), "--", asked])
        assert code in {0, 1}, (asked, capsys.readouterr().err)


ODD = st.text(st.characters(codec="utf-8"), max_size=40) | st.text(
    'a"*:(){}^-+ANDORT.,_ 受注', max_size=30
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked=st.lists(ODD, min_size=1, max_size=3))
def test_any_query_finds_the_same_with_and_without_the_index(shop, asked):
    with contextlib.closing(Reader(shop)) as reader:
        found = search(reader, asked, limit=50)
        reader.store.version = 1  # as if the file had no index
        scanned = search(reader, asked, limit=50)
    assert [hit.entry.fqn for hit in found.hits] == [hit.entry.fqn for hit in scanned.hits]
    assert all(hit.texts for hit in found.hits)


@settings(max_examples=100, deadline=None)
@given(
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), start=st.integers(0, 30)
)
def test_a_text_is_found_by_its_own_words_and_their_beginnings(name, start):
    held = words(name)
    for term in terms([name]):
        assert any(
            all(any(begins(word, asked) for word in held) for asked in way) for way in term.ways
        )
    assert all(word == word.casefold() or not word.isascii() for word in held)


@given(description=st.text(st.characters(codec="utf-8"), max_size=60))
def test_the_index_takes_a_text_apart_as_search_does(description):
    made = sqlite3.connect(":memory:")
    with contextlib.closing(made):
        made.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize='ascii')")
        made.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, row)")
        line = document("a.b", {"description": description})[PLACES.index("texts")]
        made.execute("INSERT INTO t VALUES (?)", (line,))
        indexed = {row[0] for row in made.execute("SELECT term FROM v")}
    [text] = [t for t in texts("a.b", {"description": description or "x"}) if t.place == "texts"]
    assert indexed == (set(words(text.text)) if description else set())


def test_the_index_follows_changes_and_deletions(shop, write, table, make_run, opened_catalog):
    write([table("orders", "id", description="Something else")])
    assert names(shop, "sold") == []
    assert names(shop, "something") == ["orders"]
    assert unindexed(shop) == 0
    run = make_run()
    with opened_catalog(run) as sink:
        scope = table("x").ref.parent
        gone = [e for e in sink.existing("table", scope) if e.ref.name == "orders"]
        list(sink.delete(gone, run))
    assert names(shop, "something") == []
    assert names(shop, "something", deleted=True) == ["orders"]


def test_what_a_killed_run_left_is_found_at_once_and_indexed_by_the_next_run(
    shop, write, table, make_run, opened_catalog, monkeypatch
):
    run = make_run()
    with monkeypatch.context() as patch, opened_catalog(run) as sink:
        patch.setattr(index, "catch_up", lambda *_: 0)
        list(sink.write(iter([table("orphans", "id"), table("orders", "fresh")]), run))
    assert unindexed(shop) == 2
    assert names(shop, "orphans") == ["orphans"]
    assert names(shop, "fresh") == ["orders"]
    assert names(shop, "customer") == []
    write([])
    assert unindexed(shop) == 0
    assert names(shop, "fresh") == ["orders"]


def test_what_another_program_wrote_is_found(shop, query):
    query("UPDATE entities SET state = json_set(state, '$.description', 'By hand') WHERE id = 4")
    assert names(shop, "hand") == ["orders"]
    assert names(shop, "sold") == []
    assert unindexed(shop) == 1


def test_the_index_starts_anew_where_most_of_it_is_waste(shop, write, table, query, monkeypatch):
    monkeypatch.setattr(index, "WASTE", 1)
    for number in range(16):
        write([table("orders", f"column{number}")])
    assert query("SELECT max(doc) FROM search_docs")[0][0] < 20
    assert names(shop, "column15") == ["orders"]
    assert names(shop, "column14") == []
    assert names(shop, "sensitive") == ["order_lines"]


def test_indexing_in_portions_ends_when_the_run_is_to_stop(shop, write, table, monkeypatch):
    monkeypatch.setattr(index, "PORTION", 3)
    write([table(f"many_{number}") for number in range(10)])
    assert unindexed(shop) == 0
    assert len(names(shop, "many", limit=20)) == 10


# -- catalogs of version 1 ------------------------------------------------------------------------


@pytest.fixture
def old(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    return path


def test_an_old_catalog_is_read_as_it_is(old, capsys):
    before = old.read_bytes()
    for arguments in (["ls"], ["show", "orders"], ["search", "bestellung"], ["search", "tax"]):
        assert main(["catalog", *arguments, "-f", str(old)]) == 0
    assert "domo.default.default.orders" in capsys.readouterr().out
    assert old.read_bytes() == before


def test_an_old_catalog_is_migrated_by_the_next_run(old, write, table, query):
    before = query("SELECT id, kind, fqn, hash, state FROM entities ORDER BY id")
    write([table("fresh", "id")])
    assert query("PRAGMA user_version") == [(2,)]
    assert query("SELECT id, kind, fqn, hash, state FROM entities ORDER BY id")[:7] == before
    assert unindexed(old) == 0
    assert names(old, "tax") == ["orders"]
    assert query("SELECT count(*) FROM search_docs") == [(8,)]


def test_indexing_much_is_said(old, write, table, monkeypatch, caplog):
    monkeypatch.setattr("metaglean.builtin.catalog.sink.INDEX_SAID", 7)
    with caplog.at_level("INFO", "metaglean"):
        write([])
        write([])
    [record] = [record for record in caplog.records if "indexed" in record.message]
    assert record.message == "7 entities are indexed for search, once"
    assert record.live


def test_a_dry_run_leaves_an_old_catalog_as_it_is(old, write, table):
    before = old.read_bytes()
    [change] = write([table("orders", "id")], dry_run=True)
    assert change.action == "updated"
    assert old.read_bytes() == before


def test_a_writer_without_fts5_leaves_the_index_right(old, write, table, monkeypatch):
    write([table("orders", "before")])
    with monkeypatch.context() as patch:
        patch.setattr(index, "available", lambda store: False)
        write([table("orders", "afterwards")])
        assert names(old, "afterwards") == ["orders"]
    assert names(old, "afterwards") == ["orders"]
    assert names(old, "before") == []
    assert unindexed(old) == 1
    write([])
    assert unindexed(old) == 0


# -- the command ----------------------------------------------------------------------------------


def run(capsys, *arguments):
    code = main(["catalog", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_place_is_shown(shop, capsys):
    code, out, _ = run(capsys, "search", "order", "-f", str(shop))
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["KIND", "NAME", "FOUND", "IN"]
    assert "column day: of the order" in lines[3]
    assert (
        "description: What was sold, by day." in run(capsys, "search", "sold", "-f", str(shop))[1]
    )
    assert "owner Zoë Kim <zoe@" in run(capsys, "search", "kim", "-f", str(shop))[1]
    assert "column a.deep_field" in run(capsys, "search", "deep", "-f", str(shop))[1]


def test_more_than_the_limit_and_nothing(shop, capsys):
    _, out, _ = run(capsys, "search", "default", "--limit", "2", "-f", str(shop))
    assert "The best 2; there are more" in out
    assert run(capsys, "search", "nowhere", "-f", str(shop)) == (1, "", "nothing found\n")
    with pytest.raises(SystemExit):
        main(["catalog", "search", "x", "--limit", "0"])


def test_search_as_json(shop, capsys):
    _, out, _ = run(capsys, "search", "bestell", "--json", "-f", str(shop))
    hit = json.loads(out)
    assert hit["fqn"] == "domo.default.default.T17"
    assert hit["matches"] == [{"place": "display name", "text": "Überfällige Bestellungen"}]


def test_many_unindexed_ones_are_said(shop, capsys, monkeypatch):
    monkeypatch.setattr(index, "available", lambda store: False)
    monkeypatch.setattr("metaglean.cli.catalog.search.SLOW", 3)
    _, _, err = run(capsys, "search", "orders", "-f", str(shop))
    assert err.startswith("10 entities were read one by one")


def test_a_renamed_table_is_shown_under_its_display_name(anyhow, capsys):
    _, out, _ = run(capsys, "show", "Überfällige Bestellungen", "-f", str(anyhow))
    assert out.startswith("table  domo.default.default.T17\n")
    assert run(capsys, "show", "Bestellungen", "-f", str(anyhow))[0] == 1
