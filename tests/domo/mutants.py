"""Makes every single condition of the deletion firewall true, then false, and runs its tests.

    python mutants.py TEST_FILE     prints JSON: mutant → whether the tests went red, by place

Only the code of the module's functions is replaced, in this process, so that a mutant costs a
fraction of a second.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import pytest

from metaglean import deletion

FUNCTIONS = ("decide", "_missing", "_objection", "_confirmed")


class Place(NamedTuple):
    """Where a condition stands: a field of a node, at an index where the field is a list."""

    node: ast.AST
    field: str
    index: int | None

    def get(self) -> ast.expr:
        value = getattr(self.node, self.field)
        return value if self.index is None else value[self.index]

    def put(self, expression: ast.expr) -> None:
        if self.index is None:
            setattr(self.node, self.field, expression)
        else:
            getattr(self.node, self.field)[self.index] = expression


def conditions(tree: ast.AST) -> Iterator[Place]:
    """The tests of `if`, of conditional expressions and of comprehensions, and each part of an
    `and` or `or`, also below a `not`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            yield Place(node, "test", None)
        elif isinstance(node, ast.comprehension):
            yield from (Place(node, "ifs", index) for index in range(len(node.ifs)))
        elif isinstance(node, ast.BoolOp):
            yield from (Place(node, "values", index) for index in range(len(node.values)))


def mutants(source: str) -> Iterator[tuple[str, str, ast.Module]]:
    """(label, function, the module with one condition replaced)."""
    tree = ast.parse(source)
    positions = {
        node.name: number
        for number, node in enumerate(tree.body)
        if isinstance(node, ast.FunctionDef)
    }
    for name in FUNCTIONS:
        number = positions[name]
        for at, place in enumerate(conditions(tree.body[number])):
            text = ast.unparse(place.get())
            for value in (True, False):
                changed = copy.deepcopy(tree)
                [*conditions(changed.body[number])][at].put(ast.Constant(value))
                label = f"{name}: {text} -> {value}"
                yield label, name, ast.fix_missing_locations(changed)


class Verdict:
    """Counts what failed; a plugin of the inner pytest."""

    def __init__(self) -> None:
        self.failed = self.passed = 0

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed += report.failed
        self.passed += report.when == "call" and report.passed


def is_red(tests: str) -> bool:
    verdict = Verdict()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main([tests, "-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov"], [verdict])
    if not (verdict.failed or verdict.passed):
        sys.exit(f"no test ran: {tests}")
    return bool(verdict.failed)


def main(tests: str) -> int:
    if is_red(tests):
        sys.exit("the tests are red without any change")
    path = Path(str(deletion.__file__))
    found: dict[str, list[bool]] = {}
    for label, name, tree in mutants(path.read_text("utf-8")):
        code = compile(tree, str(path), "exec", dont_inherit=True)
        (inner,) = [c for c in code.co_consts if getattr(c, "co_name", "") == name]
        function: FunctionType = getattr(deletion, name)
        before, function.__code__ = function.__code__, inner
        try:
            found.setdefault(label, []).append(is_red(tests))
        finally:
            function.__code__ = before
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
