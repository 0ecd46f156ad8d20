"""Texts reach a server only as it can store them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean.builtin.server.body import Bodies
from metaglean.builtin.server.features import Features
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.records import Column, Pipeline, Ref, Table, Task

NAMES = ServerNames(Features((1, 2, 0)))
BODIES = Bodies(NAMES, QualifiedNames(NAMES), lambda _: [], lambda _: [])
REF = Ref("table", ("s", "d", "s", "t"))
PIPELINE = Ref("pipeline", ("s", "p"))


def values(record):
    noted = []
    found = BODIES.values(record, noted.append)
    assert not noted
    return found


def texts(value):
    """All texts in a value, at every level."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def everywhere(text):
    """A table and a pipeline with this text wherever a text is free."""
    column = {"display_name": text, "description": text, "data_type_display": text}
    yield Table(
        ref=REF, display_name=text, description=text, source_url=text,
        columns=[Column(name="a", data_type="INT", **column)],
        table_type="View", schema_definition=text,
    )  # fmt: skip
    task = Task(name="a", display_name=text, description=text, task_sql=text)
    yield Pipeline(ref=PIPELINE, display_name=text, description=text, tasks=[task])


@given(st.text(max_size=20))
def test_no_text_has_what_a_server_refuses(text):
    for record in everywhere(text):
        for found in texts(values(record)):
            assert "\x00" not in found
            found.encode()


@pytest.mark.parametrize("text", ["plain", "two\nlines\tand a tab\r", "é ⽇ \U0001f600", ""])
def test_what_can_be_stored_stays(text):
    for record in everywhere(text):
        assert values(record)["description"] == text


def test_what_is_refused_is_shown_where_it_stood():
    for record in everywhere("a\x00b"):
        found = values(record)
        assert found["description"] == found["displayName"] == "a\ufffdb"
