"""What `metaglean new` makes, before it is filled in: clean, and its tests say what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from metaglean.cli import main
from metaglean.scaffold import KINDS, LONGEST_NAME, LONGEST_TITLE

NAMES = {
    "hello": "Hello",
    "a": "A",
    "-".join("x" * (LONGEST_NAME // 2)) + "x": "W" * LONGEST_TITLE,
}
FIRST = {
    "connector": ["TODO fake_api.py: one table"],
    "processor": ["TODO convert.py: what becomes of a table"],
    "sink": ["TODO api.py: whether the target can be written", "TODO test_contract.py: what"],
    "profiler": ["TODO api.py: list the tables", "TODO convert.py: the number of rows"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with all kinds under short and long names: NAME/KIND."""
    home = tmp_path_factory.mktemp("new")
    for name, title in NAMES.items():
        for kind in KINDS:
            words = ["new", kind, name, "--title", title, "--output", str(home / name / kind)]
            assert main(words) == 0
    return home


def run(*command, cwd, path=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "COLUMNS": "120"}
    environment.pop("CI", None)
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        capture_output=True, text=True, check=False, cwd=cwd, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("command", [["check", "--no-cache"], ["format", "--check", "--no-cache"]])
def test_it_is_clean_under_its_own_rules(made, command):
    done = run("ruff", *command, ".", cwd=made)
    assert done.returncode == 0, done.stdout


def test_it_is_typed_strictly(made):
    sources = [made / "hello" / kind / "src" for kind in KINDS]
    rules = made / "hello" / "connector" / "pyproject.toml"
    done = run("mypy", "--config-file", rules, "--cache-dir", made / "cache", *sources, cwd=made)
    assert done.returncode == 0, done.stdout


def test_it_imports_public_modules_alone(made):
    """What a third party may import (docs/authors/reference.md)."""
    found = set()
    for path in (made / "hello").rglob("*.py"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r"(?m)^ *(?:from|import) (metaglean[\w.]*)", text))
    packages = {f"metaglean_hello{end}" for end in ("", "_processor", "_sink", "_profiler")}
    foreign = {name for name in found if name.partition(".")[0] not in packages}
    assert foreign == {"metaglean", "metaglean.http", "metaglean.records", "metaglean_testkit"}


@pytest.mark.parametrize("kind", KINDS)
def test_its_tests_say_what_is_to_be_filled_in(made, kind):
    paths = [made / "hello" / each / "src" for each in (kind, "connector")]
    done = run("pytest", "-q", "-p", "no:cacheprovider", cwd=made / "hello" / kind, path=paths)
    assert done.returncode == 1, done.stdout
    _, _, said = done.stdout.rpartition(" to do ")
    lines = said.splitlines()[1:-1]
    assert len(lines) == len(FIRST[kind]), done.stdout
    for line, first in zip(sorted(lines), FIRST[kind], strict=True):
        assert re.fullmatch(re.escape(first) + r".*: \d+ failed", line)


def test_every_thing_to_do_names_its_file(made):
    for path in Path(made / "hello").rglob("*.py"):
        for text in re.findall(r"TODO[^\n]*", path.read_text("utf-8")):
            assert text.startswith(f"TODO {path.name}: "), f"{path}: {text}"
