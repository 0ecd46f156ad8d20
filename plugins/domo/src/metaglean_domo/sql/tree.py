"""Reading the tree strictly: every key of a node is either read or known to be harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, final

# Binding strength, weakest first. Where MySQL and other dialects differ (bitwise operators, XOR,
# `||`), the printer knows no operator or prints a function instead.
OR, AND, NOT, PREDICATE, ADDITIVE, MULTIPLICATIVE, UNARY, PRIMARY = range(1, 9)

# Positions, versions and texts that repeat other keys.
_HARMLESS = frozenset({
    "@type", "v", "astNode", "ASTNode", "fullyQualifiedName",
    "beginLine", "beginColumn", "endLine", "endColumn",
})  # fmt: skip
# JSqlParser's numbers for Oracle's join and PRIOR marks; 0 says that there is none.
_HARMLESS_ZERO = frozenset({"oldOracleJoinSyntax", "oraclePriorPosition"})


class UnknownNode(ValueError):
    """A part of the tree that can't be printed for certain; the text names it, without values."""


def squeeze(type_name: str) -> str:
    """Fold the spellings of a node type (`EQUALS_TO`, `EqualsTo`) into one.

    JSqlParser's `Expression` at the end goes: Domo drops it from the names that it is known to
    use (`CAST`, `TRY_CAST`).
    """
    return type_name.replace("_", "").upper().removesuffix("EXPRESSION")


def is_blank(value: object) -> bool:
    return value is None or value is False or (isinstance(value, list) and not value)


@final
class Node:
    """One object of the tree; as a context manager it raises for keys that nobody read."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, Mapping):
            raise UnknownNode(f"{what}: not an object")
        self._keys: Mapping[str, Any] = value
        self._read: set[str] = set()
        named = value.get("@type")
        if named is not None and not isinstance(named, str):
            raise UnknownNode(f"{what}: @type is not a text")
        self.type: str | None = named
        self.label = (named or what)[:80]

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc_type is None:
            self.done()

    def fail(self, reason: str) -> UnknownNode:
        return UnknownNode(f"{self.label}: {reason}")

    def get(self, key: str) -> Any:
        """Return the value, or None where the key says nothing (null, false, empty list)."""
        self._read.add(key)
        value = self._keys.get(key)
        return None if is_blank(value) else value

    def need(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise self.fail(f"no {key}")
        return value

    def one_of(self, *keys: str) -> Any:
        """Return the value that exactly one of the keys has, or that all those set share."""
        values = [value for value in map(self.get, keys) if value is not None]
        if not values:
            raise self.fail(f"no {keys[0]}")
        if any(value != values[0] for value in values):
            raise self.fail(f"{' and '.join(keys)} differ")
        return values[0]

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if value is not None and value is not True:
            raise self.fail(f"{key} is not a boolean")
        return value is True

    def expect(self, key: str, allowed: Sequence[object]) -> None:
        """Raise unless the key is absent or one of the values that change nothing."""
        value = self.get(key)
        if value is not None and value not in allowed:
            raise self.fail(key[:80])

    def objects(self, key: str) -> list[Any]:
        """Return a list that stands there itself or as `expressions` of a list node."""
        value = self.get(key)
        if isinstance(value, Mapping):
            with Node(value, key) as listed:
                listed.flag("brackets")
                listed.flag("usingBrackets")
                if "expressions" not in value:
                    raise listed.fail("no expressions")
                value = listed.get("expressions")
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fail(f"{key} is not a list")
        return value

    def done(self) -> None:
        for key, value in self._keys.items():
            if key in self._read or key in _HARMLESS or is_blank(value):
                continue
            if key in _HARMLESS_ZERO and value == 0:
                continue
            # Domo annotates expressions with their result type; a cast has read its own before.
            if key == "type" and isinstance(value, Mapping) and "dataType" in value:
                continue
            raise self.fail(f"unknown key {key[:80]}")


Printed = tuple[str, int]
ExpressionPrinter = Callable[["Printer", Node], Printed]
BodyPrinter = Callable[["Printer", Node], str]


class Printer:
    """Finds the function for a node's type; carries nothing else."""

    def __init__(
        self,
        expressions: Mapping[str, ExpressionPrinter],
        bodies: Mapping[str, BodyPrinter],
    ) -> None:
        self._expressions = expressions
        self._bodies = bodies

    def expression(self, value: object, at_least: int = OR) -> str:
        """Print an expression, in parentheses if it binds weaker than `at_least`."""
        with Node(value, "expression") as node:
            function = self._expressions.get(squeeze(node.type or ""))
            if function is None:
                raise UnknownNode(node.label)
            text, level = function(self, node)
        return text if level >= at_least else f"({text})"

    def expressions(self, values: Sequence[object]) -> str:
        return ", ".join(self.expression(value) for value in values)

    def body(self, value: object) -> str:
        """Print a select body without parentheses around it."""
        with Node(value, "select body") as node:
            function = self._bodies.get(squeeze(node.type or ""))
            if function is None:
                raise UnknownNode(node.label)
            return function(self, node)
