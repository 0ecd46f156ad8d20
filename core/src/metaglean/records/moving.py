"""One pure function from ref to ref, applied to every ref that a record holds alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from metaglean.records.base import Record
from metaglean.records.database import Table, TableConstraint
from metaglean.records.lineage import Lineage
from metaglean.records.ref import Ref

Move = Callable[[Ref], Ref]


def moved(record: Record, move: Move) -> Record:
    """The record with every ref of it as `move` gives it: its own, the ends of an edge, the tables
    that a foreign key refers to. Tags and classifications are given to `move` as well."""
    update: dict[str, Any] = {"ref": move(record.ref)}
    if isinstance(record, Lineage):
        update |= _edge(record, move)
    if isinstance(record, Table) and any(c.referred_columns for c in record.table_constraints):
        update["table_constraints"] = tuple(_key(one, move) for one in record.table_constraints)
    return record.model_copy(update=update)


def _key(constraint: TableConstraint, move: Move) -> TableConstraint:
    """`referred_columns` are paths of a table with a column at their end."""
    referred = tuple(
        (*move(Ref("table", path[:-1])).path, path[-1]) if len(path) > 1 else path
        for path in constraint.referred_columns
    )
    return constraint.model_copy(update={"referred_columns": referred}) if referred else constraint


def _edge(edge: Lineage, move: Move) -> dict[str, Any]:
    update: dict[str, Any] = {"target": move(edge.target)}
    if edge.pipeline:
        update["pipeline"] = move(edge.pipeline)
    if edge.columns_lineage:
        update["columns_lineage"] = tuple(
            part.model_copy(
                update={"from_columns": tuple((move(ref), name) for ref, name in part.from_columns)}
            )
            for part in edge.columns_lineage
        )
    return update
