"""Processor `filter`: drops records by their qualified name. What it drops stays seen, so
nothing is deleted because of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from metaglean import Config, Processor, fqn, hookimpl
from metaglean.builtin.rules import known_kinds
from metaglean.filters import Pattern, compiled
from metaglean.records import ANCESTORS, RECORD_KINDS, Lineage, Record, Ref

if TYPE_CHECKING:
    from metaglean import Run

# What holds other things passes `includes`, or what is kept would have nothing to lie in.
_CONTAINERS = frozenset(kind for ancestors in ANCESTORS.values() for kind in ancestors)


class FilterConfig(Config):
    """Settings of processor `filter`."""

    kinds: tuple[str, ...] = Field(
        (), description="Look at these kinds only (table, databaseSchema, lineage, …); all if none."
    )
    includes: tuple[str, ...] = Field(
        (),
        description="Keep what one of these regular expressions matches, from the start of the "
        "qualified name (service.database.schema.table); services, databases, schemas and "
        "classifications are kept, unless `kinds` names them.",
    )
    excludes: tuple[str, ...] = Field(
        (), description="Drop what one of these matches, and all that lies in it; wins."
    )

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        return known_kinds(kinds, ANCESTORS.keys() | RECORD_KINDS.keys())

    @field_validator("includes", "excludes")
    @classmethod
    def _compile(cls, expressions: tuple[str, ...]) -> tuple[str, ...]:
        for expression in expressions:
            compiled(expression)
        return expressions


class FilterProcessor(Processor):
    """A record passes if its ref and all that it lies in pass; lineage needs both its ends."""

    type = "filter"
    Config = FilterConfig

    def __init__(self, config: FilterConfig) -> None:
        super().__init__(config)
        self._kinds = frozenset(config.kinds)
        self._includes = Pattern("includes", config.includes)
        self._excludes = Pattern("excludes", (), config.excludes)

    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        for record in records:
            if self.keeps(record):
                yield record
            else:
                run.count(record.KIND, "filtered")

    def keeps(self, record: Record) -> bool:
        if isinstance(record, Lineage):
            return self._passes(record.ref, record.KIND) and self._passes(
                record.target, record.KIND
            )
        return self._passes(record.ref, record.KIND)

    def _passes(self, ref: Ref, record_kind: str) -> bool:
        """`record_kind` differs from the ref's for records that belong to an entity."""
        if self._looks_at(ref.kind, record_kind) and not self._keeps_name(ref):
            return False
        above = ref.parent
        return above is None or self._passes(above, above.kind)

    def _looks_at(self, *kinds: str) -> bool:
        return not self._kinds or not self._kinds.isdisjoint(kinds)

    def _keeps_name(self, ref: Ref) -> bool:
        name = fqn.build(ref.path)
        if not self._excludes.keeps(name):
            return False
        if ref.kind in _CONTAINERS and ref.kind not in self._kinds:
            return True
        return self._includes.keeps(name)


@hookimpl
def register_processors() -> list[type[Processor]]:
    return [FilterProcessor]
