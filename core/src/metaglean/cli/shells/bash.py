"""The completion script for bash; it needs bash 4 and no other package."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from metaglean.cli.shells import TYPES
from metaglean.cli.tree import Argument, Command

SCRIPT = """\
# bash completion for metaglean, printed by `metaglean completion bash`.

# Sets what stands at a command: its commands, its options, and what its places take.
_metaglean_at() {{
  commands="" options="" places=()
  case $1 in
{commands}
  esac
}}

# Sets what an option of a command takes: @file, @folder, @type, words, or @any; "" for a switch.
_metaglean_takes() {{
  case "$1 $2" in
{values}
    *) takes="" ;;
  esac
}}

_metaglean_offer() {{
  case $1 in
    @file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    @folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    @type) mapfile -t COMPREPLY < <(compgen -W "$({types})" -- "$2") ;;
    @any) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2") ;;
  esac
}}

_metaglean() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev="" path="metaglean" word takes="" place=0 i
  local commands options places
  COMPREPLY=()
  _metaglean_at "$path"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [[ $word == = ]]; then continue; fi # --option=value is three words here
    prev=$takes takes=""
    if [[ $prev ]]; then continue; fi # the value of an option
    case $word in
      -*) _metaglean_takes "$path" "$word" ;;
      *)
        if [[ " $commands " == *" $word "* ]]; then
          path+=" $word" place=0
          _metaglean_at "$path"
        else
          ((place++))
        fi
        ;;
    esac
  done
  if [[ $cur == = ]]; then cur=""; fi
  if [[ $takes ]]; then
    _metaglean_offer "$takes" "$cur"
  elif [[ $cur == -* ]]; then
    _metaglean_offer "$options" "$cur"
  elif [[ $commands ]]; then
    _metaglean_offer "$commands" "$cur"
  elif ((${{#places[@]}})); then
    if ((place >= ${{#places[@]}})); then
      if [[ ${{places[-1]}} != *... ]]; then return; fi
      place=-1
    fi
    _metaglean_offer "${{places[place]%...}}" "$cur"
  fi
}}

complete -F _metaglean metaglean
"""


def script(tree: Command) -> str:
    """The whole script."""
    commands = [_at(command) for command in tree.walk()]
    values = [
        f"    {_either(command, argument.flags)}) takes={shlex.quote(_takes(argument))} ;;"
        for command in tree.walk()
        for argument in command.options
        if argument.value
    ]
    return SCRIPT.format(commands="\n".join(commands), values="\n".join(values), types=TYPES)


def _at(command: Command) -> str:
    names = shlex.quote(" ".join(below.path[-1] for below in command.commands))
    flags = " ".join(flag for argument in command.options for flag in argument.flags)
    takes = (_takes(place) + ("..." if place.several else "") for place in command.places)
    places = " ".join(map(shlex.quote, takes))
    at = shlex.quote(_name(command))
    return f"    {at}) commands={names} options={shlex.quote(flags)} places=({places}) ;;"


def _either(command: Command, flags: Iterable[str]) -> str:
    return " | ".join(shlex.quote(f"{_name(command)} {f}") for f in flags)


def _name(command: Command) -> str:
    return " ".join(("metaglean", *command.path))


def _takes(argument: Argument) -> str:
    if argument.takes == "choices":
        return " ".join(argument.choices)
    return f"@{argument.takes or 'any'}"
