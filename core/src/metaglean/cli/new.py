"""`metaglean new`: a new plugin of one kind, as a complete distribution."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from metaglean.errors import ConfigError
from metaglean.plugins import Registry
from metaglean.scaffold import KINDS, Plugin, plugin, render
from metaglean.text import write_line

DESCRIPTION = """\
Make a new plugin: a distribution that installs as it is, with contract tests that say what is to
be filled in until it is. NAME is the `type` that workflows name. Nothing is overwritten.
"""
EPILOG = """\
examples:
  metaglean new connector hello
  metaglean new connector hello --title "Hello World" --output plugins/hello
  metaglean new processor mask
  metaglean new sink archive
  metaglean new profiler hello          # for the tables of the source `hello`

exit codes: 0, or 2 where a name doesn't do or a file is there already
"""
NEXT = """\
next:
  cd {folder}
  python3 -m venv .venv && . .venv/bin/activate
  pip install --editable ".[dev]"
  grep -rn TODO --exclude-dir=.venv .   # what is to be filled in
  pytest                                # says the next of it, and is green in the end

Where Metaglean is in no package index of yours: `make dist` in a checkout of it, and before pip
  export PIP_FIND_LINKS=/path/to/metaglean/dist"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("name", metavar="NAME", help="its type, such as `hello` or `my-api`")
    parser.add_argument("--title", help="its name for people; default: NAME with capitals")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="the folder to fill; default: its distribution"
    )


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError (exit code 2) for a name that doesn't do, and for files in the way;
    PluginError for a profiler whose source can't be imported."""
    made = plugin(args.kind, args.name, args.title)
    registry = Registry()
    _refuse_taken(registry, made)
    core = _least(metadata.version("metaglean-core"))
    words = {"core": core, "requires": f'"metaglean-core>={core}"'}
    if made.kind == "profiler":
        words |= _source_words(registry, made, words["requires"])
    folder: Path = args.output or Path(made.distribution)
    texts = render(made, **words)
    _write(folder, texts)
    _say(made, folder, texts)
    return 0


def _least(version: str) -> str:
    """The version that a plugin made today asks for: `0.1` of 0.1.2."""
    return ".".join(version.split(".")[:2])


def _refuse_taken(registry: Registry, made: Plugin) -> None:
    for info in registry.listed():
        same = (info.kind, info.type) == (made.registers, made.type)
        if same and info.distribution != made.distribution:
            raise ConfigError(
                f"the {info.kind} {made.type!r} is that of {info.label}, which is installed",
                "Two that claim one type can't be used side by side: choose another name.",
            )


def _source_words(registry: Registry, made: Plugin, requires: str) -> dict[str, str]:
    """Where the source stands whose tables a profiler looks at: the installed one, or else the one
    that `metaglean new connector` would make."""
    if made.type in registry.types("source"):
        info, source = registry.find("source", made.type), registry.get("source", made.type)
        module, name = source.__module__, source.__name__
        needed = f'"{info.distribution}>={_least(info.version)}"'
    else:
        connector = plugin("connector", made.type)
        module, name = f"{connector.package}.source", f"{connector.words['Class']}Source"
        needed = f'"{connector.distribution}"'
        write_line(f"note: no source {made.type!r} is installed: taken for {needed}", sys.stderr)
    both = requires if needed in requires else f"{requires}, {needed}"
    return {"requires": both, "sourcemodule": module, "Source": name}


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write all files, or none where one of them is there already."""
    in_the_way = next((folder / path for path in texts if os.path.lexists(folder / path)), None)
    if in_the_way:
        raise ConfigError(
            f"{in_the_way} is there already: nothing was written",
            "Name another folder with --output, or remove that one.",
        )
    try:
        for path, text in texts.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error


def _say(made: Plugin, folder: Path, texts: Mapping[str, str]) -> None:
    lines = [f"{made.distribution}: a {made.kind} of the type {made.type}", ""]
    lines += [f"  {folder / path}" for path in texts]
    write_line("\n".join([*lines, "", NEXT.format(folder=shlex.quote(str(folder)))]), sys.stdout)
