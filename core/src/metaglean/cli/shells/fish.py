"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator

from metaglean.cli.shells import TYPES
from metaglean.cli.tree import Argument, Command

HEAD = """\
# fish completion for metaglean, printed by `metaglean completion fish`.

function __metaglean_at
    # Whether the words before the cursor call this command, and no other.
    set -l known {known}
    set -l path metaglean
    for word in (commandline -opc)[2..-1]
        if contains -- "$path $word" $known
            set path "$path $word"
        end
    end
    test "$path" = "$argv"
end

function __metaglean_types
    {types}
end

complete -c metaglean -f
"""


def script(tree: Command) -> str:
    """The whole script."""
    known = " ".join(_quoted(_name(command)) for command in tree.walk() if command.path)
    lines = [line for command in tree.walk() for line in _command(command)]
    return HEAD.format(known=known, types=TYPES) + "\n".join(lines) + "\n"


def _command(command: Command) -> Iterator[str]:
    at = f"complete -c metaglean -n {_quoted(f'__metaglean_at {_name(command)}')}"
    for below in command.commands:
        yield f"{at} -a {_quoted(below.path[-1])} -d {_quoted(below.help)}"
    for argument in command.options:
        flags = " ".join(
            f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
            for flag in argument.flags
        )
        yield f"{at} {flags}{_value(argument)} -d {_quoted(argument.help)}"
    for argument in command.places:
        if argument.takes:
            yield f"{at}{_offered(argument)}"


def _value(argument: Argument) -> str:
    return f" -r{_offered(argument)}" if argument.value else ""


def _offered(argument: Argument) -> str:
    if argument.takes == "choices":
        return f" -a {_quoted(' '.join(argument.choices))}"
    if argument.takes == "type":
        return " -a '(__metaglean_types)'"
    folders = " -a '(__fish_complete_directories)'"
    return {"file": " -F", "folder": folders}.get(argument.takes, "")


def _name(command: Command) -> str:
    return " ".join(("metaglean", *command.path))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
