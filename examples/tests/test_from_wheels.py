"""The examples as a third party ships them: from wheels, in an environment of their own."""

from __future__ import annotations

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
    pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    run(*pip, "wheel", "--no-deps", *isolation, "--wheel-dir", folder / "dist", *DISTRIBUTIONS)
    wheels = sorted((folder / "dist").glob("*.whl"))
    assert len(wheels) == len(DISTRIBUTIONS)
    run(sys.executable, "-I", "-m", "venv", folder / "venv")
    programs = folder / "venv" / "bin"
    run(programs / "python", "-I", "-m", "pip", "--disable-pip-version-check", "--quiet",
        "install", *wheels)  # fmt: skip
    return programs


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_passes_its_own_tests(environment, plugin, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-c", "pytest.ini", "-p", "no:cacheprovider", "--import-mode=importlib"]
    tests = plugin / "tests"
    out = run(environment / "python", "-I", "-m", "pytest", *options, tests, cwd=tmp_path)
    assert " passed" in out
    assert "skipped" not in out


def test_the_tables_land_in_the_catalog(environment, tmp_path):
    path = EXAMPLES / "source-bookshelf" / "tests" / "conftest.py"
    spec = importlib.util.spec_from_file_location("bookshelf_conftest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
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
