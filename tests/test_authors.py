"""docs/authors: every block of a page is run, in its order, and every public name has an example.

A block whose first line is a comment with a file's name becomes that file, or with `# in FILE`
replaces what it names there. A Python block without
one is executed, all of a page in one module. A command that is expected to fail says so in its
comment. What can't be run here says why (`<!-- not run: why -->`); everything else fails.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic.alias_generators import to_camel
from tests.pages import ROOT, Block, blocks_of, commands, edited, execute, run

from metaglean import (
    Component,
    NameRules,
    Observer,
    Processor,
    Profiler,
    Ref,
    Run,
    Session,
    Sink,
    Source,
)
from metaglean.components import Change, Existing, Step
from metaglean.config.source import PORTING
from metaglean.http import Auth
from metaglean.names import Listed
from metaglean.options import SourceOptions
from metaglean.settings import Config
from metaglean_testkit import FaultProxy, SourceContract, SourceFaults

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

FOLDER = ROOT / "docs" / "authors"
PAGES = sorted(FOLDER.glob("*.md"))
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
MODULES = (
    "metaglean", "metaglean.http", "metaglean.records", "metaglean.errors", "metaglean.fqn",
    "metaglean.filters", "metaglean.clock", "metaglean_testkit", "metaglean_testkit.openmetadata",
)  # fmt: skip
BIN = Path(sys.executable).parent
# Commands that a walk through a page leaves out, and what runs them.
ELSEWHERE = {
    "python3 -m venv": "the test has an environment",
    ". venv/bin/activate": "the test has an environment",
    "pip install": "tools/check_install.py; the test puts the project where it is found",
    "../clean/bin/pip install": "the same",
    "export": "the walk sets what the fake API printed",
}
FAILS = re.compile(r"# fails\b")


class Walk:
    """Somebody who does what a page says, block by block, in a folder of their own."""

    def __init__(self, folder: Path, module: types.ModuleType) -> None:
        self.folder = folder
        self.site = folder / "site-packages"
        self.module = module
        path = os.environ["PATH"]
        self.environment = {**os.environ, "PATH": f"{BIN}:{path}", "NO_COLOR": "1"}
        self.server: subprocess.Popen[str] | None = None

    def block(self, block: Block) -> None:
        if block.excuse or block.language == "text":
            return
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            edits = block.edits and edited(path.read_text("utf-8"), block.text)
            path.write_text(edits or block.text, "utf-8")
            self.install()
        elif block.language == "python":
            execute(block, self.module)
        elif block.language == "sh":
            for line in commands(block):
                self.command(line, f"{block}: {line}")
        elif block.language == "toml":
            tomllib.loads(block.text)
        else:
            raise AssertionError(f"{block}: who runs this {block.language or 'plain'} block?")

    def command(self, line: str, where: str) -> None:
        plain = shlex.join(shlex.split(line, comments=True))
        if plain.startswith("cd "):
            self.folder /= plain.removeprefix("cd ")
            os.chdir(self.folder)
            self.install()
        elif plain == "python tests/fake_api.py":
            self.serve(plain)
        elif not any(plain.startswith(known) for known in ELSEWHERE):
            done = run(self.here(plain), self.folder, self.environment, timeout=300)
            failed = done.returncode != 0
            assert failed == bool(FAILS.search(line)), f"{where}\n{done.stdout}{done.stderr}"

    @staticmethod
    def here(line: str) -> str:
        """The same command with this very interpreter, and without a package index."""
        if line.split(maxsplit=1)[0] == "pytest":
            return f"{sys.executable} -m {line} -q -p no:cacheprovider"
        if line.startswith("python -m build"):
            return f"{sys.executable} {line.removeprefix('python ')} --no-isolation"
        return line.removeprefix("../clean/bin/")

    def install(self) -> None:
        """Make the project of the current folder one that is installed, as pip would."""
        path = self.folder / "pyproject.toml"
        if not path.exists():
            return
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        metadata = self.site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        metadata.mkdir(parents=True, exist_ok=True)
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (metadata / "METADATA").write_text(head)
        points = [
            line
            for group, entries in project["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        (metadata / "entry_points.txt").write_text("\n".join(points))
        source = self.folder / "src"
        found = source if source.exists() else self.folder
        self.environment["PYTHONPATH"] = f"{self.site}:{found}"

    def serve(self, line: str) -> None:
        """Start the fake API, and set the variables that it prints."""
        self.server = subprocess.Popen(
            [sys.executable, *shlex.split(line)[1:]], cwd=self.folder, env=self.environment,
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        printed = shlex.split(self.server.stdout.readline())
        assert printed[0] == "export", printed
        self.environment |= dict(word.split("=", 1) for word in printed[1:])

    def end(self) -> None:
        if self.server:
            self.server.communicate("\n", timeout=10)
        for value in vars(self.module).values():
            if isinstance(value, FaultProxy):  # one that is left running keeps pytest from ending
                value.stop()


@pytest.fixture
def walk(request, monkeypatch, tmp_path) -> Iterator[Walk]:
    module = types.ModuleType(f"page_{request.node.callspec.id}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    walking = Walk(tmp_path, module)
    yield walking
    walking.end()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_runs_from_top_to_bottom(page, walk):
    for block in blocks_of(page):
        walk.block(block)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "yaml"], ids=str)
def test_a_workflow_is_a_file_that_a_command_looks_at(block):
    assert block.file, f"{block}: name the file in the first line"
    assert "source" in yaml.safe_load(block.text)
    shell = [b.text for b in BLOCKS if b.page == block.page and b.language == "sh"]
    assert any(f"metaglean check -c {block.file}" in text for text in shell), block


@pytest.mark.parametrize(
    ("language", "text", "why"),
    [
        ("", "plain", "who runs this plain block"),
        ("json", "{}", "who runs this json block"),
        ("sh", "metaglean no-such-command", "metaglean no-such-command"),
        ("sh", "metaglean --version  # fails: not at all", "metaglean --version"),
        ("python", "assert 1 == 2, 3", "3"),
    ],
)
def test_a_block_that_does_not_work_fails(language, text, why, tmp_path):
    block = Block("docs/authors/none.md", 3, language, text + "\n", "", "", edits=False)
    with pytest.raises(AssertionError, match=re.escape(why)):
        Walk(tmp_path, types.ModuleType("none")).block(block)


def test_an_edit_replaces_what_has_its_name():
    before = "from a import b\nX = 1  # to do\n\n\nclass C:\n    def f(self):\n        pass\n"
    after = edited(
        before, "# in c.py\nfrom a import b, c\nX = 2\n\n    def f(self):\n        return X\n"
    )
    assert after == before.replace("import b", "import b, c").replace("1  # to do", "2").replace(
        "pass", "return X"
    )
    with pytest.raises(AssertionError, match="def g stands there 0 times"):
        edited(before, "def g():\n    pass\n")


def test_what_is_not_run_says_why():
    assert all(len(block.excuse.split()) > 2 for block in BLOCKS if block.excuse)
    assert sum(bool(block.excuse) for block in BLOCKS) <= 3


def test_the_page_that_messages_name_is_there():
    assert (ROOT / PORTING).is_file()


# -- the reference -----------------------------------------------------------------------------


def _key(module: str, name: str) -> tuple[str, str]:
    """A name of the core is one name, wherever it is imported from."""
    return ("metaglean" if module.split(".", maxsplit=1)[0] == "metaglean" else module, name)


def _used(page: Path) -> set[tuple[str, str]]:
    """The public names that a page's Python imports and uses."""
    blocks = [b for b in blocks_of(page) if b.language == "python" and not b.excuse]
    blocks = [block for block in blocks if not block.edits]
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block.text))]
    loaded = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    used, modules = set(), {}
    for node in nodes:
        if isinstance(node, ast.Import):
            modules |= {a.asname or a.name: a.name for a in node.names if a.name in MODULES}
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                if f"{node.module}.{alias.name}" in MODULES:
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                elif (alias.asname or alias.name) in loaded:
                    used.add(_key(node.module, alias.name))
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            used |= {_key(module, node.attr)} if module else set()
    return used


@pytest.fixture(scope="module")
def used() -> set[tuple[str, str]]:
    return {name for page in PAGES for name in _used(page)}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_example(module, used):
    names = importlib.import_module(module).__all__
    missing = [name for name in names if _key(module, name) not in used]
    assert not missing, f"no Python block of docs/authors uses {module}: {', '.join(missing)}"
    assert f"<!-- generated: names {module}" in (FOLDER / "reference.md").read_text("utf-8") or (
        module == "metaglean.errors"
    )


def _members(cls: type) -> set[str]:
    """Attributes, methods and fields; not the fixtures that a suite has for itself."""
    fields = cls._fields if issubclass(cls, tuple) else getattr(cls, "__annotations__", ())
    public = {name for name in {*vars(cls), *fields} if not name.startswith(("_", "test_"))}
    return public - {"model_config", "full", "stage"}


@pytest.mark.parametrize(
    "cls",
    [Component, Source, Processor, Profiler, Sink, Observer, SourceOptions, Config, Step, Change,
     Existing, Listed, Ref, NameRules, Auth, Session, SourceContract, SourceFaults],
    ids=lambda cls: cls.__name__,
)  # fmt: skip
def test_every_member_that_an_author_meets_is_named(cls):
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    text += (ROOT / "packages" / "testkit" / "README.md").read_text("utf-8")
    named = {word for span in re.findall(r"`[^`\n]+`", text) for word in re.findall(r"\w+", span)}
    named |= {word for block in BLOCKS for word in re.findall(r"\w+", block.text)}
    missing = sorted(name for name in _members(cls) - named if to_camel(name) not in named)
    assert not missing, f"docs/authors doesn't name {cls.__name__}.{', .'.join(missing)}"


def test_what_a_run_offers_is_what_the_page_says():
    """A name in the table of docs/authors/run.md is one that a run has."""
    page = (FOLDER / "run.md").read_text("utf-8")
    named = set(re.findall(r"`run\.(\w+)", page))
    assert {"listing", "map", "item", "session", "warn", "problem", "count", "standing"} <= named
    made = Run(Ref("databaseService", ("a",)))
    assert not [name for name in named if not hasattr(made, name)]
