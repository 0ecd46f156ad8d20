from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import ItemError
from metaglean_domo.paging import pages


def items(*numbers):
    return [{"id": number} for number in numbers]


@given(st.integers(0, 30), st.integers(1, 7), st.integers(1, 7))
def test_nothing_is_lost_where_the_host_caps_its_pages(total, limit, cap):
    rows = items(*range(total))
    found = list(pages(lambda at: rows[at : at + min(limit, cap)], limit, "things"))
    assert found == rows


@given(st.sets(st.integers(0, 29)))
def test_nothing_is_lost_where_the_host_hides_items_of_a_page(hidden):
    rows = items(*range(30))

    def fetch(offset):
        return [row for row in rows[offset : offset + 5] if row["id"] not in hidden]

    told = []
    found = [row["id"] for row in pages(fetch, 5, "things", lambda: told.append(1))]
    assert not told
    shown = {row["id"] for row in rows} - hidden
    # A page that is hidden whole looks like the end.
    assert set(found) == shown or any(not fetch(at) for at in range(30))
    assert len(found) == len(set(found))


def test_a_page_that_was_repeated_is_asked_for_again():
    rows, asked = items(*range(6)), []

    def fetch(offset):
        asked.append(offset)
        return rows[:2] if asked == [0, 2] else rows[offset : offset + 2]

    assert list(pages(fetch, 2, "things")) == rows
    assert asked == [0, 2, 2, 4, 6]


def test_a_host_that_ignores_the_offset_is_an_error_after_what_it_gave():
    found = []
    with pytest.raises(ItemError, match="brings only what came before"):
        found.extend(pages(lambda _: items(1, 2), 2, "things"))
    short = list(pages(lambda _: items(1, 2), 3, "things"))
    assert short == items(1, 2)


def test_items_without_an_id_are_passed_on():
    rows = [{"id": 1}, {"name": "x"}, "?"]
    assert list(pages(lambda at: rows[at : at + 3], 3, "things")) == rows


@pytest.mark.parametrize(
    ("shown", "moved"),
    [
        ([[1, 2, 3], [2, 3, 4], [4, 5]], False),  # as where items are hidden
        ([[1, 2, 3], [4, 2], [5]], True),
        ([[1, 2, 3], [1, 4], [5]], True),
        ([[1, 2, 3], [3, 2, 4], [5]], True),
        ([[1, 2, 3], [4, 5], [1], [1]], True),
        ([[1, 2, 3], [4, 5], [1], [6]], False),  # asked again, and better
    ],
)
def test_what_repeats_must_be_the_end_of_what_came_before(shown, moved):
    told = []
    fetched = iter([items(*numbers) for numbers in shown])
    found = list(pages(lambda _: next(fetched, []), 3, "things", lambda: told.append(1)))
    assert found == items(*dict.fromkeys(n for numbers in shown for n in numbers))
    assert bool(told) is moved
