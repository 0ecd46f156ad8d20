"""The budgets' own rules: each can fail."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def tools(monkeypatch):
    """The module tools/check_budgets.py, imported as the script is."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import check_budgets

    yield check_budgets
    for name in ("check_budgets", "repo"):
        sys.modules.pop(name, None)


def parsed(text):
    return ROOT / "x.py", text, ast.parse(text)


LIMITS = {"file_lines": 10, "function_lines": 3}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n" * 10, 0),
        ("x = 1\n" * 11, 1),
        ("# long: a table\n" + "x = 1\n" * 11, 0),
        ("def f():\n    x = 1\n    return x\n", 0),
        ("def f():\n    x = 1\n    x = 2\n    return x\n", 1),
        ("# long: one table\ndef f():\n    x = 1\n    x = 2\n    return x\n", 0),
    ],
)
def test_length_counts_unless_a_comment_argues(tools, text, found):
    path, text, tree = parsed(text)
    assert len(list(tools.too_long(path, text, tree, LIMITS))) == found


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception:\n    pass", 1),
        ("except:\n    pass", 1),
        ("except (OSError, BaseException):\n    pass", 1),
        ("except Exception:\n    undo()\n    raise", 0),
        ("except OSError:\n    pass", 0),
    ],
)
def test_a_handler_that_swallows_everything_counts(tools, handler, found):
    path, _, tree = parsed(f"try:\n    f()\n{handler}\n")
    assert len(list(tools.broad_excepts(path, tree))) == found


@pytest.mark.parametrize(
    ("text", "argued"),
    [
        ("x = 1  # type: ignore[arg-type]  # as it was taken apart\n", [True]),
        ("x = 1  # type: ignore[arg-type]  # `f` says which  # fmt: skip\n", [True]),
        ("x = 1  # type: ignore[arg-type]\n", [False]),
        ("x = 1  # type: ignore[arg-type]  # fmt: skip\n", [False]),
        ("x = 1  # type: ignore  # as it was taken apart\n", [False]),
        ("x = 1  # noqa: S101 # checked above\n", [True]),
        ("x = 1  # noqa: S311, S101 - no cryptography\n", [True]),
        ("x = 1  # noqa: S101\n", [False]),
        ("x = 1  # noqa\n", [False]),
        ("x = 1  # pragma: no cover: another platform\n", [True]),
        ("import pytest\npytest.skip('no server here')\n", [True]),
        ("import pytest\npytest.mark.skip()\n", [False]),
        ("x = 'noqa'\n", []),
    ],
)
def test_a_suppression_names_its_rule_and_reason(tools, text, argued):
    path, text, tree = parsed(text)
    assert [has for _, has in tools.suppressions(path, text, tree)] == argued
