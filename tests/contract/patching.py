"""JSON Patch (RFC 6902), as far as a sink uses it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any


class PatchError(ValueError):
    """The patch can't be applied to this document."""


def apply(document: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """The document with all operations applied; the one given stays as it is.

    Raises PatchError for an operation that fails, a `test` that doesn't hold included.
    """
    result = copy.deepcopy(document)
    for operation in operations:
        try:
            _one(result, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise PatchError(f"{operation!r}: {error}") from error
    return result


def _one(document: Any, operation: Mapping[str, Any]) -> None:
    name, path = operation["op"], _parts(operation["path"])
    if name == "test":
        if _get(document, path) != operation["value"]:
            raise ValueError("the test does not hold")
    elif name == "add":
        _add(document, path, copy.deepcopy(operation["value"]))
    elif name == "remove":
        _remove(document, path)
    elif name == "replace":
        _remove(document, path)
        _add(document, path, copy.deepcopy(operation["value"]))
    elif name == "move":
        source = _parts(operation["from"])
        moved = _get(document, source)
        _remove(document, source)
        _add(document, path, moved)
    elif name == "copy":
        _add(document, path, copy.deepcopy(_get(document, _parts(operation["from"]))))
    else:
        raise ValueError("no such operation")


def _parts(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise ValueError("the path is no JSON pointer below the document")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def _get(document: Any, parts: Iterable[str]) -> Any:
    for part in parts:
        document = document[_index(document, part) if isinstance(document, list) else part]
    return document


def _index(items: list[Any], part: str) -> int:
    index = int(part)
    if not 0 <= index < len(items):
        raise IndexError(f"no item {part}")
    return index


def _add(document: Any, parts: list[str], value: Any) -> None:
    *above, last = parts
    holder = _get(document, above)
    if not isinstance(holder, list):
        holder[last] = value
    elif last == "-":
        holder.append(value)
    elif 0 <= int(last) <= len(holder):
        holder.insert(int(last), value)
    else:
        raise IndexError(f"no place {last}")


def _remove(document: Any, parts: list[str]) -> None:
    *above, last = parts
    holder = _get(document, above)
    del holder[_index(holder, last) if isinstance(holder, list) else last]
