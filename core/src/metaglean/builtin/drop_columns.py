"""Processor `drop-columns`: columns that are not to be written, and all that names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from metaglean import (
    Column,
    ColumnLineage,
    Config,
    Lineage,
    Processor,
    Profile,
    Ref,
    Table,
    TableConstraint,
    fqn,
    hookimpl,
)
from metaglean.builtin.rules import Matcher, changed_columns, same
from metaglean.filters import compiled

if TYPE_CHECKING:
    from metaglean import Record, Run

_ABOVE = 4  # a table's path: service, database, schema, table


class DropRule(Config):
    """One rule of processor `drop-columns`."""

    columns: str = Field(
        description="Columns that this matches are dropped: a regular expression over the "
        "column's name, of a nested one with those above it (address.street)."
    )
    pattern: str = Field(
        ".*",
        description="Only of tables that this matches: a regular expression, from the start of "
        "the qualified name (service.database.schema.table).",
    )

    @field_validator("columns", "pattern")
    @classmethod
    def _compiles(cls, expression: str) -> str:
        compiled(expression)
        return expression


class DropColumnsConfig(Config):
    """Settings of processor `drop-columns`."""

    rules: tuple[DropRule, ...] = Field((), description="The rules; any that matches drops.")


class DropColumnsProcessor(Processor):
    """Drops columns from tables, and what names them from constraints, lineage and profiles.

    Of a table whose columns would all go none is written: they are as if they had not been read.
    """

    type = "drop-columns"
    Config = DropColumnsConfig

    def __init__(self, config: DropColumnsConfig) -> None:
        super().__init__(config)
        self._rules = [Matcher(rule.pattern, rule.columns) for rule in config.rules]

    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        for record in records:
            if isinstance(record, Table):
                yield self._table(record, run)
            elif isinstance(record, Lineage) and record.columns_lineage:
                yield self._edge(record)
            elif isinstance(record, Profile) and record.columns:
                yield self._profile(record)
            else:
                yield record

    def _table(self, table: Table, run: Run) -> Table:
        rules = self._rules_of(table.ref)
        columns = table.columns
        if rules:
            columns = changed_columns(
                table.columns, lambda name, column: None if _drops_any(rules, (name,)) else column
            )
        if table.columns and not columns:
            run.problem(
                f"all its {len(table.columns)} columns are to be dropped: none is written, and "
                "what stands stays as it is",
                str(table.ref),
                hint="Make the rule of drop-columns narrower, or drop the table with filter.",
            )
            return _without_columns(table)
        constraints = tuple(
            one for one in table.table_constraints if not self._names_dropped(one, rules)
        )
        if same(columns, table.columns) and len(constraints) == len(table.table_constraints):
            return table
        run.count("column", "dropped", _number(table.columns) - _number(columns))
        update: dict[str, object] = {"columns": columns, "table_constraints": constraints}
        return table.model_copy(
            update={key: value for key, value in update.items() if key in table.model_fields_set}
        )

    def _names_dropped(self, constraint: TableConstraint, rules: list[Matcher]) -> bool:
        """Whether a constraint names a column that is dropped, of its table or of another one."""
        if any(_drops_any(rules, _spellings(name)) for name in constraint.columns):
            return True
        return any(
            _drops_any(self._rules_of(Ref("table", path[:_ABOVE])), _prefixes(path[_ABOVE:]))
            for path in constraint.referred_columns
        )

    def _edge(self, edge: Lineage) -> Lineage:
        parts = tuple(filter(None, (self._part(edge, part) for part in edge.columns_lineage)))
        if same(parts, edge.columns_lineage):
            return edge
        return edge.model_copy(update={"columns_lineage": parts})

    def _part(self, edge: Lineage, part: ColumnLineage) -> ColumnLineage | None:
        if self._is_dropped(edge.target, part.to_column):
            return None
        columns = tuple(
            (ref, name) for ref, name in part.from_columns if not self._is_dropped(ref, name)
        )
        if len(columns) == len(part.from_columns):
            return part
        return part.model_copy(update={"from_columns": columns}) if columns else None

    def _profile(self, profile: Profile) -> Profile:
        kept = tuple(one for one in profile.columns if not self._is_dropped(profile.ref, one.name))
        if len(kept) == len(profile.columns):
            return profile
        return profile.model_copy(update={"columns": kept})

    def _rules_of(self, ref: Ref) -> list[Matcher]:
        return [rule for rule in self._rules if rule.entity(ref)]

    def _is_dropped(self, table: Ref, column: str) -> bool:
        rules = self._rules_of(table) if table.kind == "table" else []
        return bool(rules) and _drops_any(rules, _spellings(column))


def _drops_any(rules: list[Matcher], names: Iterable[str]) -> bool:
    return any(rule.column(name) for name in names for rule in rules)


def _spellings(column: str) -> Iterator[str]:
    """A column that is named by one text: it alone, and as a nested one with all above it."""
    yield fqn.build((column,))
    yield from _prefixes(column.split("."))


def _prefixes(path: Sequence[str]) -> Iterator[str]:
    """The names of a nested column and of those above it: they go together."""
    return (fqn.build(path[: number + 1]) for number in range(len(path)))


def _without_columns(table: Table) -> Table:
    """The same table, its columns and constraints not read."""
    read = table.model_fields_set - {"columns", "table_constraints"}
    return type(table)(**{name: getattr(table, name) for name in read})


def _number(columns: Iterable[Column]) -> int:
    return sum(1 + _number(column.children) for column in columns)


@hookimpl
def register_processors() -> list[type[Processor]]:
    return [DropColumnsProcessor]
