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


def test_pages_that_are_not_slices_of_one_order_are_incomplete():
    """The first page is answered with the last one, each time: five were never shown."""

    class Repeating(Api):
        def datasets_page(self, offset, sort, limit=50):
            return super().datasets_page(offset or 100, sort, limit)

    inventory, reasons = read(Repeating(rows(*IDS)))
    assert [item.id for item in inventory] == IDS[20:]
    assert reasons == ["unsorted, and its order moved while it was read, twice"]


def test_an_order_that_moved_once_is_made_good_by_listing_again():
    def moving(call):
        return rows(*IDS[:51], "003", *IDS[51:55]) if call == 2 else rows(*IDS[:55])

    api = Api(moving, ordered=False)
    inventory, reasons = read(api)
    assert [item.id for item in inventory] == IDS[:55]
    assert not reasons
    assert [offset for offset, _ in api.calls] == [0, 50, 56, 0, 50, 55]


def test_a_last_page_that_repeats_an_earlier_one_is_no_end():
    def moving(call):
        return rows(*IDS[:55]) if call == 1 else rows(*IDS[10:55], *IDS[:10])

    inventory, reasons = read(Api(moving, ordered=False))
    assert [item.id for item in inventory] == IDS[:55]
    assert reasons == ["unsorted, and two listings differ in 5 of 55 datasets"]


@pytest.mark.parametrize("odd", [["001"], {"value": 1}, True, 1.5])
def test_an_id_of_another_type_is_none(odd):
    listed = rows(*IDS[:3])
    listed[1]["id"] = odd
    inventory, _ = read(Api(listed, ordered=False))
    assert [item.id for item in inventory] == ["000", "002", ""]


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
