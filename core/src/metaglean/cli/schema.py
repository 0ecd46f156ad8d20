"""`metaglean schema`: JSON Schema for editors, of a whole workflow or of one component."""

from __future__ import annotations

import argparse
import json

from metaglean.plugins import KINDS, Registry

DESCRIPTION = """\
Print JSON Schema of a whole workflow with everything that is installed, or of one component's
settings. Editors check and complete workflow files with it.
"""
EPILOG = """\
examples:
  metaglean schema > workflow.schema.json
  metaglean schema domodatabase
  metaglean schema catalog --kind sink

In the first line of a workflow file, for editors with the YAML language server (`metaglean check
--fix --schema-header workflow.schema.json` writes it):
  # yaml-language-server: $schema=workflow.schema.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("type", nargs="?", metavar="TYPE", help="one component; default: all")
    parser.add_argument("--kind", choices=KINDS, help="where a type is of several kinds")


def run(args: argparse.Namespace) -> int:
    """Raises PluginError (exit code 2) for a type that can't be had."""
    from metaglean.config.schema import component_schema, installed_components, workflow_schema

    registry = Registry()
    if args.type is None:
        schema = workflow_schema(installed_components(registry))
    else:
        kinds = [kind for kind in KINDS if args.type.lower() in registry.types(kind)]
        kind = args.kind or (kinds[0] if kinds else "source")
        schema = component_schema(registry.get(kind, args.type))
    print(json.dumps(schema, indent=2))
    return 0
