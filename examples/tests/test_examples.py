"""What the examples are for: short, on public names alone, and working together."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import sys
import tokenize
from pathlib import Path

import pytest

from metaglean import run_workflow
from metaglean_testkit import FaultProxy, VirtualClock, catalog_state

EXAMPLES = Path(__file__).parents[1]
MODULES = sorted(EXAMPLES.glob("*/src/*.py"))
SOURCE = EXAMPLES / "source-bookshelf" / "src" / "metaglean_bookshelf.py"
MOST_LINES, LONGEST_LINE = 40, 100
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
          tokenize.ENCODING, tokenize.ENDMARKER}  # fmt: skip


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code: no blank lines, comments and docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            docstrings.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstrings


def bookshelf_api():
    """The API of the source's tests."""
    path = EXAMPLES / "source-bookshelf" / "tests" / "conftest.py"
    spec = importlib.util.spec_from_file_location("bookshelf_conftest", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.BookshelfApi()


@pytest.fixture
def source():
    api = bookshelf_api()
    with FaultProxy(api) as server:
        connection = {"hostPort": server.url, "token": api.token}
        yield {
            "type": "bookshelf",
            "serviceName": "shelves",
            "serviceConnection": {"config": connection},
        }


def test_the_count_is_honest():
    text = '"""Doc\nstring."""\n\n# comment\nx = (\n    1,\n)\ny = """a\nb"""\n'
    assert code_lines(text) == {5, 6, 7, 8, 9}


def test_a_source_fits_in_forty_lines():
    text = SOURCE.read_text()
    assert len(code_lines(text)) <= MOST_LINES
    assert max(map(len, text.splitlines())) <= LONGEST_LINE
    assert ";" not in text


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_examples_use_public_names_only(module):
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    ours = {name for name in found if name.partition(".")[0] == "metaglean"}
    assert ours <= {"metaglean", "metaglean.http", "metaglean.records"}
    others = {name.partition(".")[0] for name in found} - set(sys.stdlib_module_names)
    assert others <= {"metaglean", "pydantic"}


def test_the_source_lands_in_the_catalog(source, tmp_path):
    path = tmp_path / "catalog.db"
    sink = {"type": "catalog", "config": {"path": str(path)}}
    for _ in range(2):
        run_workflow({"source": source, "sink": sink}, clock=VirtualClock())
    tables = {name for kind, name in catalog_state(path) if kind == "table"}
    assert len(tables) == 12
    assert 'shelves.default.default."Garden.Books"' in tables
    assert {"shelves.default.default.Fiction"} < {t for t in tables if "iction" in t}


def test_processor_and_sink_work_with_the_source(source, tmp_path):
    terms = {"isbn": "Names an edition."}
    run_workflow(
        {
            "source": source,
            "processors": [{"type": "glossary", "config": {"terms": terms}}],
            "sink": {"type": "folder", "config": {"directory": str(tmp_path)}},
        }
    )
    stored = [json.loads(path.read_text()) for path in tmp_path.glob("table-*.json")]
    assert len(stored) == 12
    for table in stored:
        described = {c["name"]: c.get("description") for c in table["state"]["columns"]}
        assert described == {"isbn": "Names an edition.", "title": None, "pages": None}


def test_the_profiler_profiles_the_source(source, tmp_path):
    path = tmp_path / "catalog.db"
    sink = {"type": "catalog", "config": {"path": str(path)}}
    run_workflow({"source": source, "sink": sink})
    profile = {**source, "sourceConfig": {"config": {"type": "Profiler"}}}
    workflow = run_workflow({"source": profile, "processor": {"type": "bookshelf"}, "sink": sink})
    assert workflow.run.report.number("sink", "profile", "created") == 12
