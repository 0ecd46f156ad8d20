"""Whatever fails: no field that was not read is set, no name moves, and it is said."""

from __future__ import annotations

import pytest

from metaglean import RemoteError
from metaglean_domo.api import InstanceApi, PublicApi
from metaglean_domo_sandbox import Fault, FaultPlan, Tenant

KINDS = ("401", "403", "404", "406", "429", "500", "html", "cut-json", "drop", "duplicate-page")
ROUTES = (
    "token", "datasets", "dataset", "users", "streams", "bulk", "streams-bulk", "indexed", "query",
)  # fmt: skip
NAMES = (
    "orders", "customers", "refunds", "v_plain", "v_orders_net", "warehouse events", "Sales",
    "odd columns", "nobody owns this",
)  # fmt: skip
FACETS = {"facets", "volatile_facets"}


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level("WARNING")  # every call would be logged, many times over


def small():
    """One dataset of each kind, so that many runs take little."""
    tenant = Tenant.demo()
    chosen = (d for d in tenant.datasets.values() if d.name in NAMES)
    return Tenant(chosen, tenant.users.values(), tenant.groups.values())


def compare(result, whole):
    """Every table is as the undisturbed run leaves it, or less was read of it (of facets, each key
    is a field of its own)."""
    expected = {table.source_id: table for table in whole.tables}
    for table in result.tables:
        other = expected[table.source_id]
        assert table.ref == other.ref
        for field in FACETS:
            assert getattr(table, field).items() <= getattr(other, field).items()
        for field in table.model_fields_set - FACETS:
            assert getattr(table, field) == getattr(other, field), field
    if result.listing.complete:
        assert sorted(result.listing.ids) == sorted(whole.listing.ids)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_of_call_fails(start, read, kind, route):
    sandbox = start(small())
    whole = read(sandbox)
    for times in (1, 1000):
        sandbox.faults = [Fault(kind, route=f"^{route}$", times=times)]
        try:
            result = read(sandbox, standing=whole.tables)
        except RemoteError:
            assert route in {"token", "datasets", "dataset", "users", "streams", "query"}
            continue
        compare(result, whole)
        missing = {t.source_id for t in whole.tables} - {t.source_id for t in result.tables}
        if missing or not result.listing.complete:
            assert result.problems() or result.warnings()
        if route in {"bulk", "streams-bulk", "indexed", "users", "streams"}:
            assert result.listing.complete
            assert not missing


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_later_page_of_the_listing_fails(start, read, kind, place):
    sandbox = start()
    whole = read(sandbox)
    sandbox.faults = [Fault(kind, route="^datasets$", target=f"offset={50 * (place - 1)}")]
    try:
        result = read(sandbox, standing=whole.tables)
    except RemoteError:
        assert kind in {"401", "406", "drop", "500", "429"}
        return
    compare(result, whole)


@pytest.mark.parametrize("seed", range(5))
def test_a_tenth_of_all_calls_fails(start, read, seed):
    sandbox = start()
    whole = read(sandbox)
    sandbox.faults = FaultPlan.at_random(0.1, seed)
    result = read(sandbox, standing=whole.tables)
    compare(result, whole)
    assert result.listing.complete
    assert len(result.tables) == len(whole.tables)
    assert not result.problems()


def test_two_runs_say_the_same_in_the_same_order(start, read):
    sandbox = start()
    first, second = read(sandbox), read(sandbox)
    assert first.records == second.records
    assert first.run.report.as_dict()["warnings"] == second.run.report.as_dict()["warnings"]


@pytest.mark.parametrize(
    "odd",
    [
        {"description": 7, "owner": "Ann", "rows": "many", "pdpEnabled": None},
        {"createdAt": None, "updatedAt": 0, "owner": {"id": None}, "name": None},
        {"schema": {"columns": [None, 3, {"name": 5, "type": []}]}},
        {"schema": {"columns": None}, "owner": []},
        {"schema": [], "policies": 3},
    ],
)
def test_wrong_types_cost_no_table(start, read, monkeypatch, odd):
    sandbox = start(small())
    whole = read(sandbox)
    dataset = PublicApi.dataset
    monkeypatch.setattr(PublicApi, "dataset", lambda api, one: {**dataset(api, one), **odd})
    found = read(sandbox, {"accessToken": None})
    assert len(found.tables) == len(whole.tables)
    monkeypatch.undo()
    details = InstanceApi.datasets

    def changed(api, ids):
        return [{**item, **odd, "tags": 7, "certification": [], "cloudId": 3, "cardCount": "3"}
                for item in details(api, ids)]  # fmt: skip

    monkeypatch.setattr(InstanceApi, "datasets", changed)
    assert len(read(sandbox).tables) == len(whole.tables)
