"""SQL text of Domo's views, printed from the syntax tree that Domo's API returns.

The API gives no SQL for a view, only a tree in the manner of JSqlParser (`schema/indexed`, key
`select`). Printing is all or nothing: a node, key or value that isn't known for certain raises
`UnknownNode`, for a definition that means something else is worse than none.

The text is MySQL-flavoured, as Domo's own: names in backticks, strings in single quotes. Tables
keep the dataset ids that the tree names them by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metaglean_domo.sql.expressions import EXPRESSIONS
from metaglean_domo.sql.fusion import fusion_text
from metaglean_domo.sql.selects import BODIES, SUB_SELECTS, statement_text
from metaglean_domo.sql.tree import Printer, UnknownNode

__all__ = ["UnknownNode", "print_fusion", "print_select"]


def print_select(select: Mapping[str, Any]) -> str:
    """Return the SQL of a `dataset-view`.

    `select` is the value of the key `select`, or the select body itself.
    Raises UnknownNode when any part of it isn't known for certain.
    """
    try:
        return statement_text(Printer({**EXPRESSIONS, **SUB_SELECTS}, BODIES), select)
    except RecursionError:
        raise UnknownNode("nested too deeply") from None


def print_fusion(views: Sequence[Mapping[str, Any]]) -> str:
    """Return the SQL of a DataFusion that maps the columns of a single dataset.

    `views` is the value of the key `views`. Raises UnknownNode for all other fusions: the tree
    doesn't say how its datasets are joined, nor how several views are united.
    """
    return fusion_text(views)
