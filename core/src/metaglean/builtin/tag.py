"""Processor `tag`: labels by rules, from one classification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field

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
from metaglean.builtin.rules import ColumnRule, Template, TextRules, with_columns

if TYPE_CHECKING:
    from metaglean import Record, Run

Labelled = TypeVar("Labelled", Entity, Column)


class TagRule(ColumnRule):
    """One rule of processor `tag`. All that match add their tag."""

    tag: Template = Field(
        description="The tag's name; `\\1` is the first group of `columns`, or else of `pattern`.",
    )


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
        self._rules = TextRules((rule, rule.tag) for rule in config.rules)

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
        return self._with(record, self._labels(self._rules.entity(record.ref), used))

    def _columns_tagged(self, record: Entity, used: list[TagLabel], run: Run) -> Entity:
        if not isinstance(record, Table) or "columns" not in record.model_fields_set:
            return record
        by_rules = self._rules.columns(record.ref)
        if not by_rules and not self._follows:
            return record

        def change(name: str, column: Column) -> Column:
            labels = self._labels(by_rules(name) if by_rules else (), used)
            if labels:
                run.count("column", "tagged")
            return self._with(column, labels)

        return with_columns(record, change)

    def _labels(self, names: Iterable[str], used: list[TagLabel]) -> list[TagLabel]:
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
