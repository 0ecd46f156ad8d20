"""A hash changes with every value that is sent, and with nothing else."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaglean.builtin.server.digest import differing, digest, own_tags, source_hash
from metaglean.builtin.server.wire import REFUSED, to_hash

OWN = frozenset({"Ours", "with.dot"})
seeds = st.integers(0, 2**32)


def label(name, **more):
    return {"tagFQN": name, "source": "Classification", "labelType": "Automated", **more}


BODY = {
    "name": "t",
    "parent": "s.d.x",
    "displayName": "T",
    "description": "  of two\n lines ",
    "sourceUrl": "https://x.example/t",
    "tableType": "View",
    "definition": "select 1",
    "owners": [{"id": "2", "type": "user"}, {"id": "1", "type": "team"}],
    "tags": [label("Ours.b"), label("Ours.a")],
    "columns": [
        {"name": "b", "dataType": "LONG", "ordinalPosition": 1, "tags": [label("Ours.b"),
                                                                         label("Ours.a")]},
        {"name": "a", "dataType": "STRUCT", "ordinalPosition": 2, "children": [
            {"name": "z", "dataType": "LONG", "description": "of z"},
            {"name": "y", "dataType": "DECIMAL", "precision": 10, "scale": 2}]},
        {"name": "A b", "dataType": "VARCHAR", "dataLength": 20, "description": "c"},
    ],
    "tableConstraints": [
        {"constraintType": "UNIQUE", "columns": ["b"]},
        {"constraintType": "FOREIGN_KEY", "columns": ["a"], "referredColumns": ["s.d.x.o.c"]},
        {"constraintType": "PRIMARY_KEY", "columns": ["a", "b"]},
    ],
}  # fmt: skip
UNORDERED = ("columns", "tags", "tableConstraints", "owners")


def shuffled(value, rng, key=""):
    """The same with other orders of keys, and of the lists that have none."""
    if isinstance(value, dict):
        items = [(name, shuffled(one, rng, name)) for name, one in value.items()]
        return dict(rng.sample(items, len(items)))
    if isinstance(value, list):
        items = [shuffled(one, rng) for one in value]
        return rng.sample(items, len(items)) if key in UNORDERED else items
    return value


def leaves(value, path=()):
    if isinstance(value, dict):
        value = value.items()
    elif isinstance(value, list):
        value = enumerate(value)
    else:
        return [path]
    return [found for key, one in value for found in leaves(one, (*path, key))]


def changed(path, change):
    body = copy.deepcopy(BODY)
    place = body
    for step in path[:-1]:
        place = place[step]
    change(place, path[-1])
    return body


@settings(deadline=None)
@given(seeds)
def test_a_hash_knows_no_order_where_there_is_none(seed):
    assert source_hash(shuffled(BODY, random.Random(seed))) == source_hash(BODY)


@pytest.mark.parametrize("path", leaves(BODY), ids=lambda path: ".".join(map(str, path)))
def test_a_hash_changes_with_every_value(path):
    other = changed(path, lambda place, key: place.update({key: "other"}) if isinstance(place, dict)
                    else place.__setitem__(key, "other"))  # fmt: skip
    assert source_hash(other) != source_hash(BODY)


@pytest.mark.parametrize("path", leaves(BODY), ids=lambda path: ".".join(map(str, path)))
def test_a_hash_changes_where_a_value_is_gone(path):
    gone = changed(path, lambda place, key: place.pop(key))
    assert source_hash(gone) != source_hash(BODY)


@pytest.mark.parametrize("key", [*BODY])
def test_what_was_read_and_is_empty_is_not_what_was_not_read(key):
    unread = {name: value for name, value in BODY.items() if name != key}
    for empty in (None, [], ""):
        assert source_hash(to_hash({**unread, key: empty})) != source_hash(to_hash(unread))


def test_what_is_not_in_a_hash():
    assert source_hash({**BODY, "sourceHash": "x" * 32}) == source_hash(BODY)
    assert source_hash(to_hash({**BODY, "lifeCycle": {"created": 1}})) == source_hash(to_hash(BODY))
    spaced = {**BODY, "definition": " select\n 1"}
    assert source_hash(spaced) == source_hash(BODY)


def test_a_refused_label_is_not_in_a_hash():
    """So that the run in which its tag stands has another one, and sends it."""
    refused = {**BODY, "tags": [*BODY["tags"], label("Ours.c", **{REFUSED: True})]}
    sent = {**BODY, "tags": [*BODY["tags"], label("Ours.c")]}
    assert source_hash(to_hash(refused)) == source_hash(to_hash(BODY))
    assert source_hash(to_hash(sent)) != source_hash(to_hash(BODY))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=4))
def test_a_hash_is_32_characters_of_any_text(body):
    assert len(source_hash(body)) == 32
    assert source_hash({**body, "half": "\ud800"})


# -- digests of what stands ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["database", "databaseSchema", "table", "pipeline"])
def test_a_digest_of_nothing_differs_in_all_that_is_wanted(kind):
    wanted = {"description": "d", "displayName": "n", "sourceUrl": "u", "owners": [{"id": "1"}],
              "tags": [label("Ours.a")]}  # fmt: skip
    empty = digest(kind, {}, OWN)
    assert set(differing(kind, wanted, empty, OWN)) == set(wanted)
    assert differing(kind, {}, empty, OWN) == []
    assert differing(kind, wanted, digest(kind, wanted, OWN), OWN) == []


def test_empty_texts_and_owners_ask_for_nothing():
    stored = {"description": "d", "displayName": "n", "owners": [{"id": "1"}]}
    wanted = {"description": None, "displayName": "", "owners": []}
    assert differing("table", wanted, digest("table", stored, OWN), OWN) == []


def test_empty_tags_and_columns_ask_for_their_removal():
    stored = {"tags": [label("Ours.a")], "columns": [{"name": "a"}]}
    wanted = {"tags": [], "columns": []}
    assert set(differing("table", wanted, digest("table", stored, OWN), OWN)) == {
        "tags", "items", "order",
    }  # fmt: skip


def test_labels_that_are_ours():
    labels = [
        label("Ours.a"),
        label("Ours.a"),
        label('"with.dot".x'),
        label("Ours.by-hand", labelType="Manual"),
        label("Others.a"),
        label("Ours.c", **{REFUSED: True}),
        label("Oursish.a"),
    ]
    assert own_tags(labels, OWN) == ['"with.dot".x', "Ours.a"]
