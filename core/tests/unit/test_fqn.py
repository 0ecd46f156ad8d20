"""Qualified names: what goes in comes out, and the stored form holds nothing a server refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import fqn

NAMES = st.text(min_size=1, max_size=30).filter(lambda name: fqn.decode(fqn.encode(name)) == name)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_split_undoes_build(names):
    assert fqn.split(fqn.build(names)) == tuple(names)


@given(st.text(max_size=40))
def test_the_stored_form_has_no_reserved_text_and_is_stable(name):
    stored = fqn.encode(name)
    assert not any(text in stored for text in ("::", ">", '"', "\n", "\r", "\t", "\x00"))
    assert fqn.encode(fqn.decode(stored)) == stored


@given(st.text(max_size=60), st.integers(1, 40))
def test_cut_keeps_a_beginning_that_fits(name, length):
    kept = fqn.cut(name, length)
    assert name.startswith(kept)
    assert len(fqn.encode(kept)) <= length


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("local", "default", "default", "Sales.2024"), 'local.default.default."Sales.2024"'),
        (("s", 'say "x"'), "s.say __reserved__quote__x__reserved__quote__"),
        (("s", "a::b"), "s.a__reserved__colon__b"),
    ],
)
def test_names_are_quoted_and_encoded_as_openmetadata_does(names, expected):
    assert fqn.build(names) == expected


@pytest.mark.parametrize("text", ["", "a.", ".a", 'a."b', 'a.b"c', 'a.""', '"a"b'])
def test_what_is_no_qualified_name_is_refused(text):
    with pytest.raises(ValueError):
        fqn.split(text)
