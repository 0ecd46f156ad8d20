"""What the pages say is run: commands, complete workflows. test_authors.py does docs/authors."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pages import ROOT, blocks_of, run

from metaglean_domo_sandbox import Sandbox
from metaglean_testkit.openmetadata import FakeServer

PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/*.md",
        "core/*.md",
        "plugins/*/*.md",
        "packages/*/*.md",
        "examples/*/*.md",
    )
    for path in ROOT.glob(pattern)
)
BIN = Path(sys.executable).parent
VARIABLES = {
    "DOMO_API_HOST": "public_url",
    "DOMO_INSTANCE_DOMAIN": "instance_url",
    "DOMO_CLIENT_ID": "client_id",
    "DOMO_SECRET_TOKEN": "client_secret",
    "DOMO_ACCESS_TOKEN": "access_token",
}
# Commands that are not run here, and what runs them.
ELSEWHERE = {
    "make": "the Makefile is what .ci/run and the demo's test go through",
    "pip": "tools/check_install.py and tox install",
    "bash": ".ci/run",
    "export": "a variable, which the test sets",
    ".": "variables, which the test sets",
    "sleep": "until the sandbox is there; the fixture waits",
    "python3": "tox and .ci/run make environments",
}


def blocks(language: str) -> list[tuple[str, str]]:
    """All fenced blocks of one language as (page, text)."""
    return [
        (block.page, block.text)
        for page in PAGES
        for block in blocks_of(page)
        if block.language == language
    ]


def commands() -> list[tuple[str, str]]:
    lines = [(page, line) for page, text in blocks("sh") for line in text.splitlines()]
    return [(page, line) for page, line in lines if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which the README's workflow stands, and one run was made."""
    path = tmp_path_factory.mktemp("docs")
    (path / "examples").symlink_to(ROOT / "examples")
    texts = [text for page, text in blocks("yaml") if page == "README.md"]
    (path / "workflow.yaml").write_text(texts[0], "utf-8")
    server = next(text for text in texts if text.startswith("# server.yaml"))
    (path / "server.yaml").write_text(server, "utf-8")
    return path


@pytest.fixture(scope="module")
def environment(folder: Path):
    with Sandbox() as sandbox, FakeServer("1.2.0") as server:
        facts = sandbox.connection()
        variables = {name: str(facts[key]) for name, key in VARIABLES.items()}
        variables |= {"OM_HOST_PORT": server.url, "OM_BOT_TOKEN": server.token}
        made = {**os.environ, **variables, "PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"}
        run("metaglean ingest -c workflow.yaml", folder, made)
        text = (folder / "server.yaml").read_text("utf-8")
        (folder / "away.yaml").write_text(f"{text}limits:\n  spool: spool.jsonl\n", "utf-8")
        spooled = run("metaglean ingest -c away.yaml", folder, {**made, "OM_BOT_TOKEN": "refused"})
        assert spooled.returncode == 1, spooled.stderr
        yield made


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_of_the_docs_works(page, line, folder, environment):
    program = shlex.split(line, comments=True)[0]
    if program in ELSEWHERE:
        return
    assert program in {"metaglean", "metaglean-domo-sandbox"}, (
        f"{page} names {program}: who runs it?"
    )
    if program == "metaglean-domo-sandbox" and "--help" not in line:
        return  # it serves until it is stopped; the fixture is one
    done = run(line, folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr


COMPLETE = [
    (page, text)
    for page, text in blocks("yaml")
    if "serviceConnection" in text and "{...}" not in text
]


@pytest.mark.parametrize(("page", "text"), COMPLETE)
def test_every_complete_workflow_of_the_docs_is_valid(page, text, tmp_path, environment):
    (tmp_path / "workflow.yaml").write_text(text, "utf-8")
    done = run("metaglean check -c workflow.yaml", tmp_path, environment)
    assert done.returncode == 0, f"{page}:\n{done.stdout}{done.stderr}"


def test_the_readmes_recipe_runs(folder, environment):
    recipes = [text for page, text in blocks("python") if page == "README.md"]
    assert any("raise_from_status" in text for text in recipes)
    for text in recipes:
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=folder, env=environment, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, text + done.stdout + done.stderr
