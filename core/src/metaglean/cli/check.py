"""`metaglean check`: validate a workflow file, without connecting to anything."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from metaglean.text import write_line

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig

DESCRIPTION = """\
Validate a workflow file: its syntax, its variables, its plugins and every setting. Nothing is
connected to; `metaglean test-connection` does that. All errors are shown at once, with line and
column.
"""
EPILOG = """\
examples:
  metaglean check -c workflow.yaml

exit codes: 0 the file is valid, 2 it is not
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "-c", "--config", required=True, metavar="FILE", help="the workflow: .yaml, .yml or .json"
    )


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError or PluginError (exit code 2) for a file that is not valid."""
    from metaglean.config import load_workflow
    from metaglean.plugins import Registry

    workflow = load_workflow(args.config, Registry())
    write_line(f"{args.config}: valid", sys.stdout)
    for warning in workflow.warnings:
        write_line(f"  warning: {warning}", sys.stdout)
    for name, text in _summary(workflow):
        write_line(f"  {name:<11}{text}", sys.stdout)
    return 0


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
