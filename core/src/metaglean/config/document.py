"""A workflow file as plain data, with the line and column of every key and value in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import yaml

from metaglean.errors import ConfigError

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists, from the root."""

SUFFIXES = (".yaml", ".yml", ".json")
MAX_BYTES = 1 << 20
MAX_VALUES = 50_000  # after aliases are followed: what keeps a small file from growing large
_TAG = "tag:yaml.org,2002:"
_KEPT_AS_TEXT = {_TAG + "str", _TAG + "timestamp", _TAG + "binary", _TAG + "value"}


class Position(NamedTuple):
    """Line and column, both counted from 1."""

    line: int
    column: int


class Document:
    """Plain data (mappings have text as keys) and where each part of it stands in `name`."""

    def __init__(self, name: str, data: Any) -> None:
        self.name = name
        self.data = data
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, Position] = {}
        self.texts: dict[Path, str] = {}
        """The numbers of the file as they are written (`007` is a number to YAML)."""
        self.key_nodes: dict[Path, yaml.Node] = {}
        self.nodes: dict[Path, yaml.Node] = {}
        """What the keys and values were read from. An alias has the node that it stands for."""

    def where(self, path: Path, *, key: bool = False) -> str:
        """`FILE:LINE:COLUMN`, as `position` finds it."""
        line, column = self.position(path, key=key)
        return f"{self.name}:{line}:{column}"

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Where a value stands, or its key; the nearest parent for what is absent.

        A block of keys is found at its own key, as its value begins a line further down.
        """
        while path not in self.values and path:
            path, key = path[:-1], True
        position = self.keys.get(path) if key else None
        return position or self.values.get(path) or Position(1, 1)


def load_document(path: str | FilePath) -> Document:
    """Read a workflow file. Raises ConfigError where it can't be read or isn't YAML or JSON."""
    return parse_document(read_text(path), str(path), is_json=is_json(path))


def read_text(path: str | FilePath) -> str:
    """The text of a workflow file, its line ends as they are. Raises ConfigError."""
    path = FilePath(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path}: not a workflow file by its name", f"Name it {', '.join(SUFFIXES)}."
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes", "Is it a workflow file?")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: byte {error.start + 1} is not UTF-8", "Save the file as UTF-8."
        ) from error


def is_json(path: str | FilePath) -> bool:
    """Whether a file is JSON by its name; all others are YAML."""
    return FilePath(path).suffix.lower() == ".json"


def parse_document(text: str, name: str = "<text>", *, is_json: bool = False) -> Document:
    """The document in a text; its root is a mapping.

    Raises ConfigError for broken syntax, a key given twice, tags, and aliases that grow without
    bound; messages begin with file, line and column and repeat no values.
    """
    document = Document(name, None)
    data = _parse_json(text, name) if is_json else None
    try:
        root = yaml.compose(as_yaml(text, is_json=is_json), yaml.SafeLoader)
        if root is not None:
            document.data = _Reader(document).read(root, (), ())
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(name, error, text) from error
    except yaml.YAMLError as error:  # a character that no YAML may hold
        raise ConfigError(f"{name}: not valid YAML: {getattr(error, 'reason', error)}") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: nested too deeply") from error
    if is_json:
        document.data = data
    if document.data is None:
        raise ConfigError(f"{name}: the file is empty", "Start it with `source:`.")
    if not isinstance(document.data, Mapping):
        raise ConfigError(
            f"{document.where(())}  not a workflow: expected keys such as `source:` at the top"
        )
    return document


def as_yaml(text: str, *, is_json: bool) -> str:
    """The text as a YAML parser takes it; every character stands where it stood.

    A tab is white space in JSON, where none can stand inside a string; in YAML it is not.
    """
    return text.replace("\t", " ") if is_json else text


class _Reader:
    """Turns nodes into data and notes positions on the way."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._scalars = yaml.constructor.SafeConstructor()
        self._count = 0

    def read(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise _at(node, f"more than {MAX_VALUES} values")
        if id(node) in above:
            raise _at(node, "an alias inside of what it stands for")
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            data = self._mapping(node, path, above)
            self._note(node, path)  # after what is merged into it
            return data
        self._note(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, "seq")
            return [self.read(item, (*path, n), above) for n, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _note(self, node: yaml.Node, path: Path) -> None:
        self._document.values[path] = _position(node)
        self._document.nodes[path] = node

    def _mapping(self, node: yaml.MappingNode, path: Path, above: tuple[int, ...]) -> Any:
        self._check_tag(node, "map")
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _at(key, "a key must be a word; text in braces needs quotes")
            if key.tag == _TAG + "merge":
                merged.update(self._merged(value, path, above))
        # The mapping's own keys second: where a merged one has the same name, they are what counts.
        for key, value in node.value:
            if key.tag == _TAG + "merge":
                continue
            name = _joined(str(key.value))
            if name in data:
                raise _at(key, f"the key {name!r} stands here twice")
            at = (*path, name)
            data[name] = self.read(value, at, above)
            self._document.keys[at] = _position(key)
            self._document.key_nodes[at] = key
        return {**{k: v for k, v in merged.items() if k not in data}, **data}

    def _merged(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for part in reversed(parts):  # of several, the first wins
            if not isinstance(part, yaml.MappingNode):
                raise _at(part, "`<<` takes a mapping or a list of mappings")
            result.update(self.read(part, path, above))
        return result

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        if node.tag in _KEPT_AS_TEXT:
            return str(node.value)
        if not node.tag.startswith(_TAG):
            raise _at(node, f"the tag {node.tag} is not known here")
        try:
            value = self._scalars.construct_object(node)
        except ValueError:  # `0b2` looks like a number to YAML and is none
            return str(node.value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._document.texts[path] = str(node.value)
        return value

    @staticmethod
    def _check_tag(node: yaml.Node, expected: str) -> None:
        if node.tag != _TAG + expected:
            raise _at(node, f"the tag {node.tag} is not known here")


def _joined(text: str) -> str:
    """JSON writes one character beyond U+FFFF as two escapes; YAML reads them as two."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _parse_json(text: str, name: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{name}:{error.lineno}:{error.colno}  not valid JSON: {error.msg}"
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{name}: nested too deeply") from error


def _position(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _at(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


_EXPLAINED = {
    "mapping values are not allowed": "Check the indentation, and put text with `: ` in quotes.",
    "could not find expected ':'": "A `:` is missing, or the line above isn't indented rightly.",
    "did not find expected": "Check brackets, quotes and the indentation of the lines above.",
    "expected <block end>": "Check the indentation: keys of one block start in one column.",
    "found unexpected end of stream": "A quote is not closed.",
    "expected alphabetic or numeric character": "Text that starts with `*` or `&` needs quotes.",
    "found undefined alias": "Text that starts with `*` needs quotes.",
    "unknown escape character": "Use single quotes where a backslash is meant as it is.",
    "is not known here": "Put text that starts with `!` in quotes.",
    "cannot start any token": "Put text that starts with this character in quotes.",
    "found another document": "Leave out the line `---` between two documents.",
}


def _syntax_error(name: str, error: yaml.MarkedYAMLError, text: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = error.problem or error.context or "not readable"
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\\t" in problem or line[: len(line) - len(line.lstrip())].count("\t"):
        problem = "a tab where YAML allows only spaces"
        hint = "Indent with spaces."
    elif "expected alphabetic" in problem and line.rstrip().endswith("***"):
        problem = "a masked secret"
        hint = "Write ${VARIABLE} or ${file:/path} instead, or the secret itself in quotes."
    else:
        hint = next((said for start, said in _EXPLAINED.items() if start in problem), "")
    message = f"{place}  not valid YAML: {problem}"
    return ConfigError(f"{message}\n    {hint}" if hint else message)
