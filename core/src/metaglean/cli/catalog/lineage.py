"""`metaglean catalog lineage`: where data comes from and goes to, as a tree."""

from __future__ import annotations

import argparse
from typing import Any

from metaglean.builtin.catalog.lineage import Direction, Step, steps
from metaglean.builtin.catalog.reader import Reader
from metaglean.cli.catalog.output import one, positive, say, say_json
from metaglean.text import safe

DESCRIPTION = """\
Show where the data of an entity comes from and where it goes. An entity that is reached twice is
followed once: `(cycle)` marks one that leads back to itself, `(see above)` one that stood before.
"""
EPILOG = """\
examples:
  metaglean catalog lineage orders
  metaglean catalog lineage domo.default.default.orders --up --depth 2 --columns
  metaglean catalog lineage orders --json

exit codes: 0 (also where there is no lineage), 1 where there is no such entity, or several
"""
TITLES: dict[Direction, str] = {"up": "comes from", "down": "goes to"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument(
        "name", metavar="NAME", help="the qualified name, the end of it, or the display name"
    )
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument("--up", action="store_true", help="only where it comes from")
    sides.add_argument("--down", action="store_true", help="only where it goes to")
    parser.add_argument(
        "--depth", type=positive, metavar="N", help="N steps away at most (default: all)"
    )
    parser.add_argument("--columns", action="store_true", help="columns as well")
    parser.add_argument("--json", action="store_true", help="print JSON: one list for each side")


def run(reader: Reader, args: argparse.Namespace) -> int:
    entry = one(reader, args.name)
    if entry is None:
        return 1
    sides: list[Direction] = ["up"] if args.up else ["down"] if args.down else ["up", "down"]
    if args.json:
        found: dict[str, Any] = {"kind": entry.kind, "fqn": entry.fqn}
        for side in sides:
            found[side] = [
                _as_json(step) for step in steps(reader.store, entry.id, side, args.depth)
            ]
        say_json(found, indent=2)
        return 0
    say(f"{entry.kind}  {entry.fqn}{'  (deleted)' if entry.deleted else ''}")
    for side in sides:
        say(f"\n{TITLES[side]}")
        nothing = True
        for step in steps(reader.store, entry.id, side, args.depth):
            nothing = False
            _say_step(step, side, columns=args.columns)
        if nothing:
            say("  nothing that is known")
    return 0


def _say_step(step: Step, side: Direction, *, columns: bool) -> None:
    indent = "  " * step.depth
    marks = ["(deleted)"] if step.deleted else []
    marks += {"cycle": ["(cycle)"], "above": ["(see above)"], "": []}[step.seen]
    marks += ["(more behind it)"] if step.more else []
    source = step.edge.get("source") or "Manual"
    arrow = "←" if side == "up" else "→"
    say(safe("  ".join([f"{indent}{arrow} {step.kind} {step.fqn}", f"[{source}]", *marks])))
    for column in step.columns if columns else ():
        by = f"  by {column.function}" if column.function else ""
        say(safe(f"{indent}    {column.target} ← {', '.join(column.sources)}{by}"))


def _as_json(step: Step) -> dict[str, Any]:
    return {**step._asdict(), "columns": [column._asdict() for column in step.columns]}
