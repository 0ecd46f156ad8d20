"""The name book: a name, once given, never moves; no two entities ever share one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaglean.fqn import NameRules, comparable, encode
from metaglean.names import Listed, NameBook
from metaglean.records import Ref
from metaglean.standing import Existing, Standing

SCOPE = Ref("databaseSchema", ("s", "d", "x"))
RULES = NameRules()


def standing(*entities: tuple[str, str | None], deleted: bool = False) -> Standing:
    return Standing(
        "table",
        SCOPE,
        [Existing(SCOPE.child("table", name), 1, sid, None, deleted) for name, sid in entities],
    )


def book(listed, stands=None, **options) -> NameBook:
    return NameBook(listed, stands or standing(), RULES, **options)


def test_a_name_wanted_once_is_used_as_it_is():
    assert book([Listed("1", "Orders"), Listed("2", "a.b :: c")]).names == ["Orders", "a.b :: c"]


def test_the_oldest_keeps_the_name_and_the_rest_get_a_part_of_their_id():
    listed = [Listed("bbbbbbbbbbbb", "Sales", 2), Listed("aaaaaaaaaaaa", "Sales", 1)]
    assert book(listed).names == ["Sales_bbbbbbbb", "Sales"]


def test_names_that_differ_only_in_case_count_as_one():
    listed = [Listed("aaaaaaaaaaaa", "Sales", 1), Listed("bbbbbbbbbbbb", "sales", 2)]
    assert book(listed).names == ["Sales", "sales_bbbbbbbb"]


def test_ids_with_a_common_prefix_get_longer_parts():
    ids = ["11111111-2222-3333-aaaa", "11111111-2222-3333-bbbb", "11111111-2222-3333-cccc"]
    names = book([Listed(i, "Sales", n) for n, i in enumerate(ids)]).names
    assert names == ["Sales", "Sales_11111111", "Sales_11111111-2222-33"]
    fourth = [*(Listed(i, "Sales", n) for n, i in enumerate(ids)),
              Listed("11111111-2222-3333-dddd", "Sales", 9)]  # fmt: skip
    assert book(fourth).names[3] == "Sales_11111111-2222-3333-dddd"


def test_unfollowed_duplicates_all_get_a_part_of_their_id():
    listed = [Listed("aaaaaaaaaaaa", "Sales", 1), Listed("bbbbbbbbbbbb", "Sales", 2),
              Listed("cccccccccccc", "Orders", 3)]  # fmt: skip
    names = book(listed, followed=False).names
    assert names == ["Sales_aaaaaaaa", "Sales_bbbbbbbb", "Orders"]


def test_a_renamed_entity_keeps_its_name_and_its_old_name_stays_taken():
    stands = standing(("Sales", "1" * 12))
    listed = [Listed("1" * 12, "Revenue", 5), Listed("2" * 12, "Sales", 1)]
    assert book(listed, stands).names == ["Sales", "Sales_22222222"]


def test_both_spellings_that_stand_keep_their_names():
    stands = standing(("Sales", "a"), ("sales", "b"))
    assert book([Listed("b", "sales"), Listed("a", "Sales")], stands).names == ["sales", "Sales"]


def test_a_name_that_stands_without_an_id_is_taken_over():
    assert book([Listed("1", "Orders")], standing(("Orders", None))).names == ["Orders"]


def test_a_name_of_another_id_waits_while_the_listing_is_incomplete():
    made = book([Listed("2", "Orders")], standing(("Orders", "1")), complete=False)
    assert made.names == [None]
    assert made.notes[0].problem


def test_a_name_of_an_id_that_is_gone_for_certain_is_taken_over():
    stands = standing(("Orders", "1"))
    assert book([Listed("2", "Orders")], stands, gone=lambda ids: ids).names == ["Orders"]


def test_a_name_of_an_id_that_is_not_confirmed_gone_is_not_taken():
    stands = standing(("Orders", "1"))
    made = book([Listed("22222222x", "Orders")], stands, gone=lambda ids: [])
    assert made.names == ["Orders_22222222"]


def test_names_that_stand_without_ids_go_to_those_they_fit():
    stands = standing(("Sales", None), ("sales", None), ("Orders", None))
    listed = [Listed("1" * 9, "sales", 1), Listed("2" * 9, "Sales", 2), Listed("3" * 9, "ORDERS")]
    assert book(listed, stands).names == ["sales", "Sales", "Orders"]


def test_a_name_with_a_part_of_the_id_stays_with_that_id():
    stands = standing(("x", None), ("x_22222222", None))
    both = [Listed("1" * 9, "x", 1), Listed("2" * 9, "x", 2)]
    for followed in (True, False):
        assert book(both, stands, followed=followed).names == ["x", "x_22222222"]
        assert book(both[1:], stands, followed=followed).names == ["x_22222222"]


def test_who_takes_a_name_over_keeps_its_spelling():
    stands = standing(("Sales", "1"))
    assert book([Listed("2", "sales")], stands, gone=lambda ids: ids).names == ["Sales"]


def test_ages_of_different_types_are_no_error():
    listed = [Listed("a" * 9, "x", "2020"), Listed("b" * 9, "x", 5), Listed("c" * 9, "x")]
    assert book(listed).names == ["x_aaaaaaaa", "x", "x_cccccccc"]


def test_only_contested_ids_are_asked_for():
    asked: list[str] = []
    stands = standing(("Orders", "1"), ("Other", "9"))
    book([Listed("2", "Orders")], stands, gone=lambda ids: asked.extend(ids) or [])
    assert asked == ["1"]


def test_the_live_and_newest_holder_of_an_id_counts():
    stands = Standing("table", SCOPE, [
        Existing(SCOPE.child("table", "old"), 1, "x", None, True, 9.0),
        Existing(SCOPE.child("table", "live"), 2, "x", None, False, 1.0),
        Existing(SCOPE.child("table", "newer"), 3, "x", None, False, 2.0),
    ])  # fmt: skip
    assert book([Listed("x", "whatever")], stands).names == ["newer"]


@pytest.mark.parametrize("name", ["x" * 300, "::" * 200, "é" * 256, 'a"' * 150])
def test_long_names_are_cut_to_what_the_target_holds_and_say_so(name):
    made = book([Listed("1", name)])
    assert 1 <= len(encode(made.names[0])) <= 256
    assert len(encode(name)) <= 256 or "cut" in made.notes[0].message


def test_two_long_names_with_a_common_beginning_are_told_apart():
    names = book([Listed("a" * 9, "x" * 300, 1), Listed("b" * 9, "x" * 400, 2)]).names
    assert names == ["x" * 256, "x" * 247 + "_bbbbbbbb"]


def test_an_empty_name_becomes_the_id():
    made = book([Listed("id-1", "")])
    assert made.names == ["id-1"]
    assert made.notes


ids = st.text("0123456789abcdef-", min_size=1, max_size=40)
wanted = st.one_of(
    st.sampled_from(["Sales", "sales", "SALES", "Sales_00000000", "a::b", "a__reserved__colon__b"]),
    st.text(max_size=12),
    st.text(min_size=250, max_size=300),
)
inventory = st.lists(
    st.tuples(ids, wanted, st.one_of(st.none(), st.integers(0, 3))), unique_by=lambda t: t[0],
    max_size=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(inventory, st.randoms(use_true_random=False), st.booleans())
def test_names_are_distinct_fit_and_never_move(items, shuffler: random.Random, followed):
    listed = [Listed(*item) for item in items]
    first = book(listed, followed=followed)
    given_names = dict(zip((item.id for item in listed), first.names, strict=True))
    assert None not in given_names.values()
    keys = {comparable(encode(name)) for name in given_names.values()}
    assert len(keys) == len(listed)
    assert all(1 <= len(encode(name)) <= 256 for name in given_names.values())

    stands = standing(*((name, sid) for sid, name in given_names.items()))
    for _ in range(3):
        shuffler.shuffle(listed)
        fresh = book(listed, followed=followed)
        again = book(listed, stands, followed=followed)
        assert dict(zip((i.id for i in listed), fresh.names, strict=True)) == given_names
        assert dict(zip((i.id for i in listed), again.names, strict=True)) == given_names
