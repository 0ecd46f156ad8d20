"""`metaglean check --fix`: show the difference, ask, write."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from metaglean.cli.saving import replace_content
from metaglean.config.document import is_json, read_text
from metaglean.config.fixing import Fixed, Fixer
from metaglean.config.interpolation import unset_variables
from metaglean.config.masking import masked_lines
from metaglean.config.model import Components
from metaglean.config.parse import Reading
from metaglean.config.problems import dotted
from metaglean.errors import ConfigError
from metaglean.text import printable, write_line

_BOM = "\ufeff".encode()
_COLORS = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}
_RESET = "\x1b[0m"


class Options(NamedTuple):
    """What `--fix` was asked for; `yes` writes without a question."""

    anchor: bool = False
    header: str = ""
    yes: bool = False


class Outcome(NamedTuple):
    """The file as it stands now, and whether there is a change that was not written."""

    reading: Reading
    left: bool = False


def fix_file(path: Path, registry: Components, options: Options, *, alone: bool) -> Outcome:
    """Show what would be changed in one file, and write it where that is wanted.

    One of several (not `alone`) says nothing where nothing is to fix, and JSON gets no header.
    Raises ConfigError for a file that can't be read or written, or is neither YAML nor JSON.
    """
    json = is_json(path)
    if options.header and json and alone:
        raise ConfigError(
            f"{path}: JSON has no comments, so it can't name its schema in one",
            "Leave out --schema-header, and tell your editor which schema it is.",
        )
    text = read_text(path)
    fixer = Fixer(str(path), registry, os.environ, is_json=json)
    fixed = fixer.fix(text, anchor=options.anchor, header="" if json else options.header)
    if alone and not fixed.changed:
        write_line(f"{path}: nothing to fix", sys.stdout)
    for line in _difference(path, fixed, is_json=json):
        _write_colored(line, sys.stdout)
    _tell(fixed, anchor=options.anchor)
    if not fixed.changed:
        return Outcome(fixed.after)
    if not _wanted(path, options):
        return Outcome(fixed.before, left=True)
    encoded = text.encode()
    start = _BOM if path.read_bytes().startswith(_BOM) else b""
    replace_content(path, start + encoded, start + fixed.new.encode())
    write_line(f"{path}: written", sys.stdout)
    return Outcome(fixed.after)


def _difference(path: Path, fixed: Fixed, *, is_json: bool) -> Iterator[str]:
    old = masked_lines(fixed.before, fixed.old, is_json=is_json)
    new = masked_lines(fixed.after, fixed.new, is_json=is_json)
    if old[-1] == new[-1] == "":
        old, new = old[:-1], new[:-1]  # what follows the last line end is no line
    return difflib.unified_diff(old, new, str(path), f"{path} (fixed)", lineterm="")


def _write_colored(line: str, stream: TextIO) -> None:
    color = _COLORS.get(line[:1], "")
    if color and stream.isatty() and not os.environ.get("NO_COLOR"):
        stream.write(f"{color}{printable(line, stream)}{_RESET}\n")
    else:
        write_line(line, stream)


def _tell(fixed: Fixed, *, anchor: bool) -> None:
    for line in fixed.by_hand:
        write_line(f"  not fixed: {line}", sys.stdout)
    reading = fixed.before
    for path in unset_variables(reading.document.data, os.environ):
        where = f"{reading.document.where(path)}  {dotted(path)}"
        what = "looks like a variable, but none of that name is set; it stays as it is"
        write_line(f"  note: {where}: {what}", sys.stdout)
    for path, name in reading.problems.loose_patterns.items() if not anchor else ():
        where = reading.document.where(path)
        also = f"{name} also matches {name}_old"
        write_line(f"  suggestion: {where}  {also}; --anchor writes {name}$", sys.stdout)


def _wanted(path: Path, options: Options) -> bool:
    if options.yes:
        return True
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        write_line(f"{path}: not written; --yes writes it", sys.stdout)
        return False
    try:
        answer = input("Write it? [y/N] ")
    except EOFError:
        answer = ""
    wanted = answer.strip().lower() in {"y", "yes"}
    if not wanted:
        write_line(f"{path}: not written", sys.stdout)
    return wanted
