"""A rewrite as edits of a file's text, so that every other character of it stays as it is.

A round trip through a YAML library would lose line ends, indentation, the padding of comments and
other things that people chose. An edit inserts or replaces a few characters at the place that the
parser noted. Whether the result means what it should is not decided here: fixing.py reads it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import yaml

from metaglean.config.document import Document, as_yaml
from metaglean.config.rewrites import ByHandError, Rewrite, bare_variables, with_braces

_BLOCK_STYLES = ("|", ">")
_STEP = 2
_LINE_END = re.compile(r"\r\n|\n|\r")
# Above it only comments, blank lines and directives.
_HEADER = re.compile(
    r"(?:[ \t]*(?:[#%][^\r\n]*|---[ \t]*)?(?:\r\n|\n|\r))*?"
    r"(#[ \t]*yaml-language-server[ \t]*:[ \t]*\$schema=[^\r\n]*)"
)


class Edit(NamedTuple):
    """Put `text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits. Raises ByHandError where two of them touch the same characters."""
    parts, at = [], 0
    for start, end, new in sorted(edits):
        if start < at:
            raise ByHandError("another change stands in its way")
        parts += [text[at:start], new]
        at = end
    return "".join((*parts, text[at:]))


def scalar_starts(text: str, *, is_json: bool) -> dict[int, int]:
    """End of a scalar → its start. A node's own begins at an anchor or a tag before it."""
    return {
        token.end_mark.index: token.start_mark.index
        for token in yaml.scan(as_yaml(text, is_json=is_json), yaml.SafeLoader)
        if isinstance(token, yaml.ScalarToken)
    }


def with_header(text: str, schema: str) -> str:
    """The text with one line at its top that names its schema to editors."""
    line = f"# yaml-language-server: $schema={schema}"
    found = _HEADER.match(text)
    if found:
        return text[: found.start(1)] + line + text[found.end(1) :]
    return line + _line_end(text) + text


def _line_end(text: str) -> str:
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def _in_single_quotes(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Editor:
    """Finds the edits for rewrites of one document; `text` is what it was read from."""

    def __init__(self, document: Document, text: str, *, is_json: bool) -> None:
        self._document = document
        self._text = text
        self._is_json = is_json

    def place(self, rewrite: Rewrite) -> tuple[str, int, str]:
        """The same for rewrites that are one change: one place seen through aliases, and all
        variables of one text."""
        if rewrite.kind == "variable":
            return rewrite.kind, self._document.nodes[rewrite.path].start_mark.index, ""
        of_key = rewrite.kind in {"key", "list"}
        nodes = self._document.key_nodes if of_key else self._document.nodes
        return rewrite.kind, nodes[rewrite.path].start_mark.index, rewrite.new

    def edits(self, rewrites: list[Rewrite]) -> list[Edit]:
        """The edits for rewrites of one place.

        Raises ByHandError for what is written in a way that is not understood.
        """
        rewrite = rewrites[0]
        if rewrite.kind == "value":
            node = self._scalar(rewrite)
            return [Edit(*self._span(node), self._quoted_as(node, rewrite.new))]
        if rewrite.kind == "variable":
            return self._with_braces(self._scalar(rewrite), {one.new for one in rewrites})
        if rewrite.kind == "list":
            return self._as_list(rewrite)
        if "." in rewrite.new:
            return self._into(rewrite)
        key = self._document.key_nodes[rewrite.path]
        return [Edit(*self._span(key), self._quoted_as(key, rewrite.new))]

    def _scalar(self, rewrite: Rewrite) -> yaml.ScalarNode:
        node = self._document.nodes[rewrite.path]
        if not isinstance(node, yaml.ScalarNode):
            raise ByHandError("it is no text")
        return node

    @cached_property
    def _starts(self) -> Mapping[int, int]:
        return scalar_starts(self._text, is_json=self._is_json)

    def _span(self, node: yaml.Node) -> tuple[int, int]:
        end = node.end_mark.index
        if end not in self._starts:
            raise ByHandError("it is empty")
        return self._starts[end], end

    def _quoted_as(self, node: yaml.Node, new: str) -> str:
        """`new`, quoted as the scalar is."""
        style = self._text[self._span(node)[0]]
        if style in _BLOCK_STYLES:
            raise ByHandError("it is a block of text")
        if style == '"':
            return json.dumps(new, ensure_ascii=False)
        return _in_single_quotes(new) if style == "'" else new

    def _with_braces(self, node: yaml.ScalarNode, names: set[str]) -> list[Edit]:
        start, end = self._span(node)
        written = self._text[start:end]
        spans = list(bare_variables(written, names))
        if written[0] in _BLOCK_STYLES:  # a comment may follow in the first line
            first = len(_LINE_END.split(written, maxsplit=1)[0])
            spans = [span for span in spans if span[0] > first]
        if not spans:
            raise ByHandError("it is written with escapes")
        # Without quotes braces end a value between brackets and braces.
        if written[0] not in "\"'|>" and self._in_flow(start):
            new = with_braces(written, names)
            quoted = f'"{new}"' if not re.search(r'["\\]', new) else _in_single_quotes(new)
            return [Edit(start, end, quoted)]
        return [
            edit
            for one, other in spans
            for edit in (
                Edit(start + one, start + one, "{"),
                Edit(start + other, start + other, "}"),
            )
        ]

    @cached_property
    def _flows(self) -> list[tuple[int, int]]:
        nodes = self._document.nodes.values()
        return [
            (node.start_mark.index, node.end_mark.index)
            for node in nodes
            if isinstance(node, yaml.CollectionNode) and node.flow_style
        ]

    def _in_flow(self, at: int) -> bool:
        return any(start <= at < end for start, end in self._flows)

    def _entry(self, rewrite: Rewrite) -> tuple[yaml.MappingNode, yaml.Node, yaml.Node]:
        """The mapping in the text that has the key, the key, and its value."""
        key = self._document.key_nodes[rewrite.path]
        for node in self._document.nodes.values():
            if isinstance(node, yaml.MappingNode):
                for one, value in node.value:
                    if one is key:
                        if value.start_mark.index < key.end_mark.index:
                            raise ByHandError("it is an alias")
                        return node, key, value
        raise ByHandError("it is merged from elsewhere")

    def _as_list(self, rewrite: Rewrite) -> list[Edit]:
        _, key, value = self._entry(rewrite)
        edits = [Edit(*self._span(key), self._quoted_as(key, rewrite.new))]
        start = value.start_mark.index
        if isinstance(value, yaml.CollectionNode) and value.flow_style:
            return [
                *edits,
                Edit(start, start, "["),
                Edit(value.end_mark.index, value.end_mark.index, "]"),
            ]
        if not isinstance(value, yaml.MappingNode) or self._text[start] in "&!":
            raise ByHandError("an anchor or a tag stands there")
        return [*edits, Edit(start, start, "- "), *self._indented(start, self._end(value), _STEP)]

    def _into(self, rewrite: Rewrite) -> list[Edit]:
        """Move an entry into a mapping beside it, which is made where there is none."""
        mapping, key, value = self._entry(rewrite)
        *parents, last = rewrite.new.split(".")
        edits = [Edit(*self._span(key), self._quoted_as(key, last))]
        beside = {str(one.value): other for one, other in mapping.value}
        if parents[0] in beside:
            raise ByHandError(f"{parents[0]} stands there as well: move it in there")
        start, end = key.start_mark.index, self._end(value)
        if mapping.flow_style:
            before = "".join(f"{self._quoted_as(key, parent)}: {{" for parent in parents)
            return [*edits, Edit(start, start, before), Edit(end, end, "}" * len(parents))]
        column = key.start_mark.column
        lines = [
            f"{parent}:{_line_end(self._text)}{' ' * (column + _STEP * (level + 1))}"
            for level, parent in enumerate(parents)
        ]
        deeper = _STEP * len(parents)
        return [*edits, Edit(start, start, "".join(lines)), *self._indented(start, end, deeper)]

    def _end(self, node: yaml.Node) -> int:
        """Where the last character of a value stands; blocks end at what follows them."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        start, end = node.start_mark.index, node.end_mark.index
        return start + len(self._text[start:end].rstrip())

    def _indented(self, start: int, end: int, by: int) -> list[Edit]:
        """Move the lines after the first one to the right."""
        lines = re.finditer(r"(?:\r\n|\n|\r)(?=[^\r\n])", self._text[start:end])
        return [Edit(start + line.end(), start + line.end(), " " * by) for line in lines]
