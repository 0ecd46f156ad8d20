"""Every command's help has an example, and every example works as it is printed."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests import help_examples

from metaglean.cli import main
from metaglean.cli.tree import command_tree
from metaglean_domo_sandbox import Sandbox
from metaglean_testkit.openmetadata import FakeServer

COMMANDS = {" ".join(("metaglean", *command.path)): command for command in command_tree().walk()}
EXAMPLES = sorted({line for command in COMMANDS.values() for line in command.examples})
VARIABLES = {
    "DOMO_API_HOST": "public_url",
    "DOMO_INSTANCE_DOMAIN": "instance_url",
    "DOMO_CLIENT_ID": "client_id",
    "DOMO_SECRET_TOKEN": "client_secret",
    "DOMO_ACCESS_TOKEN": "access_token",
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder with what the examples name, and the environment to run them in."""
    folder = tmp_path_factory.mktemp("examples")
    help_examples.write_files(folder)
    with Sandbox() as sandbox, FakeServer("1.2.0") as server, pytest.MonkeyPatch.context() as patch:
        facts = sandbox.connection()
        for name, key in VARIABLES.items():
            patch.setenv(name, str(facts[key]))
        patch.setenv("OM_HOST_PORT", server.url)
        patch.setenv("OM_BOT_TOKEN", server.token)
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patch.delenv("METAGLEAN_CATALOG", raising=False)
        for line in help_examples.MADE:
            run(line, folder)
        yield folder


def run(line: str, folder: Path) -> str:
    """What a line prints; one that is more than a single command goes through a shell."""
    words = shlex.split(line)
    if words[0] != "metaglean" or set(words) & {"|", "&&", ";", "<", ">>"} or "$(" in line:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line], cwd=folder, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    output, errors = io.StringIO(), io.StringIO()
    target = words.pop() if ">" in words[-2:-1] else None
    words = words[1:-1] if target else words[1:]
    with (
        in_folder(folder),  # contextlib.chdir is newer than Python 3.10
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        code = main(words)
    assert code == help_examples.CODES.get(line, 0), output.getvalue() + errors.getvalue()
    if target:
        (folder / target).write_text(output.getvalue(), "utf-8")
    return output.getvalue()


@contextlib.contextmanager
def in_folder(folder: Path):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_of_itself(name):
    examples = COMMANDS[name].examples
    assert any(line.startswith(f"{name} ") or line == name for line in examples), (
        f"`{name} --help` has no example: an epilog `examples:` with lines that begin with {name}"
    )


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_works(line, prepared, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(prepared, folder)
    run(line, folder)


def test_an_example_that_fails_is_noticed(prepared):
    with pytest.raises(AssertionError, match="no-such-file"):
        run("metaglean check -c no-such-file.yaml", prepared)
    with pytest.raises(AssertionError):
        run("metaglean check -c no-such-file.yaml | cat", prepared)
