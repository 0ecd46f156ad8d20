"""Processor `owner`: owners by rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field, ValidationInfo, field_validator

from metaglean import Classification, Config, Entity, Owner, Processor, Tag, hookimpl
from metaglean.builtin.rules import MODES, Matcher, Mode, Rule, sets, tell_unread

if TYPE_CHECKING:
    from metaglean import Record, Run


class OwnerRule(Rule):
    """One rule of processor `owner`. The first that matches decides."""

    users: tuple[str, ...] = Field((), description="E-mail addresses of users.")
    teams: tuple[str, ...] = Field(
        (), validate_default=True, description="Names of teams (groups)."
    )

    @field_validator("users")
    @classmethod
    def _addresses(cls, users: tuple[str, ...]) -> tuple[str, ...]:
        for user in users:
            if "@" not in user:
                raise ValueError(f"{user!r} is no e-mail address; teams are named in `teams`")
        return users

    @field_validator("teams")
    @classmethod
    def _somebody(cls, teams: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not teams and not info.data.get("users", True):
            raise ValueError("a rule names users, teams or both")
        return teams


class OwnerConfig(Config):
    """Settings of processor `owner`."""

    mode: Mode = Field("empty", description=f"When owners are set. {MODES}")
    rules: tuple[OwnerRule, ...] = Field(
        (), description="The rules; the first one that matches decides."
    )


class OwnerProcessor(Processor):
    """Sets the owners of entities."""

    type = "owner"
    Config = OwnerConfig

    def __init__(self, config: OwnerConfig) -> None:
        super().__init__(config)
        self._mode: Mode = config.mode
        self._rules = [
            (Matcher(rule.pattern, kinds=rule.kinds), _owners(rule)) for rule in config.rules
        ]

    def process(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        unread: Counter[str] = Counter()
        for record in records:
            if isinstance(record, Entity) and not isinstance(record, Classification | Tag):
                yield self._owned(record, run, unread)
            else:
                yield record
        tell_unread(run, "owners", unread)

    def _owned(self, record: Entity, run: Run, unread: Counter[str]) -> Entity:
        owners = next((found for rule, found in self._rules if rule.entity(record.ref)), ())
        if not owners or record.owners == owners:
            return record
        if not sets(record, "owners", self._mode):
            if "owners" not in record.model_fields_set:
                unread[record.kind] += 1
            return record
        run.count(record.kind, "owned")
        return record.model_copy(update={"owners": owners})


def _owners(rule: OwnerRule) -> tuple[Owner, ...]:
    users = (Owner(type="user", email=email) for email in rule.users)
    return (*users, *(Owner(type="team", name=name) for name in rule.teams))


@hookimpl
def register_processors() -> list[type[Processor]]:
    return [OwnerProcessor]
