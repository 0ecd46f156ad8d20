from __future__ import annotations

import json

import pytest

from metaglean import AccessDenied, ItemError, RemoteError
from metaglean_domo.inventory import Inventory


class Api:
    """Pages of a list that may change between two of them."""

    def __init__(self, rows, *, refuse=False, ordered=True, fail_at=None):
        self.rows, self.refuse, self.ordered, self.fail_at = rows, refuse, ordered, fail_at
        self.calls = []

    def datasets_page(self, offset, sort, limit=50):
        self.calls.append((offset, sort))
        if self.fail_at == offset:
            raise ItemError("answered 500", status=500)
        if sort and self.refuse:
            raise ItemError("Unsupported sort", status=400)
        rows = self.rows(len(self.calls)) if callable(self.rows) else self.rows
        if sort and self.ordered:
            rows = sorted(rows, key=lambda row: row["id"])
        return rows[offset : offset + limit]


def rows(*ids):
    return [{"id": i, "name": f"name {i}", "createdAt": "2025-01-01T00:00:00Z"} for i in ids]


def read(api):
    reasons = []
    inventory = Inventory(api, reasons.append)
    inventory.load()
    return inventory, reasons


IDS = [f"{n:03}" for n in range(120)]


def test_sorted_once():
    api = Api(rows(*IDS))
    inventory, reasons = read(api)
    found = list(inventory)
    assert [item.id for item in found] == IDS
    assert found[0].created == 1_735_689_600.0
    assert not reasons
    assert [offset for offset, _ in api.calls] == [0, 50, 100, 120]


@pytest.mark.parametrize("how", [{"refuse": True}, {"ordered": False}])
def test_a_sort_that_is_refused_or_ignored_is_made_good_by_listing_twice(how):
    shuffled = rows(*IDS[60:], *IDS[:60])
    inventory, reasons = read(Api(shuffled, **how))
    assert [item.id for item in inventory] == IDS
    assert not reasons


def test_two_unsorted_listings_that_differ_are_incomplete():
    def changing(call):
        return rows(*IDS[:70]) if call <= 4 else rows(*IDS[1:71])

    inventory, reasons = read(Api(changing, refuse=True))
    assert [item.id for item in inventory] == IDS[:71]
    assert reasons == ["unsorted, and two listings differ in 2 of 71 datasets"]


def test_a_page_that_fails_raises_after_what_came_before():
    inventory, _ = read(Api(rows(*IDS), fail_at=50))
    found = []
    with pytest.raises(ItemError, match="500"):
        found.extend(inventory)
    assert [item.id for item in found] == IDS[:50]


def test_a_refused_listing_names_the_scope():
    class Refusing(Api):
        def datasets_page(self, offset, sort, limit=50):
            raise AccessDenied("403", status=403)

    with pytest.raises(RemoteError) as caught:
        read(Refusing([]))
    assert "`data`" in caught.value.hint


def test_oddities_of_items():
    odd = [{"id": "1", "name": None}, {"id": "2", "name": "x", "deleted": True}, {"name": "y"}, "?"]

    class Plain(Api):
        def datasets_page(self, offset, sort, limit=50):
            return odd[offset : offset + limit]

    inventory, _ = read(Plain(odd))
    assert [(item.id, item.name) for item in inventory] == [("1", ""), ("", "y"), ("", "")]


@pytest.mark.parametrize("place", [0, 60])
def test_a_listing_that_broke_off_for_whatever_reason_never_ends_as_if_whole(place):
    class Breaking(Api):
        def datasets_page(self, offset, sort, limit=50):
            if offset + limit > place:
                raise KeyError("not foreseen")
            return super().datasets_page(offset, sort, limit)

    inventory = Inventory(Breaking(rows(*IDS)), lambda _: None)
    with pytest.raises(KeyError):
        inventory.load()
    found = []
    with pytest.raises(ItemError, match="broke off"):
        found.extend(inventory)
    assert [item.id for item in found] == IDS[: place // 50 * 50]


def test_a_listing_that_was_never_made_is_not_an_empty_one():
    with pytest.raises(ItemError, match="broke off"):
        list(Inventory(Api([]), lambda _: None))


@pytest.mark.parametrize("created", ["Infinity", "-Infinity", "NaN", "1" * 400, "1e400"])
def test_a_time_that_is_none_costs_nothing_of_the_listing(created):
    odd = rows(*IDS)
    odd[60]["createdAt"] = json.loads(created)
    inventory, reasons = read(Api(odd))
    found = list(inventory)
    assert [item.id for item in found] == IDS
    assert found[60].created is None
    assert not reasons
