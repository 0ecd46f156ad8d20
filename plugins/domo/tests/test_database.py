from __future__ import annotations

import pytest

from metaglean import Classification, Database, Owner, Ref, RemoteError, Schema, Tag
from metaglean_domo.database import DomoDatabase
from metaglean_domo_sandbox import Column, Dataset, Stream, Tenant, User
from metaglean_domo_sandbox import Owner as Holder

ODDITIES = {"deleted meanwhile"}


def label(table):
    return {(tag.classification, tag.name) for tag in table.tags}


def test_the_demo_arrives_whole(start, read):
    sandbox = start()
    result = read(sandbox)
    wanted = {d.id: d.name for d in sandbox.tenant.live()}
    assert {t.source_id: t.display_name for t in result.tables} == wanted
    assert result.listing.complete
    assert not result.problems()
    assert [t.source_id for t in result.tables] == sorted(wanted)
    assert len({t.ref for t in result.tables}) == len(wanted)
    kinds = [type(record) for record in result.records[:2]]
    assert kinds == [Database, Schema]
    for table in result.tables:
        assert table.source_url == (
            f"{sandbox.instance_url}/datasources/{table.source_id}/details/overview"
        )


def test_a_table_in_full(start, read):
    sandbox = start()
    result = read(sandbox)
    orders = result.named("orders")
    dataset = sandbox.tenant.by_name("orders")[0]
    assert orders.ref == Ref("table", ("domo", "default", "default", "orders"))
    assert orders.description == "All orders of the shop."
    assert orders.table_type == "Regular"
    assert [(c.name, c.data_type, c.ordinal_position) for c in orders.columns][:2] == [
        ("order_id", "LONG", 1),
        ("ts", "DATETIME", 2),
    ]
    assert orders.owners == (Owner(type="user", email="ann@acme.test"),)
    assert label(orders) == {
        ("DomoTags", "finance"),
        ("DomoTags", "gold"),
        ("DomoCertification", "Certified"),
    }
    (key,) = orders.table_constraints
    assert (key.constraint_type, key.columns) == ("PRIMARY_KEY", ("order_id",))
    assert (orders.life_cycle.created, orders.life_cycle.updated) == (
        dataset.created,
        dataset.updated,
    )
    assert orders.facets == {
        "domo.dataset": {"pdpEnabled": True},
        "domo.stream": {"updateMethod": "UPSERT"},
        "domo.instance": {"provider": "snowflake", "cloud": "domo"},
    }
    assert orders.volatile_facets["domo.dataset"] == {"rows": dataset.rows}
    assert orders.volatile_facets["domo.instance"]["loadState"] == "SUCCESS"
    assert "description" not in orders.columns[0].model_fields_set
    assert "schema_definition" not in orders.model_fields_set


def test_kinds_and_view_sql(start, read):
    result = read(start())
    assert result.named("warehouse events").table_type == "External"
    assert [c.name for c in result.named("warehouse events").columns] == [
        "EVENT_ID",
        "PAYLOAD",
        "AT",
    ]
    view = result.named("v_plain")
    assert view.table_type == "View"
    assert view.schema_definition.startswith("SELECT")
    assert "schema_definition" not in result.named("v_strange").model_fields_set
    assert result.named("orders fused").table_type == "View"
    assert "is not known for certain" in result.warnings()


def test_owners(start, read):
    result = read(start())
    assert result.named("customers").owners == (Owner(type="team", name="BI Team"),)
    assert result.named("owner id as text").owners == (Owner(type="user", email="ben@acme.test"),)
    for nobody in ("nobody owns this", "owner was deleted"):
        table = result.named(nobody)
        assert table.owners == ()
        assert "owners" in table.model_fields_set
    for unknown in ("owner without e-mail", "owner is gone for good"):
        assert "owners" not in result.named(unknown).model_fields_set


def test_classifications_and_tags_come_before_their_first_use_and_once(start, read):
    records = read(start()).records
    told = set()
    for record in records:
        if isinstance(record, Classification | Tag):
            assert record.ref not in told
            assert record.ref.parent is None or record.ref.parent in told
            assert record.description
            told.add(record.ref)
        else:
            assert all(Ref("tag", (t.classification, t.name)) in told for t in record.tags)
    assert Ref("tag", ("DomoTags", "pii")) in told


def test_odd_columns_are_all_kept(start, read):
    result = read(start())
    table = result.named("odd columns")
    assert len(table.columns) == 10
    assert len({c.name.casefold() for c in table.columns}) == 10
    assert "is stored as" in result.warnings()
    assert result.named("no columns at all").columns == ()
    assert "columns" in result.named("no columns at all").model_fields_set


def test_switches_cost_a_call_a_table_and_are_off(start, read):
    sandbox = start()
    read(sandbox)
    assert not {"dictionary", "permissions"} & {r.route for r in sandbox.requests}
    result = read(sandbox, {"columnDescriptions": True, "coOwners": True})
    orders = result.named("orders")
    assert orders.columns[0].description == "Number of the order, unique."
    assert orders.columns[4].description is None
    assert orders.owners == (
        Owner(type="user", email="ann@acme.test"),
        Owner(type="user", email="ben@acme.test"),
        Owner(type="team", name="BI Team"),
    )
    assert not result.run.report.features_off


def test_what_is_switched_off_is_neither_set_nor_asked_for(start, read):
    sandbox = start()
    result = read(sandbox, {"coOwners": True}, {"includeOwners": False, "includeTags": False})
    assert not {"users", "groups", "permissions"} & {r.route for r in sandbox.requests}
    for table in result.tables:
        assert not {"owners", "tags"} & table.model_fields_set
    assert not any(isinstance(record, Tag | Classification) for record in result.records)


@pytest.mark.parametrize("views", [True, False])
def test_tables_or_views_only(start, read, views):
    sandbox = start()
    result = read(sandbox, options={"includeTables": not views, "includeViews": views})
    assert result.tables
    assert all((table.table_type == "View") == views for table in result.tables)
    assert result.listing.complete
    # What is left out costs no call of its own.
    asked = {r.path.rpartition("/")[2] for r in sandbox.requests if r.route == "dataset"}
    left_out = {d.id for d in sandbox.tenant.live()} - {t.source_id for t in result.tables}
    assert left_out
    assert not asked & left_out


def test_neither_tables_nor_views_is_a_listing_and_no_more(start, read):
    sandbox = start()
    result = read(sandbox, options={"includeTables": False, "includeViews": False})
    assert result.tables == []
    assert result.listing.complete
    assert {r.route for r in sandbox.requests} == {"token", "datasets"}


def test_the_database_can_have_a_name(start, read):
    sandbox = start()
    result = read(sandbox, {"databaseName": "sales"})
    assert result.tables[0].ref.path[:3] == ("domo", "sales", "default")


# -- credentials and scopes ---------------------------------------------------------------------


def test_oauth_alone(start, read):
    sandbox = start()
    result = read(sandbox, {"accessToken": None, "instanceDomain": None})
    assert not {r.plane for r in sandbox.requests} - {"public"}
    assert len(result.tables) == len(sandbox.tenant.live())
    [lost] = [line for line in result.warnings().splitlines() if "not given" in line]
    assert lost.startswith("accessToken and instanceDomain not given: ")
    assert "owners" not in lost  # they are found without: below
    orders = result.named("orders")
    assert not {"table_type", "tags", "table_constraints"} & orders.model_fields_set
    assert orders.source_url.startswith("https://acme-sandbox.domo.com/datasources/")
    assert orders.owners == (Owner(type="user", email="ann@acme.test"),)
    assert result.named("customers").owners == (Owner(type="team", name="BI Team"),)
    assert result.named("refunds").table_constraints == ()
    assert "table_constraints" in result.named("refunds").model_fields_set
    assert orders.facets == {
        "domo.dataset": {"pdpEnabled": True},
        "domo.stream": {"updateMethod": "UPSERT"},
    }
    assert result.named("load failed").volatile_facets["domo.stream"]["loadState"] == "ERROR"
    # The documented detail has no owner at all: that is not "nobody".
    assert "owners" not in result.named("DomoStats usage").model_fields_set


def test_an_id_that_is_a_user_s_and_a_group_s_is_neither(start, read):
    tenant = Tenant(
        [Dataset("d1", "mine", owner=Holder(7, "Seven"))], [User(7, "Seven", "seven@acme.test")]
    )
    alone = {"accessToken": None}
    assert read(start(tenant), alone).tables[0].owners[0].email == "seven@acme.test"
    twin = tenant.copy()
    twin.groups[7] = Tenant.demo().groups[501].__class__(7, "Seven")
    assert read(start(twin), alone).tables[0].owners == ()


def test_without_the_scope_user_owners_stay_unset(start, read):
    sandbox = start(scopes=("data",))
    result = read(sandbox)
    assert "users" not in {r.route for r in sandbox.requests}
    assert "owners" in result.run.report.features_off
    assert "owners" not in result.named("orders").model_fields_set
    assert result.named("customers").owners == (Owner(type="team", name="BI Team"),)


def test_without_the_scope_data_the_run_ends_and_names_it(start, read):
    with pytest.raises(RemoteError) as caught:
        read(start(scopes=("user",)))
    assert "`data`" in caught.value.hint


def test_a_wrong_secret_ends_the_run_and_names_the_settings(start, read):
    with pytest.raises(RemoteError) as caught:
        read(start(), {"secretToken": "not-it"})
    assert "secretToken" in str(caught.value)
    assert "not-it" not in str(caught.value)


def test_a_wrong_access_token_is_one_warning(start, read):
    sandbox = start()
    result = read(sandbox, {"accessToken": "not-it"})
    assert len(result.tables) == len(sandbox.tenant.live())
    warned = [g for g in result.run.report.warnings if "instance is left alone" in g.message]
    assert [g.count for g in warned] == [1]
    assert "accessToken" in warned[0].hint
    assert not result.problems()
    orders = result.named("orders")
    assert not {"table_type", "tags"} & orders.model_fields_set
    assert "domo.instance" not in {**orders.facets, **orders.volatile_facets}


def test_an_instance_that_is_down_harms_nothing(start, read):
    sandbox = start()
    whole = read(sandbox)
    sandbox.close_plane("instance")
    result = read(sandbox, standing=whole.tables)
    assert len(result.tables) == len(whole.tables)
    assert "instance" in result.run.report.features_off
    assert not result.problems()


def test_tokens_that_expire_are_renewed(start, read):
    sandbox = start(expires_in=30)
    sandbox.expire_tokens()
    assert len(read(sandbox).tables) == len(sandbox.tenant.live())


def test_kinds_that_are_unknown_are_not_created_where_they_matter(start, read):
    sandbox = start()
    whole = read(sandbox)
    views, refused = {"includeTables": False}, {"accessToken": "not-it"}
    fresh = read(sandbox, refused, views)
    assert fresh.tables == []
    assert "not known whether it is a view" in fresh.problems()
    stands = read(sandbox, refused, views, standing=whole.tables[:3])
    assert [t.source_id for t in stands.tables] == [t.source_id for t in whole.tables[:3]]
    assert all("table_type" not in t.model_fields_set for t in stands.tables)


# -- what is gone, or may not be read -----------------------------------------------------------


def test_a_dataset_that_may_not_be_read_stays_seen(start, read):
    sandbox = start()
    hidden = sandbox.tenant.by_name("orders")[0].id
    sandbox.tenant.set_access(hidden, allowed=False)
    result = read(sandbox)
    assert hidden in result.listing.ids
    assert hidden not in {t.source_id for t in result.tables}
    assert "Access is denied" in result.problems()
    assert result.listing.complete


def test_a_dataset_that_is_gone_meanwhile_is_a_warning(start, read):
    result = read(start())
    assert "gone since it was listed" in result.warnings()


def test_confirm_gone(start, read):
    sandbox = start()
    result = read(sandbox)
    names = ("orders", "customers", "refunds", "users")
    gone, marked, refused, there = (sandbox.tenant.by_name(name)[0].id for name in names)
    sandbox.tenant.delete(gone)
    sandbox.tenant.delete(marked, "mark")
    sandbox.tenant.set_access(refused, allowed=False)
    ids = [gone, marked, refused, there, "unknown"]
    found = result.source.confirm_gone(result.run, "table", ids)
    assert sorted(found) == sorted([gone, marked, "unknown"])
    assert not result.problems()


@pytest.mark.parametrize("kind", ["database", "databaseSchema"])
def test_names_of_the_configuration_are_never_gone(start, read, kind):
    sandbox = start(Tenant())
    result = read(sandbox)
    asked = len(sandbox.requests)
    assert not list(result.source.confirm_gone(result.run, kind, ["domo", "default", "unknown"]))
    assert len(sandbox.requests) == asked


def test_names_stay_after_renames_in_any_order(start, read):
    sandbox = start()
    first = read(sandbox)
    twin = first.tables[3]
    sandbox.tenant.rename(twin.source_id, "another name")
    second = read(sandbox, standing=first.tables)
    assert {t.source_id: t.ref for t in second.tables} == {t.source_id: t.ref for t in first.tables}
    assert second.named("another name").ref == twin.ref


@pytest.mark.parametrize("shifting", [True, False])
def test_a_host_that_refuses_the_sort(start, read, shifting):
    sandbox = start(refuse_sort=True, shifting=shifting)
    result = read(sandbox)
    # One page and its empty end: the shifting host still shows all of a small tenant.
    assert len(result.tables) >= 45
    if not shifting:
        assert result.listing.complete
        assert len(result.tables) == len(sandbox.tenant.live())


# -- cost ---------------------------------------------------------------------------------------


def test_the_budget_of_calls(start, read):
    count = 1000
    tenant = Tenant.scale(count, 3, 0.5, views=0.02, federated=0.01)
    sandbox = start(tenant)
    result = read(sandbox)
    assert len(result.tables) == count
    upserts = sum(
        1 for d in tenant.live() if d.stream is not None and d.stream.update_method == "UPSERT"
    )
    budget = count * (1 + 1 / 50 + 1 / 100 + 1 / 250) + upserts / 50 + 20 + 10 + 30
    assert len(sandbox.requests) <= budget
    keyed = [t for t in result.tables if t.table_constraints]
    assert len(keyed) == upserts


def test_keys_that_name_no_column_are_no_constraint(start, read):
    tenant = Tenant(
        [Dataset("d1", "keyed", columns=[Column("a", "LONG")], stream=Stream(1, "UPSERT", ("b",)))]
    )
    (table,) = read(start(tenant)).tables
    assert "table_constraints" not in table.model_fields_set


# -- the connection test ------------------------------------------------------------------------


def steps(result):
    return {step.name.partition(":")[0]: step for step in result.source.test_connection(result.run)}


def test_connection_steps(start, read):
    found = steps(read(start()))
    assert all(step.ok for step in found.values()), found
    assert list(found) == [
        "API client", "scope data", "scope user", "scope dashboard", "access token", "instance",
    ]  # fmt: skip


def test_connection_steps_name_what_is_missing(start, read):
    sandbox = start()
    result = read(sandbox, {"accessToken": None})
    found = steps(result)
    assert found["access token"].ok is None
    assert found["access token"].detail == "accessToken not given"
    sandbox = start(scopes=("data",))
    found = steps(read(sandbox, {"accessToken": "not-it"}))
    assert (found["scope data"].ok, found["scope user"].ok) == (True, False)
    assert "scope user" in found["scope user"].detail
    assert not found["scope user"].required
    assert found["access token"].ok is False
    assert "accessToken" in found["access token"].detail


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://acme.domo.com/datasources/0b6f-1/details/overview", "0b6f-1"),
        ("https://acme.domo.com/datasources/0b6f-1?tab=data", "0b6f-1"),
        ("https://acme.domo.com/page/12", None),
    ],
)
def test_a_link_names_its_dataset(url, found):
    source = DomoDatabase(None, None, Ref("databaseService", ("domo",)))
    assert source.id_in_url(url) == found
