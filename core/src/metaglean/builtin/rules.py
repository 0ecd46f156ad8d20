"""What the rules of the built-in processors share: which records and columns one is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from metaglean import Config, fqn
from metaglean.filters import Pattern, checked_text, compiled
from metaglean.records import ANCESTORS, Column, Entity, Ref, Table

if TYPE_CHECKING:
    from metaglean import Run

Mode: TypeAlias = Literal["empty", "missing", "always"]
MODES = (
    "`empty`: where the source read none; `missing`: also where it didn't read it; `always`: "
    "instead of what it read."
)
_NOT_BY_ITSELF = frozenset({"databaseService", "pipelineService", "dashboardService"})
_LABELS = frozenset({"classification", "tag"})


class Rule(Config):
    """One rule: what it is for. Expressions are matched as those of filters."""

    pattern: str = Field(
        description="A regular expression, matched from the start of the qualified name "
        "(service.database.schema.table), ignoring case."
    )
    kinds: tuple[str, ...] = Field(
        (),
        description="Only these kinds (table, databaseSchema, …); all but services, "
        "classifications and tags if none.",
    )

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        return known_kinds(kinds, ANCESTORS.keys() - _LABELS)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compiled(pattern)
        return pattern


class ColumnRule(Rule):
    """A rule that may be for columns."""

    columns: str | None = Field(
        None,
        description="For the columns that this matches, not for the table: a regular expression "
        "over the column's name, of a nested one with those above it (address.street).",
    )

    @field_validator("columns")
    @classmethod
    def _columns_compile(cls, columns: str | None) -> str | None:
        if columns is not None:
            compiled(columns)
        return columns


def _groups(text: str, info: ValidationInfo) -> str:
    return checked_text(text, info.data.get("columns") or info.data.get("pattern"))


Template: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_groups)]
"""A text of a `ColumnRule`, with the groups of its expression."""


class Matcher:
    """What a rule is for, compiled."""

    def __init__(self, pattern: str, columns: str | None = None, kinds: Iterable[str] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._names = Pattern("pattern", (pattern,))
        self._columns = None if columns is None else Pattern("columns", (columns,))

    @property
    def is_for_columns(self) -> bool:
        return self._columns is not None

    def entity(self, ref: Ref) -> re.Match[str] | None:
        """What the rule finds in the name of an entity that it is for."""
        kind = ref.kind
        if kind in _LABELS or (kind not in self._kinds if self._kinds else kind in _NOT_BY_ITSELF):
            return None
        return self._names.match(fqn.build(ref.path))

    def column(self, name: str) -> re.Match[str] | None:
        """The same for the name of a column, of an entity that it is for."""
        return self._columns.match(name) if self._columns else None


class TextRules:
    """The rules of a processor, each with its text; some are for columns, the others for entities.
    Texts come in the order of the rules."""

    def __init__(self, rules: Iterable[tuple[ColumnRule, str]]) -> None:
        made = [(Matcher(rule.pattern, rule.columns, rule.kinds), text) for rule, text in rules]
        self._entities = [rule for rule in made if not rule[0].is_for_columns]
        self._columns = [rule for rule in made if rule[0].is_for_columns]

    def entity(self, ref: Ref) -> Iterator[str]:
        """The texts of the rules that match an entity."""
        for rule, text in self._entities:
            if found := rule.entity(ref):
                yield _expanded(text, found)

    def columns(self, ref: Ref) -> Callable[[str], Iterator[str]] | None:
        """What gives the texts for a column's name, in an entity; None where no rule is for it."""
        rules = [rule for rule in self._columns if rule[0].entity(ref)]

        def texts(name: str) -> Iterator[str]:
            for rule, text in rules:
                if found := rule.column(name):
                    yield _expanded(text, found)

        return texts if rules else None


def known_kinds(kinds: tuple[str, ...], known: Iterable[str]) -> tuple[str, ...]:
    """The same kinds. Raises ValueError for one that there isn't."""
    words = sorted(known)
    for kind in kinds:
        if kind not in words:
            raise ValueError(f"{kind!r} is none of {', '.join(words)}")
    return kinds


def _expanded(text: str, found: re.Match[str]) -> str:
    """The text with the groups that were found."""
    return found.expand(text) if "\\" in text else text


def sets(part: Entity | Column, field: str, mode: Mode) -> bool:
    """Whether a rule may set a field."""
    if mode == "always":
        return True
    read = field in part.model_fields_set
    return not getattr(part, field) and (read or mode == "missing")


def tell_unread(run: Run, what: str, unread: Mapping[str, int]) -> None:
    """Warn of those (number by kind) that a rule is for, but whose field the source did not read.

    It stays as it stands: that the source has none is not known.
    """
    if unread:
        kinds = ", ".join(f"{number} ({kind})" for kind, number in sorted(unread.items()))
        run.warn(
            f"rules for {what} are for {kinds} whose {what} the source did not read: left as they "
            "are",
            hint="mode: missing sets them too, mode: always all.",
        )


def changed_columns(
    columns: Iterable[Column], change: Callable[[str, Column], Column | None], above: str = ""
) -> tuple[Column, ...]:
    """Each column as `change` (name with those above it, column) makes it, nested ones too; None
    drops it. A column that stays as it is stays the same object."""
    found = []
    for column in columns:
        name = f"{above}{fqn.build((column.name,))}"
        new = change(name, column)
        if new is None:
            continue
        if new.children:
            children = changed_columns(new.children, change, f"{name}.")
            if not same(children, new.children):
                new = new.model_copy(update={"children": children})
        found.append(new)
    return tuple(found)


def with_columns(record: Table, change: Callable[[str, Column], Column]) -> Table:
    """The table with its columns as `change` makes them; the same object where none changes."""
    columns = changed_columns(record.columns, change)
    if same(columns, record.columns):
        return record
    return record.model_copy(update={"columns": columns})


def same(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether they are the very same objects."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
