"""Any text becomes a name that a server of the version holds, and two never become one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metaglean import fqn
from metaglean.builtin.server.features import Features
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.records import Ref

VERSIONS = ((1, 1, 0), (1, 2, 0), (1, 3, 0), (1, 4, 0), (1, 5, 0), (2, 0, 0))
STRICT = ("dashboard", "chart", "databaseService", "pipelineService")
LABELS = ("tag", "classification")
KINDS = ("table", "column", "database", "databaseSchema", "pipeline", *STRICT, *LABELS)
FACE = "\N{SLIGHTLY SMILING FACE}"
PARTS = ["::", '"', "\n", "\r", "\t", ">", ".", "\x00", "\x85", "\u2028", "%", "²", "½", "&", " "]
LONG = ["x" * 60, FACE * 100, "e\N{COMBINING ACUTE ACCENT}", "__reserved__colon__"]
ODD = st.sampled_from([*PARTS, *LONG])
TEXTS = st.text(max_size=12) | st.lists(ODD | st.text(max_size=3), max_size=8).map("".join)
WORD = frozenset("Lu Ll Lt Lm Lo Nl Nd Mn Mc Me Pc".split())
versions = st.sampled_from(VERSIONS)
kinds = st.sampled_from(KINDS)


def rules(version):
    return ServerNames(Features(version))


def utf16(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def limits(kind, version):
    """(shortest, longest) by the published schemas."""
    if kind in LABELS:
        return (2, 64) if version < (1, 5) else (1, 256)
    if kind in {"table", "column"}:
        return (1, 256) if version >= (1, 2) else (1, 128)
    return (1, 256) if version >= (1, 3) else (1, 128)


def is_strict(kind, version):
    return (kind in LABELS and version < (1, 5)) or (kind in STRICT and version < (1, 3))


@settings(max_examples=400, deadline=None)
@given(versions, kinds, TEXTS)
def test_what_is_stored_is_a_valid_name(version, kind, text):
    assume(kind not in {"databaseService", "pipelineService"} or version < (1, 3))
    names = rules(version)
    stored = names.stored(kind, text if kind in LABELS else names.fit(kind, text))
    assume(stored or kind in LABELS)  # of an empty name nothing can be made: core gives another one
    shortest, longest = limits(kind, version)
    assert shortest <= utf16(stored) <= longest
    assert "::" not in stored
    assert not re.search(r'["\n\r\x00-\x08\x7f-\x9f\u2028]', stored)
    if is_strict(kind, version):
        marks = "' -.&()\u200c\u200d" + ("" if kind in LABELS else "%")
        assert all(one in marks or unicodedata.category(one) in WORD for one in stored)


@settings(max_examples=400, deadline=None)
@given(versions, kinds, TEXTS)
def test_a_fitted_name_fits(version, kind, text):
    names = rules(version)
    fitted = names.fit(kind, text)
    assert names.fit(kind, fitted) == fitted
    if not is_strict(kind, version) and kind not in LABELS:
        assert text.startswith(fitted) or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text)


@settings(deadline=None)
@given(versions, TEXTS, st.integers(1, 20))
def test_room_is_left(version, text, room):
    """Core adds a part of an id."""
    names = rules(version)
    fitted = names.fit("table", text, room)
    assert utf16(names.stored("table", fitted)) + room <= names.length("table")


@settings(max_examples=400, deadline=None)
@given(versions, TEXTS, TEXTS)
def test_two_tags_never_meet(version, one, two):
    names = rules(version)
    assume(one != two)
    assert names.stored("tag", one) != names.stored("tag", two)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("a\x01b", "a_b"),
        ("a\x01b", "a\x02b"),
        ("::", "__reserved__colon__"),
        ("x" * 300, "x" * 301),
        ("a%b", "a_b"),
        ("m²", "m_"),
    ],
)
def test_tags_that_are_nearly_alike_stay_apart(version, one, two):
    names = rules(version)
    assert names.stored("tag", one) != names.stored("tag", two)


@pytest.mark.parametrize("name", ["m²", "½x", "x·y", "x’y", "x\xa0y", FACE + "x"])
def test_what_1_2_refuses_in_a_tag(name):
    """Measured on a real one; Python takes the first two for word characters."""
    assert rules((1, 2, 0)).stored("tag", name) != name
    assert rules((1, 5, 0)).stored("tag", name) == name


@pytest.mark.parametrize("name", ["Ⅷx", "e\N{COMBINING ACUTE ACCENT}x", "x‿y", "日本", "x_y", "xªy",
                                  "x\u200dy", "R&D (old) - it's"])  # fmt: skip
def test_what_1_2_takes_in_a_tag(name):
    assert rules((1, 2, 0)).stored("tag", name) == name


@pytest.mark.parametrize("kind", ["table", "column"])
def test_a_length_is_that_of_utf_16(kind):
    """A real 1.2 refuses 255 characters and an emoji; 254 and one it takes."""
    names = rules((1, 2, 0))
    assert names.fit(kind, "x" * 254 + FACE) == "x" * 254 + FACE
    assert names.fit(kind, "x" * 255 + FACE) == "x" * 255
    assert names.fit(kind, FACE * 200) == FACE * 128


# -- qualified names ------------------------------------------------------------------------------

RAW = st.text(min_size=1, max_size=12).filter(lambda name: fqn.decode(fqn.encode(name)) == name)
SAFE = RAW.filter(lambda name: "::" not in name and '"' not in name)


@settings(deadline=None)
@given(st.sampled_from(VERSIONS[2:]), SAFE, st.lists(RAW, min_size=3, max_size=3))
def test_a_qualified_name_can_be_split(version, service, path):
    refs = QualifiedNames(rules(version))
    ref = Ref("table", (service, *path))
    assert fqn.split(refs(ref)) == ref.path
    assert fqn.split(refs(Ref("column", (*ref.path, "e.mail")))) == (*ref.path, "e.mail")
    assert refs(ref).startswith(refs(ref.parent) + ".")


def test_what_stands_keeps_its_qualified_name():
    refs = QualifiedNames(rules((1, 2, 0)))
    schema = Ref("databaseSchema", ("s", "d", "x"))
    refs.keep(schema, 's."d.".x')
    table = schema.child("table", "a.b")
    assert refs(table) == 's."d.".x."a.b"'
    assert refs(Ref("column", (*table.path, "c"))) == 's."d.".x."a.b".c'
    assert refs(Ref("column", (*table.path, "c", "in.side"))) == 's."d.".x."a.b".c."in.side"'


def test_a_column_is_below_its_tables_stand_in():
    refs = QualifiedNames(rules((1, 2, 0)))
    table = Ref("table", ("Domo: EU", "default", "default", "t"))
    assert refs(table).startswith("Domo_ EU_")
    assert refs(Ref("column", (*table.path, "c"))) == f"{refs(table)}.c"


def test_a_tag_is_below_its_classification():
    refs = QualifiedNames(rules((1, 2, 0)))
    assert refs(Ref("tag", ("Domo.Tags", "q1.sales"))) == '"Domo.Tags"."q1.sales"'
    assert refs(Ref("tag", ("DomoTags", "a%"))).startswith("DomoTags.a__")
