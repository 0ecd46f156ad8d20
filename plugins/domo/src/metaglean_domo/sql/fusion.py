"""DataFusions: the one shape whose meaning the tree tells completely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metaglean_domo.sql.tree import Node, UnknownNode
from metaglean_domo.sql.words import identifier


def fusion_text(views: Sequence[Mapping[str, Any]]) -> str:
    if len(views) != 1:
        # Several views are rows put together, but nothing says whether duplicates stay.
        raise UnknownNode("views: not a single one")
    with Node(views[0], "view") as view:
        if view.get("columnFuses") is not None:
            raise UnknownNode("columnFuses: kind of join unknown")
        source = identifier(view, "from")
        mapping = view.need("mapping")
        if not isinstance(mapping, Mapping) or not mapping:
            raise view.fail("no mapping")
        items = [_item(name, value, source) for name, value in mapping.items()]
    return "SELECT " + ",\n  ".join(items) + f"\nFROM {source}"


def _item(name: str, value: object, source: str) -> str:
    with Node(value, "mapping") as entry, Node(entry.need("expr"), "expr") as expr:
        if expr.need("exprType") != "COLUMN":
            raise expr.fail("unknown exprType")
        column = identifier(expr, "column")
        if expr.get("table") is not None and identifier(expr, "table") != source:
            raise expr.fail("a column of another table")
    alias = identifier(Node({"name": name}, "mapping"), "name")
    return f"{source}.{column} AS {alias}"
