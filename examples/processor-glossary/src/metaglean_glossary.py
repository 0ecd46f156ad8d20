"""Glossary: a processor that describes columns by their names, where the source doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from metaglean import Column, Config, Processor, Record, Table, hookimpl

if TYPE_CHECKING:
    from metaglean import Run


class GlossaryConfig(Config):
    terms: dict[str, str] = Field({}, description="Column name (any case) to its description.")


class Glossary(Processor):
    type = "glossary"
    Config = GlossaryConfig

    def __init__(self, config: GlossaryConfig) -> None:
        super().__init__(config)
        self._terms = {name.casefold(): text for name, text in config.terms.items()}

    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        for record in records:
            # Columns that were not read stay unread: setting them would say that there are none.
            if isinstance(record, Table) and "columns" in record.model_fields_set:
                columns = tuple(self._described(column, run) for column in record.columns)
                yield record.model_copy(update={"columns": columns})
            else:
                yield record

    def _described(self, column: Column, run: Run) -> Column:
        text = self._terms.get(column.name.casefold())
        if text is None or column.description:
            return column
        run.count("column", "described")
        return column.model_copy(update={"description": text})


@hookimpl
def register_processors() -> list[type[Processor]]:
    return [Glossary]
