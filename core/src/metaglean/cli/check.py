"""`metaglean check`: validate workflow files, without connecting to anything."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from metaglean.errors import ConfigError, PluginError
from metaglean.text import safe, write_line

if TYPE_CHECKING:
    from metaglean.cli.fixing import Options, Outcome
    from metaglean.config import WorkflowConfig
    from metaglean.config.model import Components

DESCRIPTION = """\
Validate workflow files: their syntax, their variables, their plugins and every setting. Nothing is
connected to; `metaglean test-connection` does that. All errors of a file are shown at once, with
line and column. Of a folder every workflow file below it is checked, one line each.

With --fix old spellings are rewritten, and nothing else of the file is changed. The difference is
shown first; on a terminal you are asked, elsewhere --yes writes it.
"""
EPILOG = """\
examples:
  metaglean check -c workflow.yaml
  metaglean check workflows/
  metaglean check -c workflow.yaml --fix            show the difference and ask
  metaglean check workflows/ --fix --yes            rewrite every file

exit codes: 0 all files are valid, 1 there is something to fix that was not written, 2 a file is
not valid
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a workflow (.yaml, .yml, .json), or a folder"
    )
    parser.add_argument("-c", "--config", metavar="PATH", help="the same")
    parser.add_argument("--fix", action="store_true", help="rewrite old spellings")
    parser.add_argument("-y", "--yes", action="store_true", help="with --fix: write, don't ask")
    parser.add_argument(
        "--anchor",
        action="store_true",
        help="with --fix: end filter patterns that are plain names with $, so that `users` no "
        "longer matches users_old",
    )
    parser.add_argument(
        "--schema-header",
        metavar="FILE",
        help="with --fix: name the file of `metaglean schema` in the first line, for editors",
    )


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError or PluginError (exit code 2) for a file that is not valid."""
    from metaglean.plugins import Registry

    paths = [Path(path) for path in (*([args.config] if args.config else ()), *args.paths)]
    if not paths:
        raise ConfigError("nothing to check", "Name a workflow file or a folder: -c workflow.yaml")
    registry, options = Registry(), _options(args)
    if len(paths) > 1 or paths[0].is_dir():
        return _several(paths, registry, options)
    outcome = _outcome(paths[0], registry, options, alone=True)
    workflow = outcome.reading.result()
    write_line(f"{paths[0]}: valid", sys.stdout)
    for warning in workflow.warnings:
        write_line(f"  warning: {warning}", sys.stdout)
    for name, text in _summary(workflow):
        write_line(f"  {name:<11}{text}", sys.stdout)
    return 1 if outcome.left else 0


def _options(args: argparse.Namespace) -> Options | None:
    """What `--fix` was asked for, None without it."""
    header = args.schema_header
    if args.fix:
        from metaglean.cli.fixing import Options

        if header is not None and (not header or safe(header) != header or " " in header):
            raise ConfigError("--schema-header: expected a path or URL without blanks")
        return Options(anchor=args.anchor, header=header or "", yes=args.yes)
    for name, given in (("yes", args.yes), ("anchor", args.anchor), ("schema-header", header)):
        if given:
            raise ConfigError(f"--{name} has no effect without --fix", "Add --fix.")
    return None


def _outcome(path: Path, registry: Components, options: Options | None, *, alone: bool) -> Outcome:
    from metaglean.cli.fixing import Outcome, fix_file
    from metaglean.config.document import load_document
    from metaglean.config.parse import read_workflow

    if options:
        return fix_file(path, registry, options, alone=alone)
    return Outcome(read_workflow(load_document(path), registry))


def _several(paths: list[Path], registry: Components, options: Options | None) -> int:
    """One line a file, and a summary."""
    from metaglean.cli.folder import candidates, other_file

    counts: Counter[str] = Counter()
    for path in paths:
        for file in candidates(path) if path.is_dir() else [path]:
            reason = other_file(file) if path.is_dir() else ""
            if reason:
                counts["skipped"] += 1
                write_line(f"{file}: skipped: {reason}", sys.stdout)
            else:
                counts.update(_line(file, registry, options))
    if not counts["valid"] + counts["not valid"]:
        raise ConfigError(f"no workflow file in {', '.join(map(str, paths))}", "Check the path.")
    words = ("valid", "not valid", "skipped", "to fix")
    said = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    write_line(said, sys.stdout)
    if counts["not valid"]:
        write_line("`metaglean check -c FILE` tells all of one file", sys.stdout)
        return 2
    return 1 if counts["to fix"] else 0


def _line(path: Path, registry: Components, options: Options | None) -> list[str]:
    """Print what holds for one of several files; returns what to count."""
    try:
        outcome = _outcome(path, registry, options, alone=False)
        workflow = outcome.reading.result()
    except (ConfigError, PluginError) as error:
        first, *more = [line for line in error.message.split("\n") if line[:1] != " "]
        others = f" (and {len(more)} more)" if more else ""
        what = first.removeprefix(f"{path}:").lstrip()
        write_line(f"{path}: not valid: {what}{others}", sys.stdout)
        return ["not valid"]
    number = len(workflow.warnings)
    warned = f", {number} warning{'s' if number > 1 else ''}" if number else ""
    write_line(f"{path}: valid{warned}", sys.stdout)
    return ["valid", *(["to fix"] if outcome.left else [])]


def _summary(workflow: WorkflowConfig) -> list[tuple[str, str]]:
    """What would be run. Settings are left out: they may be secret."""
    lines = [
        ("source", f"{workflow.source_class.type}, writes the service {workflow.service_name!r}")
    ]
    if workflow.profiler:
        lines.append(("profiler", workflow.profiler[0].type))
    if workflow.processors:
        lines.append(("processors", ", ".join(cls.type for cls, _ in workflow.processors)))
    target = workflow.sink_class(workflow.sink_config).target
    lines.append(("sink", f"{workflow.sink_type}{f', {target}' if target else ''}"))
    if workflow.observers:
        lines.append(("observers", ", ".join(cls.type for cls, _ in workflow.observers)))
    options = workflow.source_options
    deletable = [
        str(type(options).model_fields[attribute].alias)
        for kind, attribute in options.DELETABLE.items()
        if options.deletes(kind)
        and not workflow.profiler
        and "deletion" in workflow.source_class.capabilities & workflow.sink_class.capabilities
    ]
    lines.append(("deletes", ", ".join(deletable) or "nothing"))
    return lines
