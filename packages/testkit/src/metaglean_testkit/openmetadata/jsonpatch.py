"""JSON patches (RFC 6902) on plain data."""

from __future__ import annotations

import copy
from typing import Any

from metaglean_testkit.openmetadata.errors import Json, Refused, bad, unmapped

_MISSING = object()


def apply(document: Json, operations: Any) -> Json:
    """The document after the operations; the one given stays as it is.

    Removals from lists are done from the end on, as the server does. Raises `Refused`.
    """
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise bad("JSON patch has to be an array of objects")
    result: Any = copy.deepcopy(document)
    for operation in operations:
        result = _one(result, operation)
    if not isinstance(result, dict):
        raise unmapped("the document is no object any more")
    return result


def _one(document: Any, operation: Json) -> Any:
    kind = operation.get("op")
    path = operation.get("path")
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise unmapped(f"A JSON pointer must begin with a slash: {path}")
    tokens = _tokens(path)
    if kind == "add":
        return _add(document, tokens, copy.deepcopy(_value(operation)))
    if kind == "remove":
        return _take(document, tokens)[0]
    if kind == "replace":
        _get(document, tokens)
        document = _take(document, tokens)[0] if tokens else document
        return _add(document, tokens, copy.deepcopy(_value(operation)))
    if kind == "test":
        if not _same(_get(document, tokens), _value(operation)):
            raise unmapped("JsonPatch.Operation.TEST fails! Values are not equal")
        return document
    if kind in {"move", "copy"}:
        origin = _tokens(str(operation.get("from", "")))
        if kind == "move":
            document, value = _take(document, origin)
        else:
            value = copy.deepcopy(_get(document, origin))
        return _add(document, tokens, value)
    raise bad(f"Cannot construct instance of `JsonPatch.Operation`, problem: {kind}")


def _value(operation: Json) -> Any:
    if "value" not in operation:
        raise unmapped("The operation has no value")
    return operation["value"]


def _tokens(path: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def _same(left: Any, right: Any) -> bool:
    # JSON knows no difference of 1 and 1.0, but one of 1 and true.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _index(token: str, room: int) -> int:
    if not token.isdigit() or (len(token) > 1 and token[0] == "0") or int(token) >= room:
        raise unmapped(f"the array contains no element for index {token}")
    return int(token)


def _step(node: Any, token: str) -> Any:
    if isinstance(node, dict):
        found = node.get(token, _MISSING)
        if found is _MISSING:
            raise unmapped(f"the object contains no mapping for the name '{token}'")
        return found
    if isinstance(node, list):
        return node[_index(token, len(node))]
    raise unmapped(f"the value at '{token}' is neither object nor array")


def _get(document: Any, tokens: list[str]) -> Any:
    for token in tokens:
        document = _step(document, token)
    return document


def _add(document: Any, tokens: list[str], value: Any) -> Any:
    if not tokens:
        return value
    parent, last = _get(document, tokens[:-1]), tokens[-1]
    if isinstance(parent, list):
        at = len(parent) if last == "-" else _index(last, len(parent) + 1)
        parent.insert(at, value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise Refused(500, f"nothing can be added at '{last}'", "unmapped")
    return document


def _take(document: Any, tokens: list[str]) -> tuple[Any, Any]:
    if not tokens:
        return {}, document
    parent, last = _get(document, tokens[:-1]), tokens[-1]
    value = _step(parent, last)
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del parent[last]
    return document, value
