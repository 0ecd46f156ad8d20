"""Shell completion, in the shells themselves; those that are not installed are left out."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from importlib import import_module

import pytest

from metaglean.cli import COMMANDS, main
from metaglean.cli.completion import SHELLS
from metaglean.cli.tree import command_tree

FAKE = """\
#!/bin/sh
echo "$*" >> "$(dirname "$0")/called"
printf '[\\n  {\\n    "kind": "source",\\n    "type": "bookshelf",\\n    "x": ""\\n  },\\n'
printf '  {\\n    "kind": "sink",\\n    "type": "folder",\\n    "x": ""\\n  }\\n]\\n'
"""
INSTALLED = [name for name in SHELLS if shutil.which(name)]


@pytest.fixture(scope="module")
def tree():
    return command_tree()


@pytest.fixture
def home(tmp_path, tree):
    """A folder with a stand-in `metaglean` that writes down its calls, and some files."""
    fake = tmp_path / "bin" / "metaglean"
    fake.parent.mkdir()
    fake.write_text(FAKE)
    fake.chmod(0o755)
    for name in SHELLS:
        text = import_module(f"metaglean.cli.shells.{name}").script(tree)
        (tmp_path / f"script.{name}").write_text(text)
    (tmp_path / "my workflow.yaml").touch()
    (tmp_path / "sub").mkdir()
    return tmp_path


def environment(home):
    return {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb",
        "LANG": "C.UTF-8",
    }  # fmt: skip


def shell(home, *command):
    done = subprocess.run(
        command, cwd=home, env=environment(home), capture_output=True, text=True, timeout=30,
        check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def in_bash(home, *words):
    listed = " ".join(f"'{word}'" for word in words)
    return shell(
        home, "bash", "--norc", "-c",
        f"source script.bash; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _metaglean; "
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )  # fmt: skip


def in_fish(home, *words):
    line = " ".join(words)
    found = shell(home, "fish", "--no-config", "-c", f'source script.fish; complete -C "{line}"')
    return [one.partition("\t")[0] for one in found]


ASK = {"bash": in_bash, "fish": in_fish}


@pytest.mark.parametrize("name", [name for name in INSTALLED if name in ASK])
def test_what_is_offered(home, name):
    def ask(*words):
        return {word for word in ASK[name](home, "metaglean", *words) if word}

    assert ask("") >= set(COMMANDS)
    assert ask("che") == {"check"}
    assert ask("check", "--c") == {"--config"}
    assert ask("catalog", "") >= {"ls", "show"}
    assert ask("catalog", "ls", "--kind", "dash") == {"dashboard", "dashboardService"}
    assert ask("completion", "z") == {"zsh"}
    assert not (home / "bin" / "called").exists(), "completing started Python"
    assert ask("schema", "boo") == {"bookshelf"}
    assert (home / "bin" / "called").read_text() == "plugins --json\n"


def test_bash_knows_where_it_is(home):
    assert in_bash(home, "metaglean", "ingest", "-c", "my") == ["my workflow.yaml"]
    assert in_bash(home, "metaglean", "ingest", "--config", "=", "my") == ["my workflow.yaml"]
    # The value of an option is no command, and no place.
    assert in_bash(home, "metaglean", "catalog", "ls", "-f", "show", "--del") == ["--deleted"]
    assert in_bash(home, "metaglean", "plugins", "--kind", "sink", "sh") == ["show"]
    assert in_bash(home, "metaglean", "plugins", "show", "f") == ["folder"]
    assert in_bash(home, "metaglean", "ingest", "--limit", "") == [""]
    assert in_bash(home, "metaglean", "check", "extra", "my") == ["my workflow.yaml"]
    assert in_bash(home, "metaglean", "ingest", "extra", "") == [""]


START = {
    "bash": (["bash", "--norc", "-i"], "source script.bash\n"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u; source script.zsh\n"),
}
TYPED = [
    ("metaglean test-c\t", "test-connection "),
    ("metaglean catalog ls --del\t", "catalog ls --deleted "),
    ("metaglean check -c my\t", "check -c my\\ workflow.yaml"),
    ("metaglean schema boo\t", "schema bookshelf "),
]


@pytest.mark.parametrize("name", [name for name in INSTALLED if name in START])
def test_the_tab_key(home, name):
    command, setup = START[name]
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        command, cwd=home, env=environment(home), stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(terminal)
        try:
            os.write(screen, f"{setup}echo rea''dy\n".encode())
            assert "ready" in read_until(screen, "ready\r\n")
            for typed, wanted in TYPED:
                os.write(screen, typed.encode())
                assert wanted in read_until(screen, wanted)
                os.write(screen, b"\x15")  # Ctrl-U: the line is done
        finally:
            process.kill()
            os.close(screen)


def read_until(screen, text, seconds=15.0):
    shown, deadline = "", time.monotonic() + seconds
    while text not in shown and time.monotonic() < deadline:
        if select.select([screen], [], [], 0.1)[0]:
            shown += os.read(screen, 4096).decode(errors="replace")
            shown = shown.replace("\x08", "").replace("\x07", "")
    return shown


@pytest.mark.parametrize("name", INSTALLED)
def test_the_script_is_well_formed(home, name):
    subprocess.run([name, "-n", str(home / f"script.{name}")], check=True, timeout=30)


@pytest.mark.parametrize("name", SHELLS)
def test_the_command_prints_it(name, capsys, tree):
    assert main(["completion", name]) == 0
    assert capsys.readouterr().out == import_module(f"metaglean.cli.shells.{name}").script(tree)


def test_the_tree_is_what_argparse_has(tree):
    assert {command.path[0] for command in tree.commands} == set(COMMANDS)
    ingest = next(command for command in tree.commands if command.path == ("ingest",))
    config = next(option for option in ingest.options if "-c" in option.flags)
    assert (config.flags, config.value, config.takes) == (("-c", "--config"), "FILE", "file")
    assert all(option.help for command in tree.walk() for option in command.options)
