from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import Column, NameRules
from metaglean_domo.columns import (
    columns,
    data_type,
    dictionary_texts,
    queried_columns,
    unique_names,
)

FIT = partial(NameRules().fit, "column")


@given(st.lists(st.one_of(st.sampled_from(["id", "ID", "id_2", "Id_3", ""]), st.text())))
def test_every_column_keeps_a_place_of_its_own(wanted):
    names = unique_names(wanted, FIT)
    assert len(names) == len(wanted)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name and len(name) <= 256 for name in names)


def test_the_first_keeps_the_name_and_nobody_loses_one_that_is_borne_by_right():
    assert unique_names(["id", "id", "ID", "id_2"], FIT) == ["id", "id_3", "ID_4", "id_2"]


def test_empty_and_long_names():
    assert unique_names(["", "a", " "], FIT) == ["column_1", "a", "column_3"]
    first, second = unique_names(["x" * 300, "x" * 299], FIT)
    assert first == "x" * 256
    assert second == "x" * 254 + "_2"


def test_columns_are_arguments_of_the_record():
    found = columns(
        [{"name": "id", "type": "LONG"}, {"name": "a\x00b", "type": "geo"}, {"name": None}, "?"],
        FIT,
    )
    made = [Column(**item) for item in found.items]
    assert [(c.name, c.data_type, c.data_type_display) for c in made] == [
        ("id", "LONG", "LONG"),
        ("a_b", "UNKNOWN", "geo"),
        ("column_3", "UNKNOWN", None),
        ("column_4", "UNKNOWN", None),
    ]
    assert [c.ordinal_position for c in made] == [1, 2, 3, 4]
    assert made[1].display_name == "a\x00b"
    assert "display_name" not in made[0].model_fields_set
    assert "description" not in made[0].model_fields_set
    assert found.changed == [("a\x00b", "a_b"), ("", "column_3"), ("", "column_4")]


def test_descriptions_that_were_read_are_set_even_where_there_is_none():
    found = columns([{"name": "a"}, {"name": "b"}], FIT, {"a": "the first"})
    assert [item["description"] for item in found.items] == ["the first", None]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("STRING", "STRING"),
        ("datetime", "DATETIME"),
        ("Boolean", "BOOLEAN"),
        ("VARCHAR(20)", "STRING"),
        ("ARRAY<STRING>", "UNKNOWN"),
        ("TIMESTAMP_LTZ", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_types(kind, word):
    assert data_type(kind) == word


def test_a_query_tells_names_and_types_by_position():
    answer = {"columns": ["a", "b"], "metadata": [{"type": "LONG"}], "rows": []}
    assert queried_columns(answer) == [{"name": "a", "type": "LONG"}, {"name": "b", "type": ""}]
    assert queried_columns({"rows": []}) == []


def test_a_dictionary_in_its_three_shapes():
    bare = {
        "columns": [
            {"name": "region", "description": "Sales region"},
            {"name": "net", "description": "a formula", "beastmodeId": 7},
            {"name": "empty", "description": ""},
        ]
    }
    expected = {"region": "Sales region"}
    assert dictionary_texts(bare) == expected
    assert dictionary_texts([bare]) == expected
    assert dictionary_texts({"dataDictionary": bare}) == expected
    assert dictionary_texts(None) == {}
