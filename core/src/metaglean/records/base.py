"""What all records share: frozen, strict about unknown keys, exact in JSON.

A field that was not set was not read (`model_fields_set`); a field set to None or () was read and
is empty. Sinks send only what was read.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from metaglean.records.ref import Ref


class Part(BaseModel):
    """Base of what stands inside a record (a column, an owner, a tag label)."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Owner(Part):
    """A user or team as the source names it: users by exact `email`, teams by exact `name`."""

    type: Literal["user", "team"]
    name: str | None = None
    email: str | None = None


class TagLabel(Part):
    """A tag on an entity: `classification` and `name` are raw names."""

    classification: str
    name: str


class LifeCycle(Part):
    """When the thing came to be and was last written at the source, in epoch milliseconds (UTC)."""

    created: int | None = None
    updated: int | None = None


class Record(BaseModel):
    """Base of all records; `ref` is the entity that it is, or belongs to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    KIND: ClassVar[str]

    ref: Ref

    @property
    def kind(self) -> str:
        """What it counts as: an entity as its ref's kind, all else as its own."""
        return self.KIND


class Entity(Record):
    """Base of the records that stand in a catalog under a name of their own.

    `source_id` is the platform's own id, `source_url` a link for people.
    `tags` may be those of some classifications only, which `tags_of` names then: labels of all
    others were not read.
    `facets` holds what one platform knows beyond the fields, one namespaced key each
    (`"domo": {...}`); `volatile_facets` the same for what changes with every load (row counts,
    load states): sinks may store it, but it never makes an entity count as changed. Each key is
    like a field: one that is absent was not read, one with an empty value was read and is empty.
    """

    source_id: str | None = None
    source_url: str | None = None
    display_name: str | None = None
    description: str | None = None
    owners: tuple[Owner, ...] = ()
    tags: tuple[TagLabel, ...] = ()
    tags_of: tuple[str, ...] | None = None
    life_cycle: LifeCycle | None = None
    facets: dict[str, Any] = {}
    volatile_facets: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        return self.ref.kind
