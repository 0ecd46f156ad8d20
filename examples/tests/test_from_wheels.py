"""The examples, and what `metaglean new` makes, as a third party ships them: from wheels, in an
environment of their own."""

from __future__ import annotations

import difflib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metaglean_testkit import FaultProxy

pytestmark = [pytest.mark.wheel, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[1]
ROOT = EXAMPLES.parent
PLUGINS = sorted(path.parent for path in EXAMPLES.glob("*/pyproject.toml"))
DISTRIBUTIONS = [ROOT / "core", ROOT / "packages" / "testkit", *PLUGINS]
WORKFLOW = """\
source:
  type: bookshelf
  serviceName: shelves
  serviceConnection:
    config:
      hostPort: ${BOOKSHELF_URL}
      token: ${BOOKSHELF_TOKEN}
sink:
  type: catalog
  config:
    path: shelves.db
"""

KINDS = ("connector", "processor", "sink", "profiler")
MOST_CHANGED_LINES = 60


def load(path):
    """A module by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The directory of the programs of a new environment with the wheels in it."""
    folder = tmp_path_factory.mktemp("wheels")
    wheels = built(folder / "dist", *DISTRIBUTIONS)
    run(sys.executable, "-I", "-m", "venv", folder / "venv")
    programs = folder / "venv" / "bin"
    install(programs, *wheels)
    return programs


def built(dist, *folders):
    """The wheels of these distributions, made with what this environment has, if it can."""
    pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    run(*pip, "wheel", "--no-deps", *isolation, "--wheel-dir", dist, *folders)
    wheels = sorted(dist.glob("*.whl"))
    assert len(wheels) == len(folders)
    return wheels


def install(programs, *arguments):
    pip = [programs / "python", "-I", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "install", *arguments)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_passes_its_own_tests(environment, plugin, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-c", "pytest.ini", "-p", "no:cacheprovider", "--import-mode=importlib"]
    tests = plugin / "tests"
    out = run(environment / "python", "-I", "-m", "pytest", *options, tests, cwd=tmp_path)
    assert " passed" in out
    assert "skipped" not in out


def test_the_tables_land_in_the_catalog(environment, tmp_path):
    module = load(EXAMPLES / "source-bookshelf" / "tests" / "conftest.py")
    api = module.BookshelfApi()
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    metaglean = environment / "metaglean"
    with FaultProxy(api) as server:
        env = {**os.environ, "BOOKSHELF_URL": server.url, "BOOKSHELF_TOKEN": api.token}
        here = {"cwd": tmp_path, "env": env}
        run(metaglean, "test-connection", "-c", "workflow.yaml", **here)
        run(metaglean, "ingest", "-c", "workflow.yaml", "--report", "report.json", **here)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["counts"]["sink"]["table"] == {"created": 12}
    listed = run(metaglean, "catalog", "ls", "-f", "shelves.db", "shelves.default.default", **here)
    for title in module.TITLES:
        assert title in listed
    assert api.token not in listed + json.dumps(report)
    assert api.token.encode() not in (tmp_path / "shelves.db").read_bytes()


@pytest.fixture(scope="module")
def made(environment, tmp_path_factory):
    """A new plugin of each kind, made by the wheel's command, filled in and installed from its own
    wheel: kind → (folder, number of lines that filling it in changed)."""
    home = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        run(environment / "metaglean", "new", kind, "harbor", "--output", kind, cwd=home)
    fills = load(Path(__file__).with_name("fills.py"))
    changed = {kind: fill(home / kind, getattr(fills, kind.upper())) for kind in KINDS}
    wheels = built(home / "dist", *(home / kind for kind in KINDS))
    install(environment, "--no-index", "--no-deps", *wheels)
    return {kind: (home / kind, changed[kind]) for kind in KINDS}


def fill(folder, fills):
    """Put each text in the place of the one line that has the other; returns how many lines were
    taken and added, as `git diff --stat` counts them."""
    changed = 0
    for path, lines in fills.items():
        before = (folder / path).read_text("utf-8")
        after = before
        for part, text in lines.items():
            (found,) = (line for line in after.splitlines() if part in line)
            after = after.replace(f"{found}\n", f"{text}\n")
        difference = difflib.ndiff(before.splitlines(), after.splitlines())
        changed += sum(line.startswith(("+ ", "- ")) for line in difference)
        (folder / path).write_text(after, "utf-8")
    return changed


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_suites_once_it_is_filled_in(made, environment, kind):
    folder, changed = made[kind]
    assert changed <= MOST_CHANGED_LINES
    left = [path for path in folder.rglob("*.py") if "TODO" in path.read_text("utf-8")]
    assert left == []
    out = run(environment / "python", "-I", "-m", "pytest", "-q", cwd=folder)
    assert " passed" in out
    assert ("1 skipped" in out) == (kind == "connector"), "only what was never recorded"


def test_a_new_connector_lands_in_the_catalog(made, environment):
    """With the workflow, and the fake API, that it brings; and its cassette is recorded from it."""
    folder, _ = made["connector"]
    python = [environment / "python", "-I"]
    served = subprocess.Popen(
        [*python, "tests/fake_api.py"],
        cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with served:
        exports = served.stdout.readline().removeprefix("export ").split()
        env = {**os.environ, **dict(word.split("=", 1) for word in exports)}
        here = {"cwd": folder, "env": env}
        metaglean = environment / "metaglean"
        run(metaglean, "test-connection", "-c", "workflow.yaml", **here)
        run(metaglean, "ingest", "-c", "workflow.yaml", **here)
        recording = ["-m", "pytest", "-q", "tests/test_cassette.py"]
        run(*python, *recording, "--metaglean-record", **here)
        served.stdin.close()
    assert "Customers" in run(metaglean, "catalog", "ls", "harbor.default.default", cwd=folder)
    assert "1 passed" in run(*python, *recording, cwd=folder)
    (cassette,) = folder.rglob("cassettes/**/*.yaml")
    assert env["HARBOR_TOKEN"] not in cassette.read_text("utf-8")
