"""The completion script for zsh."""

from __future__ import annotations

import re

from metaglean.cli.shells import TYPES
from metaglean.cli.tree import Argument, Command

HEAD = """\
#compdef metaglean
# zsh completion for metaglean, printed by `metaglean completion zsh`.

_metaglean_types() {{
  local -a found
  found=(${{(f)"$({types})"}})
  compadd -a found
}}
"""
LEAF = """
{name}() {{
  _arguments -s \\
{specs}
}}
"""
NODE = """
{name}() {{
  local curcontext="$curcontext" state line
  local -a below
  _arguments -C -s \\
{specs}
    '1: :->command' '*:: :->arguments'
  case $state in
    command)
      below=(
{commands}
      )
      _describe command below ;;
    arguments)
      case $line[1] in
{calls}
      esac ;;
  esac
}}
"""
FOOT = """
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _metaglean "$@"
else
  compdef _metaglean metaglean
fi
"""
ACTIONS = {"file": "_files", "folder": "_files -/", "type": "_metaglean_types"}


def script(tree: Command) -> str:
    """The whole script."""
    functions = [_function(command) for command in reversed(list(tree.walk()))]
    return HEAD.format(types=TYPES) + "".join(functions) + FOOT


def _function(command: Command) -> str:
    specs = [*map(_option, command.options)]
    if not command.commands:
        specs += [_place(argument, n) for n, argument in enumerate(command.places, 1)]
        return LEAF.format(name=_name(command), specs=_lines(specs).removesuffix(" \\"))
    named = [
        f"        {_quoted(_escaped(below.path[-1], ':') + ':' + _escaped(below.help, ':'))}"
        for below in command.commands
    ]
    calls = [f"        {below.path[-1]}) {_name(below)} ;;" for below in command.commands]
    return NODE.format(
        name=_name(command), specs=_lines(specs), commands="\n".join(named), calls="\n".join(calls)
    )


def _lines(specs: list[str]) -> str:
    return "\n".join(f"    {spec} \\" for spec in specs)


def _option(argument: Argument) -> str:
    help_ = f"[{_escaped(argument.help, '[]')}]"
    value = f":{_escaped(argument.value, ':')}:{_action(argument)}" if argument.value else ""
    flags = argument.flags
    long = [f"{flag}=" if value and flag.startswith("--") else flag for flag in flags]
    if len(flags) == 1:
        return _quoted(f"{long[0]}{help_}{value}")
    return f"'({' '.join(flags)})'{{{','.join(long)}}}{_quoted(help_ + value)}"


def _place(argument: Argument, number: int) -> str:
    where = "*" if argument.several else f"{number}:"
    return _quoted(f"{where}:{_escaped(argument.value, ':')}:{_action(argument)}")


def _action(argument: Argument) -> str:
    if argument.choices:
        return f"({' '.join(argument.choices)})"
    return ACTIONS.get(argument.takes, "()")  # a message alone would stand in the way of options


def _name(command: Command) -> str:
    return "_".join(("_metaglean", *(word.replace("-", "_") for word in command.path)))


def _escaped(text: str, characters: str) -> str:
    return re.sub(rf"([\\{re.escape(characters)}])", r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
