"""The command line as data: what shell completion and the manual page are made from."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from metaglean.cli import COMMANDS, make_parser

FILES = frozenset({"FILE", "SPOOL", "PATH"})
FOLDERS = frozenset({"DIR", "DIRECTORY", "FOLDER"})
TYPES = frozenset({"TYPE"})


@dataclass(frozen=True)
class Argument:
    """One option (with `flags`) or one place (without).

    `value` is the word for its value in the help, empty for a switch; `takes` what may be written
    there: `choices`, `file`, `folder`, `type` (a plugin's), or nothing that is known.
    """

    flags: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...] = ()
    several: bool = False

    @property
    def takes(self) -> str:
        if self.choices:
            return "choices"
        kinds = (("file", FILES), ("folder", FOLDERS), ("type", TYPES))
        words = {self.value, self.value.rpartition("_")[2]}
        return next((kind for kind, metavars in kinds if words & metavars), "")


@dataclass(frozen=True)
class Command:
    """One command: `path` are the words that call it, `usage` its first line of help."""

    path: tuple[str, ...]
    help: str
    description: str
    epilog: str
    usage: str
    options: tuple[Argument, ...] = ()
    places: tuple[Argument, ...] = ()
    commands: tuple[Command, ...] = field(default=())

    def walk(self) -> Iterator[Command]:
        """Itself, then all commands below it."""
        yield self
        for command in self.commands:
            yield from command.walk()

    @property
    def examples(self) -> list[str]:
        """The lines of its epilog's examples, without the words that explain them."""
        lines = self.epilog.splitlines()
        found = []
        for line in lines[lines.index("examples:") + 1 :] if "examples:" in lines else ():
            if not line.startswith("  "):
                break
            found.append(line.strip().partition("  ")[0])
        return found


def command_tree() -> Command:
    """Every command with its options; imports all of them."""
    return _command(make_parser(*COMMANDS), (), "")


def _command(parser: argparse.ArgumentParser, path: tuple[str, ...], text: str) -> Command:
    arguments: list[Argument] = []
    commands: list[Command] = []
    # argparse has no public way to look at what was added to a parser.
    for action in vars(parser)["_actions"]:
        if isinstance(action.choices, Mapping):
            helps = {entry.dest: entry.help or "" for entry in vars(action)["_choices_actions"]}
            for name, below in action.choices.items():
                commands.append(_command(below, (*path, name), helps.get(name, "")))
        elif action.help != argparse.SUPPRESS:
            arguments.append(_argument(action))
    return Command(
        path,
        text,
        inspect.cleandoc(parser.description or ""),
        parser.epilog or "",
        " ".join(parser.format_usage().split()).removeprefix("usage: "),
        tuple(argument for argument in arguments if argument.flags),
        tuple(argument for argument in arguments if not argument.flags),
        tuple(commands),
    )


def _argument(action: Any) -> Argument:
    takes_value = action.nargs != 0
    value = (action.metavar or action.dest.upper()) if takes_value else ""
    return Argument(
        tuple(action.option_strings),
        value if isinstance(value, str) else " ".join(value),
        (action.help or "").replace("%%", "%"),
        tuple(map(str, action.choices or ())),
        action.nargs in {"*", "+"},
    )
