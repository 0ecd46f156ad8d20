"""Processor `tag`: labels by rules, from one classification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from metaglean import (
    Classification,
    Column,
    Config,
    Entity,
    Processor,
    Ref,
    Table,
    Tag,
    TagLabel,
    hookimpl,
)
from metaglean.builtin.rules import (
    ColumnRule,
    Matcher,
    changed_columns,
    expanded,
    same,
)
from metaglean.filters import checked_text

if TYPE_CHECKING:
    from metaglean import Record, Run

Labelled = TypeVar("Labelled", Entity, Column)


class TagRule(ColumnRule):
    """One rule of processor `tag`. All that match add their tag."""

    tag: str = Field(
        min_length=1,
        description="The tag's name; `\\1` is the first group of `columns`, or else of `pattern`.",
    )

    @field_validator("tag")
    @classmethod
    def _groups(cls, tag: str, info: ValidationInfo) -> str:
        return checked_text(tag, info.data.get("columns") or info.data.get("pattern"))


class TagConfig(Config):
    """Settings of processor `tag`."""

    classification: str = Field(
        min_length=1, description="The classification that the tags are of."
    )
    mode: Literal["follow", "add"] = Field(
        "follow",
        description="`follow`: the classification is this processor's own; it and its tags are "
        "created, and its labels come and go with the rules. `add`: it is somebody else's; labels "
        "of tags that stand there are added, and never taken away.",
    )
    description: str | None = Field(
        None, description="Of the classification, where `follow` creates it."
    )
    rules: tuple[TagRule, ...] = Field((), description="The rules; each that matches adds its tag.")


class TagProcessor(Processor):
    """Adds labels to entities and columns.

    Where the source didn't read the tags, only the processor's own classification counts as read:
    all other labels stay as they stand.
    """

    type = "tag"
    Config = TagConfig

    def __init__(self, config: TagConfig) -> None:
        super().__init__(config)
        self._classification = config.classification
        self._follows = config.mode == "follow"
        self._own = frozenset({config.classification} if self._follows else ())
        self._description = config.description
        rules = [
            (Matcher(rule.pattern, rule.columns, rule.kinds), rule.tag) for rule in config.rules
        ]
        self._rules = [rule for rule in rules if not rule[0].is_for_columns]
        self._column_rules = [rule for rule in rules if rule[0].is_for_columns]

    @classmethod
    def classifications(cls, config: TagConfig) -> Mapping[str, bool]:
        return {config.classification: config.mode == "follow"}

    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        made: set[str] = set()
        for record in records:
            if not isinstance(record, Entity) or isinstance(record, Classification | Tag):
                yield record
                continue
            used: list[TagLabel] = []
            tagged = self._columns_tagged(self._tagged(record, used), used, run)
            if used:
                run.count(record.kind, "tagged")
            for label in used:
                yield from self._needed(label, made)
            yield tagged

    def _needed(self, label: TagLabel, made: set[str]) -> Iterator[Record]:
        """The classification and the tag of a label, once, before what has the label."""
        if not self._follows or label.name in made:
            return
        ref = Ref("classification", (label.classification,))
        if not made:
            yield Classification(ref=ref, description=self._description)
        made.add(label.name)
        yield Tag(ref=ref.child("tag", label.name))

    def _tagged(self, record: Entity, used: list[TagLabel]) -> Entity:
        names = [
            expanded(tag, found) for rule, tag in self._rules if (found := rule.entity(record.ref))
        ]
        return self._with(record, self._labels(names, used))

    def _columns_tagged(self, record: Entity, used: list[TagLabel], run: Run) -> Entity:
        if not isinstance(record, Table) or "columns" not in record.model_fields_set:
            return record
        rules = [rule for rule in self._column_rules if rule[0].entity(record.ref)]
        if not rules and not self._follows:
            return record

        def change(name: str, column: Column) -> Column:
            names = [expanded(tag, found) for rule, tag in rules if (found := rule.column(name))]
            labels = self._labels(names, used)
            if labels:
                run.count("column", "tagged")
            return self._with(column, labels)

        columns = changed_columns(record.columns, change)
        if same(columns, record.columns):
            return record
        return record.model_copy(update={"columns": columns})

    def _labels(self, names: list[str], used: list[TagLabel]) -> list[TagLabel]:
        if not names:  # most columns have none
            return []
        labels = [
            TagLabel(classification=self._classification, name=name)
            for name in dict.fromkeys(names)
            if name.strip()
        ]
        used += labels
        return labels

    def _with(self, part: Labelled, labels: list[TagLabel]) -> Labelled:
        """The same with these labels. What was not read stays unread: `tags_of` says so."""
        new: list[TagLabel] = [label for label in labels if label not in part.tags]
        if "tags" in part.model_fields_set and part.tags_of is None:
            return part.model_copy(update={"tags": (*part.tags, *new)}) if new else part
        read: tuple[str, ...] = part.tags_of or ()
        of = read if self._own <= set(read) else (*read, *self._own)
        if not new and of == read:
            return part
        return part.model_copy(update={"tags": (*part.tags, *new), "tags_of": of})


@hookimpl
def register_processors() -> list[type[Processor]]:
    return [TagProcessor]
