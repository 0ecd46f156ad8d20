"""What changes at the source is told by a dry run, arrives, and stands in the history; what doesn't
change is not touched; and every setting of the source acts."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from metaglean.workflow import Workflow
from metaglean_domo_sandbox import Sandbox, Tenant
from metaglean_domo_sandbox.view_ast import column, select, table

NEW = "00000000-0000-4000-8000-00000000abcd"
Change = tuple[str, str, str, dict[str, Any]]


def ids_of(tenant: Tenant) -> dict[str, str]:
    """Name → id of those whose name is their own."""
    return {d.name: d.id for d in tenant.live() if len(tenant.by_name(d.name)) == 1}


def full_name(name: str) -> str:
    return f"domo.default.default.{name}"


def by_name(changes: list[Change]) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    assert len({c[:2] for c in changes}) == len(changes), "something was told twice"
    return {(kind, name): (action, fields) for kind, name, action, fields in changes}


def set_description(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.set_description(ids["customers"], "All who ever bought.")


def add_column(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.add_column(ids["orders"], "channel", "STRING")


def drop_column(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.drop_column(ids["refunds"], "refund")


def retype_column(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.retype_column(ids["type_test"], "c0", "LONG")


def set_tags(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.set_tags(ids["users"], ["pii", "fresh", "s_mysql"])


def set_owner(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.set_owner(ids["web sessions"], 103)


def rename(tenant: Tenant, ids: dict[str, str]) -> None:
    tenant.rename(ids["budget 2026"], "budget 2027")


def set_view(tenant: Tenant, ids: dict[str, str]) -> None:
    tree = select([column("region")], table(ids["orders"]), limit=7)
    tenant.set_view_ast(ids["v_plain"], tree)


#: What is done at the source → the table and the fields that change, and nothing else.
CHANGES: dict[Callable[[Tenant, dict[str, str]], None], tuple[str, set[str]]] = {
    set_description: ("customers", {"description"}),
    add_column: ("orders", {"columns.channel"}),
    drop_column: ("refunds", {"columns.refund"}),
    retype_column: ("type_test", {"columns.c0.data_type"}),
    set_tags: ("users", {"tags"}),
    set_owner: ("web sessions", {"owners"}),
    rename: ("budget 2026", {"display_name"}),
    set_view: ("v_plain", {"schema_definition"}),
}


@pytest.fixture
def filled(world: Any) -> Any:
    """A world after one good run."""
    world.good_run()
    world.ids = ids_of(world.tenant)
    return world


# -- changes arrive --------------------------------------------------------------------------------


def test_all_changes_at_once_are_told_arrive_and_stand_in_the_history(filled: Any) -> None:
    for do in CHANGES:
        do(filled.tenant, filled.ids)
    before = filled.state()
    planned = filled.run(dry_run=True)
    assert planned.code == 0, planned.text
    assert filled.state() == before, "a dry run wrote something"
    done = filled.good_run()
    assert planned.changes == done.changes
    told = by_name(done.changed)
    expected = {("table", full_name(name)): fields for name, fields in CHANGES.values()}
    expected["tag", "DomoTags.fresh"] = set()
    assert {key: set(fields) for key, (_, fields) in told.items()} == expected
    assert by_name(filled.history()) == told
    arrived = {name: filled.tables()[name].fields for name, _ in CHANGES.values()}
    assert arrived["customers"]["description"] == "All who ever bought."
    assert arrived["orders"]["columns order"][-1] == "channel"
    assert "refund" not in arrived["refunds"]["columns order"]
    assert arrived["type_test"]["columns[].c0.data_type"] == "LONG"
    assert [tag["name"] for tag in arrived["users"]["tags"]] == ["pii", "fresh"]
    assert [owner["email"] for owner in arrived["web sessions"]["owners"]] == [
        "cleo.celik@acme.test"
    ]
    assert arrived["budget 2026"]["display_name"] == "budget 2027"
    assert "LIMIT 7" in arrived["v_plain"]["schema_definition"]
    assert not filled.good_run().changed


@pytest.mark.parametrize("do", CHANGES, ids=lambda do: do.__name__)
def test_one_change_is_one_change(filled: Any, do: Any) -> None:
    name, fields = CHANGES[do]
    do(filled.tenant, filled.ids)
    planned = filled.run(dry_run=True)
    done = filled.good_run()
    assert planned.changes == done.changes
    tables = [change for change in done.changed if change[0] == "table"]
    assert [(c[1], c[2], set(c[3])) for c in tables] == [(full_name(name), "updated", fields)]
    assert by_name(filled.history()) == by_name(done.changed)


def test_a_new_and_a_gone_dataset(filled: Any) -> None:
    tenant = filled.tenant
    tenant.add_dataset(id=NEW, name="arrived later", owner=101, columns=[("id", "LONG")])
    tenant.delete(filled.ids["refunds"])
    planned = filled.run(dry_run=True)
    done = filled.good_run()
    assert planned.changes == done.changes
    assert {(c[1], c[2]) for c in done.changed} == {
        (full_name("arrived later"), "created"),
        (full_name("refunds"), "deleted"),
    }
    assert by_name(filled.history()).keys() == by_name(done.changed).keys()
    assert "refunds" in filled.tables(deleted=True)
    tenant.restore(filled.ids["refunds"])
    planned = filled.run(dry_run=True)
    back = filled.good_run()
    assert planned.changes == back.changes
    assert [(c[1], c[2]) for c in back.changed] == [(full_name("refunds"), "restored")]


def test_a_second_run_without_change_rewrites_no_entity(filled: Any) -> None:
    before = filled.catalog.with_name("before.db")
    shutil.copy(filled.catalog, before)
    again = filled.good_run()
    assert {c[2] for c in again.changes} == {"unchanged"}
    assert filled.history() == []

    def rows(path: Any) -> list[Any]:
        import contextlib
        import sqlite3

        with contextlib.closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT * FROM entities ORDER BY id").fetchall()

    assert rows(filled.catalog) == rows(before)


def test_a_data_load_is_no_change(filled: Any) -> None:
    filled.tenant.touch(filled.ids["orders"], rows=5)
    done = filled.good_run()
    assert not done.changed
    assert filled.history() == []
    assert filled.tables()["orders"].fields["volatile.facets.domo.dataset.rows"] == 5


# -- names -----------------------------------------------------------------------------------------


def test_a_renamed_dataset_keeps_its_name(filled: Any) -> None:
    orders = filled.ids["orders"]
    for name in ("Orders of today", "refunds", "orders "):
        filled.tenant.rename(orders, name)
        filled.good_run()
        assert filled.name_of(orders) == "orders"
        assert filled.tables()["orders"].fields["display_name"] == name
    # Whoever takes the old name now is another table.
    taker = filled.tenant.add_dataset(id=NEW, name="orders", owner=101, columns=[("id", "LONG")])
    filled.good_run()
    assert filled.name_of(orders) == "orders"
    assert filled.name_of(taker) not in ("orders", "refunds")


def crowd(tenant: Tenant) -> None:
    """Names that want to be one, and ids that begin alike."""
    day = 86_400_000
    for number, name in enumerate(["twin", "twin", "TWIN", "Twin", "twin", "lone"]):
        tenant.add_dataset(
            id=f"abcdef01-0000-4000-8000-{number:012d}",
            name=name,
            columns=[("id", "LONG")],
            created=1_735_689_600_000 + (5 - number) * day,
        )


def in_order(tenant: Tenant, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every listing of the tenant comes in this order, whatever sort is asked for."""
    ids = [*Tenant.order(tenant, "dataSourceId")]
    random.Random(seed).shuffle(ids)
    monkeypatch.setattr(tenant, "order", lambda _sort: ids)


def names(world: Any) -> dict[str, str]:
    return {str(entity.source_id): name for name, entity in world.tables().items()}


def test_names_are_the_same_after_ten_runs_in_any_order(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(world.tenant)
    world.good_run()
    first = names(world)
    assert len(first) == len(world.tenant.live())
    assert first["abcdef01-0000-4000-8000-000000000004"] == "twin", "the oldest has the name"
    assert len({name.casefold() for name in first.values()}) == len(first)
    for seed in range(10):
        in_order(world.tenant, seed, monkeypatch)
        outcome = world.good_run()
        assert not outcome.changed
        assert names(world) == first
        monkeypatch.undo()


@pytest.mark.parametrize("seed", range(3))
def test_names_do_not_depend_on_the_order_of_the_first_listing(
    world: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    crowd(world.tenant)
    world.good_run()
    first = names(world)
    world.catalog = world.catalog.with_name("another.db")
    in_order(world.tenant, seed, monkeypatch)
    world.good_run()
    assert names(world) == first


# -- half-read runs --------------------------------------------------------------------------------


def test_without_the_instance_plane_its_fields_stay(filled: Any) -> None:
    before = filled.tables()
    set_description(filled.tenant, filled.ids)
    set_tags(filled.tenant, filled.ids)
    filled.sandbox.close_plane("instance")
    outcome = filled.run()
    assert outcome.code == 0, outcome.text
    assert [(c[1], set(c[3])) for c in outcome.changed] == [
        (full_name("customers"), {"description"})
    ]
    for name, entity in filled.tables().items():
        for path in ("table_type", "schema_definition", "tags", "owners"):
            assert entity.fields.get(path) == before[name].fields.get(path), (name, path)
    filled.sandbox.open_plane("instance")
    assert full_name("users") in [c[1] for c in filled.good_run().changed]


def test_without_the_scope_user_owners_stay(filled: Any) -> None:
    before = filled.tables()
    set_owner(filled.tenant, filled.ids)
    set_description(filled.tenant, filled.ids)
    filled.sandbox.settings.scopes = frozenset({"data"})
    outcome = filled.good_run()
    assert "scope" in outcome.text
    assert "user" in outcome.text
    assert [(c[1], set(c[3])) for c in outcome.changed] == [
        (full_name("customers"), {"description"})
    ]
    after = filled.tables()
    assert all(after[n].fields.get("owners") == e.fields.get("owners") for n, e in before.items())
    filled.sandbox.settings.scopes = frozenset({"data", "user"})
    assert [(c[1], set(c[3])) for c in filled.good_run().changed] == [
        (full_name("web sessions"), {"owners"})
    ]


def test_without_the_scope_data_nothing_happens(filled: Any) -> None:
    before = filled.state()
    filled.sandbox.settings.scopes = frozenset({"user"})
    outcome = filled.run()
    assert outcome.code == 3
    assert "`data`" in outcome.text
    assert filled.state() == before


# -- settings --------------------------------------------------------------------------------------


def kinds(world: Any) -> dict[str, str]:
    return {name: entity.fields["table_type"] for name, entity in world.tables().items()}


VIEWS = {"v_plain", "v_orders_net", "v_orders_customers", "v_revenue_by_region", "v_order_bands",
         "v_latest_order", "v_movements", "v_strange", "orders fused"}  # fmt: skip


def test_kinds_are_told(filled: Any) -> None:
    found = kinds(filled)
    assert {name for name, kind in found.items() if kind == "View"} == VIEWS
    assert {name for name, kind in found.items() if kind == "External"} == {"warehouse events"}
    assert set(found.values()) == {"View", "External", "Regular"}


def test_include_views_false_leaves_views_out(world: Any) -> None:
    world.good_run(world.config({"includeViews": False}))
    assert len(world.tables()) == 51 - len(VIEWS)
    assert not VIEWS & world.tables().keys()


def test_include_tables_false_leaves_the_rest_out(world: Any) -> None:
    world.good_run(world.config({"includeTables": False}))
    assert world.tables().keys() == VIEWS


def test_neither_tables_nor_views_is_nothing(filled: Any) -> None:
    outcome = filled.good_run(filled.config({"includeTables": False, "includeViews": False}))
    assert not outcome.changed
    assert len(filled.tables()) == 51


@pytest.mark.parametrize("left_out", ["includeTables", "includeViews"])
def test_what_is_switched_off_is_seen_and_stays(filled: Any, left_out: str) -> None:
    before = filled.state()
    filled.good_run(filled.config({left_out: False}))
    assert filled.state() == before


@pytest.mark.parametrize("left_out", ["includeTables", "includeViews"])
def test_kinds_can_not_be_told_apart_with_oauth_alone(world: Any, left_out: str) -> None:
    outcome = world.run(world.config({left_out: False}, instance=False))
    assert outcome.code == 2
    assert "accessToken" in outcome.text
    assert not world.catalog.exists()
    assert not world.sandbox.requests


@pytest.mark.parametrize("how", ["down", "refused"])
@pytest.mark.parametrize("left_out", ["includeTables", "includeViews"])
def test_while_kinds_are_unknown_nothing_new_is_created(
    filled: Any, left_out: str, how: str
) -> None:
    before = kinds(filled)
    filled.tenant.add_dataset(id=NEW, name="arrived later", owner=101, columns=[("id", "LONG")])
    set_description(filled.tenant, filled.ids)
    config = filled.config({left_out: False})
    if how == "down":
        filled.sandbox.close_plane("instance")
    else:
        filled.sandbox.settings.access_token = "another"
    outcome = filled.run(config)
    assert outcome.code == 0, outcome.text
    assert kinds(filled) == before
    (problem,) = [p for p in outcome.report["problems"] if "view" in p["message"]]
    # The tenant lists one that is deleted: whether it is a view is not known either.
    assert sorted(problem["items"]) == [full_name("arrived later"), full_name("deleted meanwhile")]
    assert problem["count"] == 2
    assert filled.tables()["customers"].fields["description"] == "All who ever bought."


def test_include_tags(world: Any) -> None:
    world.good_run(world.config({"includeTags": False}))
    assert not [key for key in world.state() if key[0] in ("tag", "classification")]
    assert not any(entity.fields.get("tags") for entity in world.tables().values())
    world.good_run()
    labels = [(t["classification"], t["name"]) for t in world.tables()["orders"].fields["tags"]]
    assert labels == [
        ("DomoTags", "finance"), ("DomoTags", "gold"), ("DomoCertification", "Certified"),
    ]  # fmt: skip
    world.good_run(world.config({"includeTags": False}))
    assert world.tables()["orders"].fields["tags"], "what isn't read stays"


def test_include_owners(world: Any) -> None:
    world.good_run(world.config({"includeOwners": False}))
    assert not any(entity.fields.get("owners") for entity in world.tables().values())
    assert not [r for r in world.sandbox.requests if r.route in ("users", "groups")]
    world.good_run()
    owners = {name: e.fields.get("owners") for name, e in world.tables().items()}
    assert owners["orders"] == [{"type": "user", "email": "ann@acme.test"}]
    assert owners["customers"] == [{"type": "team", "name": "BI Team"}]
    assert not owners["nobody owns this"]
    world.good_run(world.config({"includeOwners": False}))
    assert world.tables()["orders"].fields["owners"], "what isn't read stays"


def test_mark_deleted_tables(filled: Any) -> None:
    filled.tenant.delete(filled.ids["refunds"])
    outcome = filled.good_run(filled.config({"markDeletedTables": False}))
    assert not outcome.changed
    assert "refunds" in filled.tables()
    filled.good_run(filled.config({"markDeletedTables": True}))
    assert filled.tables(deleted=True).keys() == {"refunds"}


@pytest.mark.parametrize("key", ["databaseFilterPattern", "schemaFilterPattern"])
def test_database_and_schema_patterns(filled: Any, key: str) -> None:
    before = filled.state()
    filled.sandbox.stats.reset()
    outcome = filled.run(filled.config({key: {"excludes": ["DEF"]}}))
    assert outcome.code == 0, outcome.text
    assert not outcome.changed
    assert outcome.text.count(key) == 1
    assert filled.state() == before
    assert not filled.sandbox.requests, "what isn't wanted needn't be asked for"
    assert filled.good_run(filled.config({key: {"includes": ["def"]}})).number("unchanged") == 51


def test_table_pattern_matches_the_name_at_the_source(world: Any) -> None:
    """And reads no more than that; what it drops stays and is not deleted."""
    pattern = {"includes": ["SALES", "users"], "excludes": ["users_"]}
    world.good_run(world.config({"tableFilterPattern": pattern}))
    found = {world.tenant.datasets[i].name for i in names(world)}
    assert found == {"Sales", "SALES", "sales.eu.daily", "users"}
    assert sum(1 for r in world.sandbox.requests if r.route == "dataset") == len(world.tables())
    world.good_run()
    outcome = world.good_run(world.config({"tableFilterPattern": pattern}))
    assert not outcome.changed


def test_use_fqn_for_filtering(world: Any) -> None:
    pattern = {"includes": [r"domo\.default\.default\.users$"]}
    options = {"tableFilterPattern": pattern, "useFqnForFiltering": True}
    world.good_run(world.config(options))
    assert world.tables().keys() == {"users"}
    outcome = world.good_run(world.config({"tableFilterPattern": pattern}))
    assert "tableFilterPattern keeps none" in outcome.text


@pytest.mark.parametrize("threads", [1, 3])
def test_threads(world: Any, threads: int) -> None:
    with Sandbox(Tenant.demo(), latency_ms=4) as world.sandbox:
        world.good_run(world.config({"threads": threads}))
        most = world.sandbox.stats.max_connections
    assert 1 <= most["public"] <= threads + 1
    assert 1 <= most["instance"] <= threads + 1
    if threads > 1:
        assert most["public"] >= threads


def test_override_metadata(filled: Any) -> None:
    filled.tenant.set_description(filled.ids["orders"], "")
    kept = filled.good_run()
    assert filled.tables()["orders"].fields["description"] == "All orders of the shop."
    assert not kept.changed
    filled.good_run(filled.config({"overrideMetadata": True}))
    assert "description" not in filled.tables()["orders"].fields


def test_database_name(world: Any) -> None:
    world.good_run(world.config(connection={"databaseName": "warehouse"}))
    assert [n for kind, n in world.state() if kind == "database"] == ["domo.warehouse"]


def test_column_descriptions_and_co_owners(filled: Any) -> None:
    assert not [r for r in filled.sandbox.requests if r.route in ("dictionary", "permissions")]
    config = filled.config(connection={"columnDescriptions": True, "coOwners": True})
    filled.good_run(config)
    orders = filled.tables()["orders"].fields
    assert orders["columns[].region.description"] == "Sales region."
    assert {tuple(owner.values()) for owner in orders["owners"]} == {
        ("user", "ann@acme.test"), ("user", "ben@acme.test"), ("team", "BI Team"),
    }  # fmt: skip
    for name in ("customers", "refunds"):
        assert [p for p in filled.tables()[name].fields if p.endswith(".description")] or (
            name == "refunds"
        )


def test_limit_stops_early_and_deletes_nothing(filled: Any) -> None:
    filled.tenant.delete(filled.ids["refunds"])
    outcome = filled.run(limit=5)
    assert outcome.code == 0, outcome.text
    assert sum(1 for c in outcome.changes if c[0] == "table") == 5
    assert outcome.number("deleted") == 0


def test_a_dry_run_of_the_first_run_makes_no_file(world: Any) -> None:
    planned = world.run(dry_run=True)
    assert planned.code == 0, planned.text
    assert not world.catalog.exists()
    done = world.good_run()
    assert planned.changes == done.changes
    assert done.number("created") == 51
    assert isinstance(done.workflow, Workflow)
