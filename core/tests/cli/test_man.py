"""The manual page: what the programs that read such pages say to it, and that all is in it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from metaglean.cli import main
from metaglean.cli.manual import page
from metaglean.cli.tree import Argument, Command, command_tree


@pytest.fixture(scope="module")
def tree():
    return command_tree()


@pytest.fixture
def file(tmp_path, tree):
    path = tmp_path / "metaglean.1"
    path.write_text(page(tree, "1.2.3", "2024-05-06"), "utf-8")
    return path


def plain(text):
    return re.sub(r"\s+", " ", re.sub(r"\\f.|\\&", "", text).replace("\\-", "-"))


def test_every_command_and_option_is_in_it(tree, file):
    text = plain(file.read_text("utf-8"))
    for command in tree.walk():
        assert " ".join(("metaglean", *command.path)) in text
        for option in command.options:
            assert all(flag in text for flag in option.flags)
        for example in command.examples:
            assert re.sub(r"\s+", " ", example) in text


READERS = {
    "mandoc": ["mandoc", "-T", "lint", "-W", "warning"],
    "groff": ["groff", "-man", "-ww", "-Tutf8", "-rLL=100n"],
    "man": ["man", "--warnings", "--encoding=UTF-8", "--local-file"],
}


@pytest.mark.parametrize("reader", [name for name in READERS if shutil.which(name)])
def test_readers_of_manuals_have_nothing_to_say(reader, file):
    command = [*READERS[reader], str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout if reader == "mandoc" else ""  # it complains there
    assert not shown


def test_text_is_no_markup():
    option = Argument(("-x",), "A", ".sp is 'quoted' \\fB and ends in \\")
    command = Command(("x",), "", ".TH\n'br", "examples:\n  .so /etc/passwd\n", "", (option,))
    made = page(Command((), "", "", "", "", commands=(command,)), "1", "")
    body = made.partition(".SS")[2].partition(".SH")[0]
    assert "\n.TH" not in body
    assert "\n'br" not in body
    assert "\n.so" not in body
    assert "\\efB and ends in \\e\n" in body


def test_the_command_prints_it(capsys):
    assert main(["man"]) == 0
    assert capsys.readouterr().out.startswith('.\\" Printed by')


def test_other_letters_are_escapes():
    command = Command(("x",), "", "→ é", "", "")
    assert r"\[u2192] \[u00E9]" in page(Command((), "", "", "", "", commands=(command,)), "1", "")
