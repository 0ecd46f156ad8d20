"""Variables in files: what is replaced, what stays, and what is an error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaglean.config.document import parse_document
from metaglean.config.interpolation import interpolate
from metaglean.config.problems import Problems
from metaglean.errors import ConfigError

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def fill(value, environ=None, name="f.yaml"):
    """The value after interpolation, and the warnings."""
    document = parse_document(json.dumps({"key": value}), name, is_json=True)
    problems = Problems(document)
    data = interpolate(document, environ or {}, problems)
    problems.raise_if_any()
    return data["key"], problems.warnings


def refused(value, environ=None):
    with pytest.raises(ConfigError) as caught:
        fill(value, environ)
    return str(caught.value)


@given(st.text().filter(lambda text: "$" not in text))
@settings(deadline=None)
def test_text_without_a_dollar_stays(text):
    try:
        assert fill(text) == (text, [])
    except ConfigError as error:
        assert "not valid YAML" in str(error)  # noqa: PT017  control characters of JSON text


@given(names, st.text(alphabet=st.characters(codec="utf-8")))
@settings(deadline=None)
def test_a_value_is_taken_as_it_is_whatever_it_holds(name, value):
    filled, warnings = fill(f"<${{{name}}}>", {name: value})
    assert filled == f"<{value}>"
    assert not warnings


@given(names, st.text(alphabet="ab${}:-*\"'\n #"))
@settings(deadline=None)
def test_a_value_is_never_interpolated_again(name, value):
    assert fill(f"${{{name}}}", {"a": "WRONG", "b": "WRONG", name: value})[0] == value


@given(st.text(alphabet="abc $%:.", max_size=15))
@settings(deadline=None)
def test_without_variables_and_braces_every_dollar_stays(text):
    assert fill(text) == (text, [])


@given(st.lists(st.sampled_from(["$${", "}", "a", " ", "$$"]), max_size=8).map("".join))
@settings(deadline=None)
def test_the_literal_is_written_with_two_dollars(text):
    assert fill(text)[0] == text.replace("$${", "${")


def test_default_for_what_is_unset_or_empty():
    assert fill("${A:-x y}")[0] == "x y"
    assert fill("${A:-x}", {"A": ""})[0] == "x"
    assert fill("${A:-x}", {"A": "y"})[0] == "y"
    assert fill("${A:-}")[0] == ""


def test_an_empty_variable_is_set():
    assert fill("${A}", {"A": ""})[0] == ""


def test_an_unset_variable_is_an_error_with_its_line():
    message = refused(["x", "${TOKEN}"])
    assert message == (
        "f.yaml:1:15  key[1]: the environment variable TOKEN is not set\n"
        "    export TOKEN, or give a default: ${TOKEN:-default}"
    )


def test_bare_names_are_replaced_where_they_exist_with_a_warning():
    filled, warnings = fill("$HOME/x $MISSING pa$$word", {"HOME": "/h", "word": "!"})
    assert filled == "/h/x $MISSING pa$!"
    assert warnings == [
        "f.yaml:1:9  key: $HOME was replaced by the environment variable; write ${HOME}",
        "f.yaml:1:9  key: $word was replaced by the environment variable; write ${word}",
    ]


@pytest.mark.parametrize("text", ["${}", "${A B}", "${A:?x}", "${A-b}", "${env:A}", "${file:}"])
def test_what_is_not_understood_is_an_error(text):
    assert "a ${…} that is not understood" in refused(text, {"A": "1"})


def test_one_in_another_is_an_error():
    assert "${…} inside of ${…}" in refused("${A:-${B}}", {"B": "1"})


@pytest.mark.parametrize(
    "text", ["${A", "pa${ss", "${A:-{}}", "${A:-{x}}", "x ${", "${A{}", "$${${A"]
)
def test_an_open_brace_is_an_error_with_its_line(text):
    assert refused(["x", text], {"A": "1"}) == (
        "f.yaml:1:15  key[1]: a ${…} that is not understood\n"
        "    expected ${VAR}, ${VAR:-default} or ${file:/path}; a literal ${ is written $${"
    )


def test_files_are_read_without_their_last_line_end(tmp_path):
    (tmp_path / "secret").write_text("one\ntwo\r\n")
    assert fill(f"<${{file:{tmp_path}/secret}}>")[0] == "<one\ntwo>"
    assert fill("${file:secret}", name=str(tmp_path / "w.yaml"))[0] == "one\ntwo"


def test_a_file_that_is_not_there(tmp_path):
    message = refused(f"${{file:{tmp_path}/none}}")
    assert message.startswith("f.yaml:1:9  key: ")
    assert "none can't be read: No such file or directory" in message


def test_keys_and_comments_are_left_alone():
    document = parse_document("$A: 1 # ${B}\n${C}: 2\n")
    assert interpolate(document, {"A": "x"}, Problems(document)) == {"$A": 1, "${C}": 2}
