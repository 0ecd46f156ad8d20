"""Keep the code's budgets: file and function length, one broad `except`, few suppressions.

The figures stand in tools/budgets.toml and only get tighter: `--tighten` lowers the number of
suppressions to what was counted, never raises it. A file or function that is rightly longer
says so in a comment `# long: <reason>` (a file in its first lines, a function on its first line or
the one above).
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from repo import ROOT, load, sources

BUDGETS = ROOT / "tools" / "budgets.toml"
LONG = re.compile(r"#\s*long:\s*\w.{4,}")
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)", re.IGNORECASE)
RULED = re.compile(
    r"#\s*(noqa:\s*[A-Z]+\d+(\s*,\s*[A-Z]+\d+)*|type:\s*ignore\[[^\]]*\]|pragma:\s*no cover)(.*)",
    re.IGNORECASE,
)
FORMATTER = re.compile(r"#\s*fmt:\s*\w+")
BROAD = {"Exception", "BaseException"}
SKIPS = {"skip", "skipif", "xfail"}


def too_long(path: Path, text: str, tree: ast.Module, limits: dict[str, int]) -> Iterator[str]:
    """The file and the functions in it that are longer than allowed and don't say why."""
    lines = text.splitlines()
    where = path.relative_to(ROOT)
    if len(lines) > limits["file_lines"] and not LONG.search("\n".join(lines[:20])):
        yield f"{where}: {len(lines)} lines, allowed are {limits['file_lines']}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        argued = LONG.search("\n".join(lines[max(node.lineno - 2, 0) : node.lineno]))
        if length > limits["function_lines"] and not argued:
            yield (
                f"{where}:{node.lineno}: {node.name} has {length} lines, "
                f"allowed are {limits['function_lines']}"
            )


def broad_excepts(path: Path, tree: ast.Module) -> Iterator[str]:
    """Each handler that swallows everything, as file:line; one that ends in `raise` doesn't."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or not _broad(node.type):
            continue
        last = node.body[-1]
        if not (isinstance(last, ast.Raise) and last.exc is None):
            yield f"{path.relative_to(ROOT)}:{node.lineno}"


def _broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_broad(element) for element in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD)


def suppressions(path: Path, text: str, tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Each suppression or skipped test as (file:line: text, whether it says why)."""
    where = path.relative_to(ROOT)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and SUPPRESSION.search(token.string):
            yield f"{where}:{token.start[0]}: {token.string}", _argued(token.string)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _skips(node.func):
            argued = bool(node.args) or any(k.arg == "reason" for k in node.keywords)
            yield f"{where}:{node.lineno}: {ast.unparse(node.func)}", argued


def _argued(comment: str) -> bool:
    """Whether a suppressing comment names its rule, and has words after it."""
    ruled = RULED.search(FORMATTER.sub("", comment))
    return ruled is not None and len(ruled[3].strip(" #:-")) > 4


def _skips(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in SKIPS
        and ast.unparse(function).startswith(("pytest.", "unittest."))
    )


def check(budgets: dict[str, dict[str, int]]) -> tuple[list[str], int]:
    """What breaks a budget, and the number of suppressions."""
    found: list[str] = []
    broad: list[str] = []
    counted = 0
    for path in sources(tests=True):
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        in_tests = "tests" in path.relative_to(ROOT).parts
        if not in_tests:
            found += too_long(path, text, tree, budgets["size"])
            broad += broad_excepts(path, tree)
        for where, argued in suppressions(path, text, tree):
            counted += 1
            if not argued:
                found.append(f"{where}: says no reason (or no rule)")
    if len(broad) != budgets["code"]["broad_excepts"]:
        found.append(
            f"broad excepts: {len(broad)}, allowed are {budgets['code']['broad_excepts']}: "
            + ", ".join(broad)
        )
    return found, counted


def main() -> int:
    budgets = load(BUDGETS)
    found, counted = check(budgets)
    allowed = budgets["code"]["suppressions"]
    if counted > allowed:
        found.append(f"suppressions: {counted}, allowed are {allowed}")
    elif counted < allowed and "--tighten" in sys.argv[1:]:
        text = BUDGETS.read_text("utf-8")
        text = re.sub(r"(?m)^suppressions = \d+", f"suppressions = {counted}", text)
        BUDGETS.write_text(text, "utf-8")
    elif counted < allowed:
        found.append(f"suppressions fell to {counted}: run tools/check_budgets.py --tighten")
    print("\n".join(found) or f"budgets: ok ({counted} suppressions)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
