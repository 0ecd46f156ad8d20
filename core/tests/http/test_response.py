"""Bodies: JSON whose texts can't be written again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean.http import Response

HALF = "\\ud83d"  # as it stands in JSON: the first half of an emoji that was cut
OTHER = "\\uDE00"


def parsed(content):
    return Response(200, {}, content.encode() if isinstance(content, str) else content).parse()


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (f'"cut {HALF}"', "cut \ufffd"),
        (f'"{OTHER}{HALF}"', "\ufffd\ufffd"),
        (f'"{HALF}{OTHER}"', "\U0001f600"),
        (f'"{HALF}{HALF}{OTHER}"', "\ufffd\U0001f600"),
        (f'{{"a{HALF}": [{{"b": ["{HALF}", 1, null, true, 2.5]}}]}}',
         {"a\ufffd": [{"b": ["\ufffd", 1, None, True, 2.5]}]}),
        (f'{{"{HALF}": 1, "{OTHER}": 2}}', {"\ufffd": 2}),
        ('"\\\\ud83d is written so"', "\\ud83d is written so"),
        ('"plain"', "plain"),
    ],
)  # fmt: skip
def test_half_a_character_is_replaced(content, value):
    found = parsed(content)
    assert found == value
    json.dumps(found, ensure_ascii=False).encode()


def test_half_a_character_in_utf_16_and_as_bytes():
    assert parsed(f'["{HALF}"]'.encode("utf-16")) == ["\ufffd"]
    assert parsed(b'["\xed\xa0\xbd"]') == ["\ufffd"]


def test_depth_costs_no_stack():
    found = parsed("[" * 500 + f'"{HALF}"' + "]" * 500)
    while isinstance(found, list):
        (found,) = found
    assert found == "\ufffd"


@pytest.mark.parametrize(
    "content", [b"", b"\xed", b'"\\ud', b'"\\ud8', b"\0", b"[\0", b'\xff"\\ud83d"']
)
def test_what_is_no_json_stays_a_value_error(content):
    with pytest.raises(ValueError):  # json's own, and the decoder's
        parsed(content)


TEXTS = st.text(st.characters(categories=["Cs", "Lu", "So"]))
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_whatever_came_can_be_written(value):
    found = parsed(json.dumps(value))
    json.dumps(found, ensure_ascii=False).encode()


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_what_is_whole_stays(value):
    assert parsed(json.dumps(value)) == value
