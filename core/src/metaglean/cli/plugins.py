"""`metaglean plugins`: what is installed, from metadata alone; `show` and `--check` import."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from metaglean.plugins import KINDS, PluginInfo, Registry
from metaglean.text import write_line

if TYPE_CHECKING:
    from metaglean.components import Component

DESCRIPTION = """\
List the installed plugins by type, kind, distribution, version and hook API. Listing imports none
of them; `--check` and `show` do.
"""
EPILOG = """\
examples:
  metaglean plugins
  metaglean plugins --check
  metaglean plugins show domodatabase

exit codes: 0, or 2 where a plugin that was asked for, or checked, can't be used
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "action", nargs="?", choices=("list", "show"), default="list", help="default: list"
    )
    parser.add_argument("type", nargs="?", metavar="TYPE", help="the type to show")
    parser.add_argument("--kind", choices=KINDS, help="where a type is of several kinds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--check", action="store_true", help="import every plugin listed")
    parser.set_defaults(usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Raises PluginError (exit code 2) for a type that can't be shown."""
    registry = Registry()
    if args.action == "show":
        if not args.type:
            args.usage_error("show needs a TYPE")
        return _show(registry, args)
    if args.type:
        args.usage_error(f"unrecognized argument: {args.type}")
    return _list(registry, args)


def _list(registry: Registry, args: argparse.Namespace) -> int:
    infos = registry.checked() if args.check else registry.listed()
    if args.kind:
        infos = [info for info in infos if info.kind == args.kind]
    infos.sort(key=lambda info: (KINDS.index(info.kind), info.type, info.distribution))
    if args.json:
        print(json.dumps([info._asdict() for info in infos], indent=2))
    else:
        _print_table(infos)
    return 2 if args.check and any(info.problem for info in infos) else 0


def _print_table(infos: Sequence[PluginInfo]) -> None:
    rows = [("TYPE", "KIND", "DISTRIBUTION", "VERSION", "API")]
    rows += [(i.type, i.kind, i.distribution, i.version, i.api) for i in infos]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    problems = ["", *(info.problem for info in infos)]
    for row, problem in zip(rows, problems, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write_line("  ".join(cells).rstrip(), sys.stdout)
        if problem:
            write_line(f"    can't be used: {problem}", sys.stdout)


def _show(registry: Registry, args: argparse.Namespace) -> int:
    name = args.type.lower()
    kinds = [kind for kind in KINDS if args.kind in (None, kind)]
    offered = {info.kind for info in registry.listed() if info.type == name}
    shown = [kind for kind in kinds if kind in offered] or [args.kind or "source"]
    described = []
    for kind in shown:
        component = registry.get(kind, name)
        described.append(_described(registry.find(kind, name), component))
    if args.json:
        print(json.dumps(described, indent=2))
    else:
        write_line("\n\n".join(_text(description) for description in described), sys.stdout)
    return 0


def _described(info: PluginInfo, component: type[Component]) -> dict[str, Any]:
    from metaglean.components import Sink, Source
    from metaglean.config.describe import settings

    result: dict[str, Any] = {
        **info._asdict(),
        "class": f"{component.__module__}.{component.__qualname__}",
        "about": (component.__doc__ or "").strip().partition("\n\n")[0],
        "capabilities": sorted(component.capabilities),
        "systems": list(component.systems),
        "config": settings(component.Config),
    }
    if issubclass(component, Source):
        result["connection_types"] = list(component.connection_types)
        result["options"] = settings(component.Options)
    if issubclass(component, Sink) and component.ServerConfig:
        result["server"] = settings(component.ServerConfig)
    return result


def _text(description: dict[str, Any]) -> str:
    lines = [f"{description['type']} ({description['kind']})"]
    if description["about"]:
        lines.append(f"  {description['about']}")
    lines += [
        f"  distribution  {description['distribution']} {description['version']}".rstrip(),
        f"  class         {description['class']}",
        f"  capabilities  {', '.join(description['capabilities']) or 'none'}",
    ]
    if description["systems"]:
        lines.append(f"  systems       {', '.join(description['systems'])}")
    is_source = description["kind"] == "source"
    lines += _keys("serviceConnection.config" if is_source else "config", description["config"])
    if is_source:
        lines += _keys("sourceConfig.config", description["options"])
    if "server" in description:
        lines += _keys("openMetadataServerConfig", description["server"])
    return "\n".join(lines)


def _keys(title: str, keys: Iterable[dict[str, Any]]) -> list[str]:
    lines = [f"  {title}:"]
    for key in keys:
        default = "optional" if key["default"] is None else f"default {json.dumps(key['default'])}"
        given = "required" if key["required"] else default
        lines.append(f"    {key['key']} ({key['type']}, {given})")
        lines += [f"        {text}" for text in [key["description"]] if text]
    return lines if len(lines) > 1 else [f"  {title}: no keys"]
