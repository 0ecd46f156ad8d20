"""The refs in a record, all given others at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias, TypeVar, get_args, get_origin

from pydantic import BaseModel

from metaglean.records.base import Record
from metaglean.records.database import Table, TableConstraint
from metaglean.records.ref import ANCESTORS, Ref

Move: TypeAlias = Callable[[Ref], Ref]
Part = TypeVar("Part", bound=BaseModel)
Kind = TypeVar("Kind", bound=Record)
_TABLE = len(ANCESTORS["table"]) + 1


def moved(record: Kind, move: Move) -> Kind:
    """The record with every ref of it as `move` gives it: its own, the ends of an edge, the tables
    that a foreign key refers to. Tags and classifications are given to `move` as well."""
    found = _part(record, move)
    if isinstance(found, Table) and any(c.referred_columns for c in found.table_constraints):
        constraints = tuple(_key(one, move) for one in found.table_constraints)
        return found.model_copy(update={"table_constraints": constraints})
    return found


def _key(constraint: TableConstraint, move: Move) -> TableConstraint:
    """`referred_columns` are paths of a table with a column's below it."""
    referred = tuple(
        (*move(Ref("table", path[:_TABLE])).path, *path[_TABLE:]) if len(path) > _TABLE else path
        for path in constraint.referred_columns
    )
    return constraint.model_copy(update={"referred_columns": referred}) if referred else constraint


def _part(part: Part, move: Move) -> Part:
    update = {}
    for name in _holders(type(part)):
        before = getattr(part, name)
        after = _value(before, move)
        if after != before:
            update[name] = after
    return part.model_copy(update=update) if update else part


def _value(value: Any, move: Move) -> Any:
    if isinstance(value, Ref):
        return move(value)
    if isinstance(value, BaseModel):
        return _part(value, move)
    if isinstance(value, tuple):
        return tuple(_value(one, move) for one in value)
    return value


@cache
def _holders(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model in which there may be refs, whoever's it is."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if any(found is Ref for found in _types(field.annotation, {model}))
    )


def _types(annotation: Any, seen: set[type[BaseModel]]) -> Iterator[Any]:
    """All types in an annotation, those in the fields of models included."""
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner, seen)
    # For Python 3.10 `tuple[Ref, ...]` is a type too.
    plain = isinstance(annotation, type) and get_origin(annotation) is None
    if plain and issubclass(annotation, BaseModel):
        if annotation in seen:
            return
        seen.add(annotation)
        for field in annotation.model_fields.values():
            yield from _types(field.annotation, seen)
