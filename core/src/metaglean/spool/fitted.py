"""Columns that were named before the target's rules were known, as its rules want them."""

from __future__ import annotations

from collections.abc import Sequence

from metaglean.fqn import NameRules
from metaglean.records import Column, Table


def fitted(table: Table, rules: NameRules) -> Table:
    """The table with each column's name as the target can hold it, unique without regard to case;
    the name that it had is then its display name. Names that fit stay."""
    names = _names([column.name for column in table.columns], rules)
    if all(name == column.name for name, column in zip(names, table.columns, strict=True)):
        return table
    columns = tuple(map(_called, table.columns, names))
    now = {column.name: name for column, name in zip(table.columns, names, strict=True)}
    keys = tuple(
        key.model_copy(update={"columns": tuple(now.get(name, name) for name in key.columns)})
        for key in table.table_constraints
    )
    update = {"columns": columns} | ({"table_constraints": keys} if keys else {})
    return table.model_copy(update=update)


def _called(column: Column, name: str) -> Column:
    if name == column.name:
        return column
    shown = column.display_name or column.name
    return column.model_copy(update={"name": name, "display_name": shown})


def _names(wanted: Sequence[str], rules: NameRules) -> list[str]:
    bases = [rules.fit("column", name) or name for name in wanted]
    reserved = {base.casefold() for base in bases}
    given: set[str] = set()
    found = []
    for base in bases:
        name, number = base, 1
        while name.casefold() in given or (number > 1 and name.casefold() in reserved):
            number += 1
            suffix = f"_{number}"
            name = rules.fit("column", base, len(suffix)) + suffix
        given.add(name.casefold())
        found.append(name)
    return found
