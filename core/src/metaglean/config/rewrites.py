"""What stands in a workflow in an old spelling, and the same data in today's.

The parser notes a rewrite with every warning that names a better spelling; `check --fix` makes
them. Nothing here knows how a file is written: that is edits.py.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from metaglean.config.document import Path

_VARIABLE = re.compile(r"\$\$\{|\$\{[^{}]*\}|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)")

Kind = Literal["key", "list", "value", "variable"]


@dataclass(frozen=True)
class Rewrite:
    """One change of a file at `path`.

    key: the key there is called `new`, a dotted path from the mapping that it stands in.
    list: the key is called `new`, and its value becomes the only item of a list.
    value: the text there, which is `old`, becomes `new`.
    variable: `$new` in the text there becomes `${new}`.
    """

    kind: Kind
    path: Path
    new: str
    old: str = ""


class ByHandError(Exception):
    """A rewrite that only people can make; its text says why."""


def rewritten(data: Any, rewrites: Iterable[Rewrite]) -> Any:
    """A copy of a document's data after the rewrites. Raises ByHandError."""
    result = _copied(data)
    # From within: the path of an inner rewrite is that before an outer one.
    for rewrite in sorted(rewrites, key=lambda rewrite: -len(rewrite.path)):
        _apply(result, rewrite)
    return result


def _apply(data: Any, rewrite: Rewrite) -> None:
    *above, last = rewrite.path
    block = data
    for part in above:
        block = block[part]
    if rewrite.kind == "value":
        if str(block[last]) != rewrite.old:
            raise ByHandError("the value is made of variables")
        block[last] = rewrite.new
    elif rewrite.kind == "variable":
        block[last] = with_braces(block[last], {rewrite.new})
    else:
        value = block.pop(last)
        *parents, name = rewrite.new.split(".")
        for parent in parents:
            block = block.setdefault(parent, {})
            if not isinstance(block, dict):
                raise ByHandError(f"{parent} has no keys")
        if name in block:
            raise ByHandError(f"{rewrite.new} stands there as well")
        block[name] = [value] if rewrite.kind == "list" else value


def bare_variables(text: str, names: Container[str]) -> Iterator[tuple[int, int]]:
    """Where the names of bare variables, `$name`, begin and end; a `$${` is a literal `${`."""
    for found in _VARIABLE.finditer(text):
        if found["bare"] in names:
            yield found.span("bare")


def with_braces(text: str, names: Container[str]) -> str:
    """`text` with every bare `$name` as `${name}`."""
    parts, at = [], 0
    for start, end in bare_variables(text, names):
        parts += [text[at:start], "{", text[start:end], "}"]
        at = end
    return "".join((*parts, text[at:]))


def _copied(data: Any) -> Any:
    """An alias' data may be one object in several places; here each place has its own."""
    if isinstance(data, Mapping):
        return {key: _copied(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_copied(value) for value in data]
    return copy.copy(data)


def same(one: Any, other: Any) -> bool:
    """Whether two documents hold the same, types included; `True` equals 1 in Python."""
    return list(_flat(one)) == list(_flat(other))


def _flat(data: Any, path: Path = ()) -> Iterator[tuple[Path, str, str]]:
    if isinstance(data, Mapping):
        yield path, "map", ""
        for key in sorted(data):
            yield from _flat(data[key], (*path, key))
    elif isinstance(data, list):
        yield path, "list", ""
        for number, value in enumerate(data):
            yield from _flat(value, (*path, number))
    else:
        yield path, type(data).__name__, repr(data)
