"""Processor `describe`: descriptions by rules, or from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field, field_validator

from metaglean import (
    Classification,
    Column,
    Config,
    Entity,
    Processor,
    Ref,
    Table,
    Tag,
    fqn,
    hookimpl,
)
from metaglean.builtin.descriptions import Described, read_descriptions
from metaglean.builtin.rules import (
    MODES,
    ColumnRule,
    Mode,
    Template,
    TextRules,
    sets,
    tell_unread,
    with_columns,
)

if TYPE_CHECKING:
    from metaglean import Record, Run

Part = TypeVar("Part", Entity, Column)
_NOTHING = Described("", {})


class DescribeRule(ColumnRule):
    """One rule of processor `describe`. The first that matches decides."""

    description: Template = Field(
        description="The text; `\\1` is the first group of `columns`, or else of `pattern`.",
    )


class DescribeConfig(Config):
    """Settings of processor `describe`."""

    mode: Mode = Field("empty", description=f"When a description is set. {MODES}")
    file: str | None = Field(
        None,
        description="A CSV or YAML file with descriptions by qualified name; it decides before "
        "the rules.",
    )
    rules: tuple[DescribeRule, ...] = Field(
        (), description="The rules; the first one that matches decides."
    )

    @field_validator("file")
    @classmethod
    def _readable(cls, file: str | None) -> str | None:
        if file is not None:
            read_descriptions(file)
        return file


class DescribeProcessor(Processor):
    """Sets descriptions of entities and columns."""

    type = "describe"
    Config = DescribeConfig

    def __init__(self, config: DescribeConfig) -> None:
        super().__init__(config)
        self._mode: Mode = config.mode
        self._file = config.file
        self._texts: Mapping[str, Described] = {}
        if config.file is not None:
            self._texts = read_descriptions(config.file)
        self._rules = TextRules((rule, rule.description) for rule in config.rules)

    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        unread: Counter[str] = Counter()
        met: set[str] = set()
        for record in records:
            if not isinstance(record, Entity) or isinstance(record, Classification | Tag):
                yield record
                continue
            name = fqn.build(record.ref.path)
            texts = self._texts.get(name, _NOTHING)
            if texts is not _NOTHING:
                met.add(name)
            text = self._text(record.ref, texts)
            described = self._described(record, record.kind, text, run, unread)
            yield self._columns_described(described, texts, run, unread)
        tell_unread(run, "descriptions", unread)
        left = sorted(self._texts.keys() - met)
        if left and run.limit is None and not run.stopping:
            run.warn(f"{self._file}: {len(left)} names were not met, for example {left[0]!r}")

    def _text(self, ref: Ref, texts: Described) -> str:
        return texts.description or next(self._rules.entity(ref), "")

    def _columns_described(
        self, record: Entity, texts: Described, run: Run, unread: Counter[str]
    ) -> Entity:
        if not isinstance(record, Table) or "columns" not in record.model_fields_set:
            return record
        by_rules = self._rules.columns(record.ref)
        if not by_rules and not texts.columns:
            return record

        def change(name: str, column: Column) -> Column:
            ruled = by_rules(name) if by_rules else iter(())
            text = texts.columns.get(name) or next(ruled, "")
            return self._described(column, "column", text, run, unread)

        return with_columns(record, change)

    def _described(self, part: Part, kind: str, text: str, run: Run, unread: Counter[str]) -> Part:
        if not text.strip() or part.description == text:
            return part
        if not sets(part, "description", self._mode):
            if "description" not in part.model_fields_set:
                unread[kind] += 1
            return part
        run.count(kind, "described")
        return part.model_copy(update={"description": text})


@hookimpl
def register_processors() -> list[type[Processor]]:
    return [DescribeProcessor]
