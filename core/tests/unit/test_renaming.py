"""Renaming: pure rules on refs, names that are never merged, and every place that has a ref."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import fqn
from metaglean.builtin.catalog.sink import CatalogSink
from metaglean.components import Config, Profiler, Source, Step
from metaglean.config.rename import RenameConfig
from metaglean.names import Listed
from metaglean.options import DatabaseOptions
from metaglean.records import (
    Column,
    ColumnLineage,
    Database,
    Lineage,
    Profile,
    Ref,
    Schema,
    Table,
    TableConstraint,
    Tag,
)
from metaglean.renaming import Renaming
from metaglean.run import Run
from metaglean_testkit import MemorySink, run_classes

SERVICE = Ref("databaseService", ("s",))
RULES = {
    "database": [("d$", "base")],
    "databaseSchema": [("(.*)", r"x_\1")],
    "table": [("stg_", ""), ("(.*)_old$", r"old_\1")],
}


def ref(*path):
    kinds = ("databaseService", "database", "databaseSchema", "table")
    return Ref(kinds[len(path) - 1], path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("s",), ("s",)),
        (("s", "d"), ("s", "base")),
        (("s", "dd"), ("s", "dd")),
        (("s", "d", "a", "stg_orders"), ("s", "base", "x_a", "orders")),
        (("s", "d", "a", "STG_orders_old"), ("s", "base", "x_a", "orders_old")),
        (("s", "d", "a", "orders_old"), ("s", "base", "x_a", "old_orders")),
        (("s", "d", "a", "stg_"), ("s", "base", "x_a", "stg_")),
        (("other", "d", "a", "stg_orders"), ("other", "d", "a", "stg_orders")),
    ],
)
def test_rules(before, after):
    assert Renaming("s", RULES)(ref(*before)) == ref(*after)


def test_labels_and_unknown_kinds_stay():
    renaming = Renaming("s", RULES)
    for one in (Ref("tag", ("s", "stg_a")), Ref("novelty", ("s", "d"))):
        assert renaming(one) == one


NAMES = st.text(min_size=1, max_size=12).filter(str.strip)
PATTERNS = st.sampled_from(["(.*)", "a+", "(.)(.*)", "x|y", "[0-9]*_", r"(\w+)\W", ".", "(?i)Q"])
TEXTS = st.sampled_from(["", "x", r"\g<0>", r"\g<0>\g<0>", "a.b", "::", " "])
RULE_LISTS = st.lists(st.tuples(PATTERNS, TEXTS), max_size=3)


@given(
    st.dictionaries(st.sampled_from(["database", "databaseSchema", "table"]), RULE_LISTS),
    st.lists(NAMES, min_size=1, max_size=3),
)
def test_it_is_a_pure_function_level_by_level(rules, names):
    renaming, other = Renaming("s", rules), Renaming("s", rules)
    one = ref("s", *names)
    renaming(ref("s", "some", "thing", "else"))
    new = renaming.plain(one)
    assert new == other.plain(one) == renaming(one)
    assert (new.kind, len(new.path), new.path[0]) == (one.kind, len(one.path), "s")
    assert new.parent == renaming.plain(one.parent)
    assert all(part.strip() for part in new.path)
    kinds = ("database", "databaseSchema", "table")
    for before, after, kind in zip(one.path[1:], new.path[1:], kinds, strict=False):
        if not rules.get(kind):
            assert before == after


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_it_is_idempotent_where_no_rule_matches_a_new_name(names):
    renaming = Renaming("s", {"table": [("stg_(.+)", r"t.\1")], "database": [("#", "no ")]})
    new = renaming(ref("s", *names))
    assert renaming(new) == new


# -- in a run -------------------------------------------------------------------------------------


class Place(Source):
    """Lists everything by id; its lineage names tables as the source calls them."""

    type = "place"
    service_type = "CustomDatabase"
    databases = {"d": "d"}
    tables = {"1": "stg_a", "2": "b"}
    lists = True
    edges: tuple = ()

    def test_connection(self, run):
        yield Step("read", True)

    def read(self, run):
        for database in self.of(run, "database", self.service, self.databases):
            yield Database(ref=database)
            schema = database.child("databaseSchema", "a")
            yield Schema(ref=schema)
            for table in self.of(run, "table", schema, self.tables):
                run.standing(table)
                yield self.table(table)
        names = {table.name for table in self.seen}
        for one, two in self.edges:
            a, b = (schema.child("table", name) for name in (one, two))
            assert {one, two} <= names
            yield Lineage(
                ref=a, target=b,
                columns_lineage=(ColumnLineage(from_columns=((a, "id"),), to_column="id"),),
            )  # fmt: skip

    seen: tuple = ()

    def of(self, run, kind, scope, items):
        if not self.lists:
            yield from (scope.child(kind, name) for name in items.values())
            return
        found = run.listing(kind, scope).over(Listed(i, name, i) for i, name in items.items())
        for one, _ in found:
            self.seen = (*self.seen, one)
            yield one

    def table(self, one):
        constraint = TableConstraint(
            constraint_type="FOREIGN_KEY", columns=("id",), referred_columns=((*one.path, "id"),)
        )
        return Table(ref=one, columns=(Column(name="id"),), table_constraints=(constraint,))


RENAME = {
    "databases": [{"pattern": "d$", "replacement": "base"}],
    "schemas": [{"pattern": "(.*)", "replacement": r"x_\1"}],
    "tables": [{"pattern": "stg_", "replacement": ""}],
}


@pytest.fixture
def sink():
    class Same(MemorySink):
        def __init__(self, config=None):
            super().__init__(config)
            self.standing, self.gone, self._ids = stands
            type(self).last = self

    stands = ({}, set(), {})
    return Same


def ingest(sink, source=Place, rename=RENAME, **options):
    config = {
        "source": {"type": "place", "serviceName": "s", "serviceConnection": {"config": {}},
                   "sourceConfig": {"config": options.pop("source_options", {})}},
        "rename": rename, "sink": {"type": "memory"},
    }  # fmt: skip
    outcome = run_classes(config, source, sink, *options.pop("classes", ()), **options)
    live = {r: e for r, e in sink.last.standing.items() if r not in sink.last.gone}
    return outcome, {fqn.build(r.path): e for r, e in live.items()}


def named(sink, *args, **options):
    outcome, live = ingest(sink, *args, **options)
    assert outcome.exit_code == 0, outcome.summary
    return {name: entity.source_id for name, entity in live.items() if entity.ref.kind == "table"}


def test_everything_has_the_new_names(sink):
    class Edges(Place):
        edges = (("stg_a", "b"),)

    outcome, live = ingest(sink, Edges)
    assert outcome.exit_code == 0, outcome.summary
    assert set(live) == {"s", "s.base", "s.base.x_a", "s.base.x_a.a", "s.base.x_a.b"}
    table = live["s.base.x_a.a"]
    assert table.source_id == "1"
    assert table.table_constraints[0].referred_columns == (("s", "base", "x_a", "a", "id"),)
    (edge,) = sink.last.others
    assert (edge.ref.path, edge.target.path) == (table.ref.path, ("s", "base", "x_a", "b"))
    assert edge.columns_lineage[0].from_columns == ((table.ref, "id"),)
    outcome, _ = ingest(sink, Edges)
    assert outcome.report["counts"]["sink"]["table"] == {"unchanged": 2}


def test_a_name_that_was_given_stays_when_the_rule_changes(sink):
    table = {"tables": RENAME["tables"]}
    assert named(sink, rename={}) == {"s.d.a.stg_a": "1", "s.d.a.b": "2"}
    assert named(sink, rename=table) == {"s.d.a.stg_a": "1", "s.d.a.b": "2"}

    class More(Place):
        tables = {**Place.tables, "3": "stg_c"}

    found = {"s.d.a.stg_a": "1", "s.d.a.b": "2", "s.d.a.c": "3"}
    assert named(sink, More, rename=table) == found
    assert named(sink, More, rename={}) == found


def test_two_are_never_merged(sink):
    class Both(Place):
        tables = {"1": "stg_a", "2": "a", "3": "STG_A", "4": "a"}
        edges = (("stg_a", "a"),)

    found = named(sink, Both, rename={"tables": RENAME["tables"]})
    assert found == {"s.d.a.a": "1", "s.d.a.a_2": "2", "s.d.a.A_3": "3", "s.d.a.a_4": "4"}
    (edge,) = sink.last.others
    assert (edge.ref.name, edge.target.name) == ("a", "a_2")
    assert named(sink, Both, rename={"tables": RENAME["tables"]}) == found


def test_those_that_no_listing_names_are_not_merged_either(sink):
    class Unlisted(Place):
        lists = False
        databases = {"1": "x1", "2": "x2"}

    rename = {"databases": [{"pattern": "x.", "replacement": "x"}]}
    outcome, live = ingest(sink, Unlisted, rename=rename)
    databases = sorted(name for name, one in live.items() if one.ref.kind == "database")
    assert databases[0] == "s.x"
    assert databases[1].startswith("s.x_")
    assert len([one for one in live.values() if one.ref.kind == "table"]) == 4
    assert "its new name is another one's" in outcome.summary
    assert ingest(sink, Unlisted, rename=rename)[1].keys() == live.keys()


def test_a_swap_is_right(sink):
    class Swap(Place):
        tables = {"1": "a", "2": "b"}
        edges = (("a", "b"),)

    rename = {
        "tables": [{"pattern": "a$", "replacement": "b"}, {"pattern": "b$", "replacement": "a"}]
    }
    assert named(sink, Swap, rename=rename) == {"s.d.a.b": "1", "s.d.a.a": "2"}
    (edge,) = sink.last.others
    assert (edge.ref.name, edge.target.name) == ("b", "a")


def test_what_is_gone_goes_under_its_new_name(sink):
    class Fewer(Place):
        tables = {"2": "b"}

        def confirm_gone(self, run, kind, ids):
            return ids

    assert set(named(sink)) == {"s.base.x_a.a", "s.base.x_a.b"}
    outcome, live = ingest(sink, Fewer)
    assert {name for name, one in live.items() if one.ref.kind == "table"} == {"s.base.x_a.b"}
    assert outcome.report["deletions"][0]["scope"] == "s.base.x_a"


def test_what_stands_under_the_old_name_and_has_no_id_stays(sink):
    class NoIds(sink):
        def existing(self, kind, scope):
            return (one._replace(source_id=None) for one in super().existing(kind, scope))

    options = dict.fromkeys(("markDeletedTables", "markDeletedDatabases"), True)
    rename = {"databases": RENAME["databases"]}
    _, before = ingest(NoIds, rename={}, source_options=dict(options))
    outcome, live = ingest(NoIds, rename=rename, source_options=dict(options))
    assert {*before, "s.base", "s.base.a.b"} <= set(live)
    assert "does not confirm that they are gone: kept" in outcome.summary
    _, live = ingest(NoIds, rename=rename, source_options=dict(options))
    assert set(before) <= set(live)


def test_filters_see_the_old_names_and_processors_the_new_ones(sink):
    class Many(Place):
        tables = {"1": "stg_a", "2": "b", "3": "stg_c"}

    options = {"tableFilterPattern": {"includes": ["stg_"]}}
    assert set(named(sink, Many, source_options=options)) == {"s.base.x_a.a", "s.base.x_a.c"}


def test_a_profiler_sees_the_sources_names(sink):
    seen = []

    class Look(Profiler):
        type = "place"

        def profile(self, table, run):
            seen.append(table.ref.path)
            yield Profile(ref=table.ref, timestamp=1)

    ingest(sink)
    outcome, _ = ingest(sink, source_options={"type": "Profiler"}, classes=(Look,))
    assert outcome.exit_code == 0, outcome.summary
    assert sorted(seen) == [("s", "d", "a", "b"), ("s", "d", "a", "stg_a")]
    profiles = {one.ref.path for one in sink.last.others if isinstance(one, Profile)}
    assert profiles == {("s", "base", "x_a", "a"), ("s", "base", "x_a", "b")}


def test_in_the_catalog_a_second_run_changes_nothing(tmp_path):
    config = {
        "source": {"type": "place", "serviceName": "s", "serviceConnection": {"config": {}}},
        "rename": RENAME, "sink": {"type": "catalog", "config": {"path": str(tmp_path / "c.db")}},
    }  # fmt: skip
    first = run_classes(config, Place, CatalogSink)
    assert first.report["counts"]["sink"]["table"] == {"created": 2}
    second = run_classes(config, Place, CatalogSink)
    assert second.report["counts"]["sink"]["table"] == {"unchanged": 2}
    assert second.report["counts"]["sink"]["database"] == {"unchanged": 1}


TABLES = st.lists(
    st.text("ab_", min_size=1, max_size=4), min_size=1, max_size=6
).map(lambda names: {str(n): name for n, name in enumerate(names)})  # fmt: skip


@given(TABLES, st.sampled_from(["a", "b", "_", "(.)(.*)", "a*", "."]), st.sampled_from(["", "b"]))
def test_after_the_name_book_no_two_are_one(tables, pattern, text):
    class Any(Place):
        pass

    Any.tables = tables
    renaming = Renaming("s", {"table": [(pattern, text)]})
    run = Run(SERVICE, renaming=renaming)
    source = Any(Config(), DatabaseOptions(), SERVICE)
    records = [one for one in source.read(run) if isinstance(one, Table)]
    new = [renaming.record(one).ref for one in records]
    assert len(set(new)) == len(set(tables)) == len({one.name.casefold() for one in new})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [({"pattern": "(", "replacement": "x"}, "not a regular expression"),
     ({"pattern": "x", "replacement": r"\1"}, "invalid group reference"),
     ({"pattern": "x"}, "Field required")],
)  # fmt: skip
def test_wrong_rules_are_errors(rule, expected):
    with pytest.raises(ValueError, match="validation error") as caught:
        RenameConfig.model_validate({"tables": [rule]})
    assert expected in str(caught.value)


def test_tags_pass():
    tag = Tag(ref=Ref("tag", ("s", "stg_x")))
    assert Renaming("s", RULES).record(tag) is tag
