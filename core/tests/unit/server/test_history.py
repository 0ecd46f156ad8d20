"""Who wrote a value, from the versions of an entity as servers give them."""

from __future__ import annotations

import json

import pytest

from metaglean.builtin.server.history import UNKNOWN, History, history
from metaglean.errors import AccessDenied, ItemError, NotFound

BOT, ANN = "ingestion-bot", "ann"


def version(number, who, *, added=(), updated=(), deleted=()):
    changes = {
        "fieldsAdded": list(added),
        "fieldsUpdated": list(updated),
        "fieldsDeleted": list(deleted),
        "previousVersion": number - 0.1,
    }
    return {"version": number, "updatedBy": who, "changeDescription": changes}


def field(name, old=None, new=None):
    return {"name": name, "oldValue": old, "newValue": new}


FIRST = {"version": 0.1, "updatedBy": BOT, "changeDescription": None}


def author(*versions, of="description", item=""):
    return History(lambda: versions).author(of, item)


def test_what_never_changed_is_of_who_made_the_entity():
    assert author(FIRST) == BOT
    assert author(version(0.2, ANN, updated=[field("displayName")]), FIRST) == BOT


def test_the_last_change_counts():
    versions = [
        version(0.2, ANN, added=[field("description", None, "ann's")]),
        version(0.3, BOT, updated=[field("description", "ann's", "bot's")]),
        FIRST,
    ]
    assert author(*versions) == BOT
    assert author(*versions[::2]) == ANN
    assert author(version(0.4, ANN, deleted=[field("description")]), *versions) == ANN


def test_versions_in_any_order_and_across_ten():
    """0.9 is followed by 1.0, and the text of a number doesn't sort."""
    late = version(10.2, ANN, updated=[field("description")])
    early = version(9.9, BOT, updated=[field("description")])
    assert author(early, FIRST, late) == ANN


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("columns.id.description", "columns.id.description"),
        ('columns."e.mail".description', 'columns."e.mail".description'),
        ('columns."e.mail".description', "columns.e.mail.description"),
        ("columns.address.city.description", "columns.address.city.description"),
    ],
)
def test_a_text_of_a_column(name, of):
    edited = version(0.2, ANN, added=[field(name, None, "of ann")])
    item = of.rpartition(".")[0].partition(".")[2].strip('"')
    assert author(edited, FIRST, of=of, item=item) == ANN
    assert author(edited, FIRST, of="columns.other.description", item="other") == BOT
    assert author(edited, FIRST, of="description") == BOT


@pytest.mark.parametrize("place", ["columns", "columns.outer"])
def test_a_column_that_changes_its_type_keeps_its_author(place):
    """A real 1.2 says that it went and came, with its text, in one version."""
    text = f"{place}.id.description"
    edited = version(0.2, ANN, added=[field(text, None, "of ann")])

    def retyped(description):
        old = json.dumps([{"name": "id", "dataType": "LONG", "description": "of ann"}])
        new = json.dumps([{"name": "id", "dataType": "STRING", "description": description}])
        return version(1.2, BOT, added=[field(place, None, new)], deleted=[field(place, old)])

    assert author(retyped("of ann"), edited, FIRST, of=text, item="id") == ANN
    assert author(retyped("of bot"), edited, FIRST, of=text, item="id") == BOT


def test_a_column_inside_another_is_not_its_namesake():
    edited = version(0.2, ANN, added=[field("columns.outer.id.description", None, "of ann")])
    came = version(0.3, BOT, added=[field("columns", None, json.dumps([{"name": "id"}]))])
    assert author(came, edited, FIRST, of="columns.outer.id.description", item="id") == ANN


def test_a_column_that_came_later_is_of_who_added_it():
    column = json.dumps([{"name": "id", "dataType": "LONG", "description": "of ann"}])
    added = version(0.2, ANN, added=[field("columns", None, column)])
    assert author(added, FIRST, of="columns.id.description", item="id") == ANN
    assert author(added, FIRST, of="columns.zip.description", item="zip") == BOT
    gone = version(0.2, ANN, deleted=[field("columns", column)])
    assert author(gone, FIRST, of="columns.id.description", item="id") == BOT


@pytest.mark.parametrize("value", ["cut [{", None, 3, '{"name": "id"}', '["id"]'])
def test_an_unreadable_list_of_columns_tells_nothing(value):
    added = version(0.2, ANN, added=[field("columns", None, value)])
    assert author(added, FIRST, of="columns.id.description", item="id") == BOT


def test_a_history_that_does_not_reach_back_tells_nothing():
    """Servers may have given up old versions."""
    assert author(version(0.7, BOT, updated=[field("displayName")])) == UNKNOWN
    assert author() == UNKNOWN
    assert author({"version": "0.1", "updatedBy": BOT}) in {BOT, UNKNOWN}
    assert author({"version": 0.1}) == UNKNOWN


# -- from a server ---------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [json.dumps, lambda one: one])
def test_versions_of_a_server(stand_in, packed):
    """1.2 gives each version as JSON in a text."""
    edited = version(0.2, ANN, updated=[field("description")])
    body = {"entityType": "table", "versions": [packed(edited), packed(FIRST)]}
    server = stand_in(answers={"GET tables/1/versions": body})
    past = history(server, "tables", "1")
    assert not server.calls, "read only where a text differs"
    assert (past.author("description"), past.author("displayName")) == (ANN, BOT)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        ItemError("500", status=500),
        AccessDenied("403", status=403),
        NotFound("404", status=404),
        {},
        [[]],
        "text",
        {"versions": None},
        {"versions": []},
        {"versions": ["cut {"]},
        {"versions": [["list"], 3]},
        {"versions": [json.dumps(FIRST), "cut {"]},
    ],
    ids=str,
)
def test_what_cant_be_read_is_of_an_unknown(stand_in, answer):
    server = stand_in(answers={"GET tables/1/versions": answer})
    assert history(server, "tables", "1").author("description") == UNKNOWN
