from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean_testkit.openmetadata.errors import Refused
from metaglean_testkit.openmetadata.jsonpatch import apply
from metaglean_testkit.openmetadata.names import join, normal, split

TREE = {"a": {"b": [1, 2, 3], "m~n/o": "x"}, "s": "t"}
CASES = {
    "add a member": (("add", "/a/c", 1), {"a": {**TREE["a"], "c": 1}, "s": "t"}),
    "add into a list": (("add", "/a/b/1", 9), {"a": {**TREE["a"], "b": [1, 9, 2, 3]}, "s": "t"}),
    "add at the end": (("add", "/a/b/-", 9), {"a": {**TREE["a"], "b": [1, 2, 3, 9]}, "s": "t"}),
    "replace": (("replace", "/s", None), {**TREE, "s": None}),
    "remove": (("remove", "/a/b/0", None), {"a": {**TREE["a"], "b": [2, 3]}, "s": "t"}),
    "escapes": (("replace", "/a/m~0n~1o", "y"), {"a": {"b": [1, 2, 3], "m~n/o": "y"}, "s": "t"}),
    "a true test": (("test", "/a/b/0", 1.0), TREE),
}


@pytest.mark.parametrize("name", CASES)
def test_operations(name):
    (kind, path, value), wanted = CASES[name]
    before = copy.deepcopy(TREE)
    assert apply(TREE, [{"op": kind, "path": path, "value": value}]) == wanted
    assert before == TREE


def test_move_and_copy():
    assert apply(TREE, [{"op": "move", "from": "/s", "path": "/a/b/0"}]) == {
        "a": {"b": ["t", 1, 2, 3], "m~n/o": "x"}
    }
    copied = apply(TREE, [{"op": "copy", "from": "/a", "path": "/c"}])
    copied["c"]["b"].append(4)
    assert copied["a"]["b"] == [1, 2, 3]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/zz", "value": 1},
        {"op": "remove", "path": "/zz"},
        {"op": "remove", "path": "/a/b/3"},
        {"op": "add", "path": "/a/b/4", "value": 1},
        {"op": "add", "path": "/a/b/01", "value": 1},
        {"op": "add", "path": "/s/x", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "x", "value": 1},
        {"op": "add", "path": "/x"},
        {"op": "test", "path": "/a/b/0", "value": True},
        {"op": "zz", "path": "/s"},
    ],
)
def test_what_can_t_be_done_is_refused(operation):
    with pytest.raises(Refused):
        apply(TREE, [operation])


@pytest.mark.parametrize("operations", [{}, "x", [1], None])
def test_a_patch_is_a_list_of_objects(operations):
    with pytest.raises(Refused, match="array of objects"):
        apply(TREE, operations)


@given(st.lists(st.text(st.characters(exclude_characters='"\n\r'), min_size=1), min_size=1))
def test_a_qualified_name_comes_apart_as_it_was_put_together(names):
    fqn = None
    for name in names:
        fqn = join(fqn, name)
    assert [part.strip('"') for part in split(fqn)] == names
    assert normal(fqn) == fqn


def test_needless_quotes_make_no_other_name():
    assert normal('a."b"."c.d"') == 'a.b."c.d"'
