"""Documents: plain data, positions, and syntax errors that say where."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from metaglean.config.document import MAX_VALUES, Position, load_document, parse_document
from metaglean.errors import ConfigError

# YAML's own line breaks are rewritten by PyYAML's emitter.
words = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=10)
keys = words.filter(bool)
scalars = st.none() | st.booleans() | st.integers() | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)
mappings = st.dictionaries(keys, values, max_size=5)


def paths(data, path=()):
    yield path
    parts = data.items() if isinstance(data, dict) else ()
    for key, value in enumerate(data) if isinstance(data, list) else parts:
        yield from paths(value, (*path, key))


@given(mappings, st.booleans())
@settings(max_examples=40, deadline=None)
def test_data_is_what_was_written_and_every_part_has_a_position(data, flow):
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    document = parse_document(text)
    assert document.data == data
    for path in paths(data):
        line, column = document.values[path]
        assert 1 <= line <= len(text) + 1
        assert column >= 1
    assert set(document.values) == set(paths(data))


@given(mappings, st.sampled_from([None, 2, "\t"]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_json_gives_the_same_data(data, indent, ascii_only):
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    try:
        yaml.compose(text.replace("\t", " "))
    except yaml.YAMLError:
        return  # control characters, which YAML refuses unescaped
    document = parse_document(text, is_json=True)
    assert document.data == data
    assert set(document.values) == set(paths(data))


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(), min_size=1))
@settings(deadline=None)
def test_keys_and_values_are_found_where_they_stand(data):
    text = "".join(f"{key}:  {value}\n" for key, value in data.items())
    document = parse_document(text)
    for number, (key, value) in enumerate(data.items(), start=1):
        assert document.keys[key,] == Position(number, 1)
        assert document.values[key,] == Position(number, len(key) + 4)
        assert document.texts[key,] == str(value)


def test_a_block_is_found_at_its_key_and_what_is_absent_at_its_parent():
    document = parse_document("a:\n  b:\n    - c: 1\n", "f.yaml")
    assert document.where(("a", "b"), key=True) == "f.yaml:2:3"
    assert document.where(("a", "b", 0, "c")) == "f.yaml:3:10"
    assert document.where(("a", "b", 0, "missing")) == "f.yaml:3:7"
    assert document.where(("a", "missing")) == "f.yaml:1:1"
    assert document.where(()) == "f.yaml:1:1"


def test_aliases_and_merge_keys_are_followed():
    text = "base: &b {x: 1, y: 2}\none: *b\ntwo: {<<: *b, y: 3}\nthree:\n  <<: [{x: 8}, *b]\n"
    data = parse_document(text).data
    assert data["one"] == {"x": 1, "y": 2}
    assert data["two"] == {"x": 1, "y": 3}
    assert data["three"] == {"x": 8, "y": 2}


def test_dates_stay_text_and_keys_are_text():
    assert parse_document("a: 2024-01-02\n1: x\nyes: y\n").data == {
        "a": "2024-01-02",
        "1": "x",
        "yes": "y",
    }


def test_aliases_can_not_grow_without_bound():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match=f"more than {MAX_VALUES} values"):
        parse_document("\n".join(levels))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1  not valid YAML: the key 'a' stands here twice"),
        ("a: &x [*x]\n", "f.yaml:1:4  not valid YAML: an alias inside of what it stands for"),
        ("a: b: c\n", "f.yaml:1:5  not valid YAML: mapping values are not allowed here\n    Check"),
        ("a:\n\tb: 1\n", "f.yaml:2:1  not valid YAML: a tab where YAML allows only spaces\n"),
        ("a: 'x\n", "f.yaml:2:1  not valid YAML: found unexpected end of stream\n    A quote"),
        ("a: !secret x\n", "f.yaml:1:4  not valid YAML: the tag !secret is not known here\n"),
        ("a: !!python/object:os.system {}\n", "is not known here"),
        ("a: *****\n", "f.yaml:1:5  not valid YAML: a masked secret\n    Write ${VARIABLE}"),
        ("a: *nothing\n", "f.yaml:1:4  not valid YAML: found undefined alias 'nothing'\n    Text"),
        ("a: @x\n", "f.yaml:1:4  not valid YAML: found character '@' that cannot start any token"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2:2  not valid YAML: expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1  not valid YAML: but found another document\n    Leave"),
        ("{{a}}: 1\n", "f.yaml:1:1  not valid YAML: a key must be a word"),
        ("a: \x07\n", "f.yaml: not valid YAML: special characters are not allowed"),
        ("- a\n", "f.yaml:1:1  not a workflow: expected keys such as `source:`"),
        ("just text", "f.yaml:1:1  not a workflow"),
        ("# nothing\n", "f.yaml: the file is empty"),
        ("[" * 4000, "f.yaml: nested too deeply"),
    ],
)
def test_broken_yaml_is_explained(text, message):
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "f.yaml")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,}', "f.json:1:"),
        ('{\n"a" 1}', "f.json:2:5  not valid JSON: Expecting ':' delimiter"),
        ('{"a": 1, "a": 2}', "f.json:1:10  not valid YAML: the key 'a' stands here twice"),
        ("", "f.json: the file is empty"),
        ("[" * 100_000, "f.json: nested too deeply"),
    ],
)
def test_broken_json_is_explained(text, message):
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "f.json", is_json=True)
    assert message in str(caught.value)


def test_files_that_can_not_be_read(tmp_path):
    def message(name):
        with pytest.raises(ConfigError) as caught:
            load_document(tmp_path / name)
        return str(caught.value)

    assert "w.yaml: No such file or directory" in message("w.yaml")
    (tmp_path / "w.txt").write_text("a: 1")
    assert "w.txt: not a workflow file by its name" in message("w.txt")
    (tmp_path / "folder.yaml").mkdir()
    assert "Is a directory" in message("folder.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")
    assert "latin.yaml: byte 4 is not UTF-8" in message("latin.yaml")
    (tmp_path / "big.yaml").write_text("a: " + "x" * (1 << 20))
    assert "larger than" in message("big.yaml")


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path):
    (tmp_path / "w.yml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_document(tmp_path / "w.yml").data == {"a": 1}
