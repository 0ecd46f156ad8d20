"""What a Domo tenant holds, as plain data. Times are epoch milliseconds unless said otherwise."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]

#: 2025-01-01T00:00:00Z; all generated times derive from it, so that runs are reproducible.
EPOCH_MS = 1_735_689_600_000

TYPES = ("STRING", "LONG", "DOUBLE", "DECIMAL", "DATE", "DATETIME")


class Column(NamedTuple):
    """One column. `type` is free text, because federated engines send names of their own."""

    name: str
    type: str
    description: str = ""
    upsert_key: bool = False


class Owner(NamedTuple):
    """Owner of a dataset; `type` is `USER` or `GROUP` and is shown on the instance plane only."""

    id: int
    name: str
    type: str = "USER"


@dataclass(frozen=True, slots=True)
class User:
    """A user. `listed=False` is one that was removed for good: 404, but datasets still name it."""

    id: int
    name: str
    email: str | None
    role: str = "Privileged"
    title: str = ""
    deleted: bool = False
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """A group and the ids of its members."""

    id: int
    name: str
    members: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """The load job of a dataset. `update_method` is `REPLACE`, `APPEND` or `UPSERT`."""

    id: int
    update_method: str = "REPLACE"
    keys: tuple[str, ...] = ()
    query: str | None = None


@dataclass(slots=True)
class Dataset:
    """One dataset.

    `columns` is `None` where they are generated on request by `recipe(column_count)`, which keeps
    large tenants small. `quirks` are the oddities of real tenants: `string-owner`, `no-rows`,
    `no-schema` (federated), `no-access` (400 that wraps a 403), `no-data` (a query answers 400),
    `deleted` (listed, but answered with 200 and `deleted: true`), `short-list-item`.
    """

    id: str
    name: str
    description: str | None = None
    owner: Owner | None = None
    columns: list[Column] | None = None
    column_count: int = 0
    recipe: Callable[[int], list[Column]] | None = None
    rows: int | None = 0
    created: int = EPOCH_MS
    updated: int = EPOCH_MS
    provider: str = "snowflake"
    transport: str = "CONNECTOR"
    cloud_id: str = "domo"
    state: str = "SUCCESS"
    tags: tuple[str, ...] | None = None
    certification: str | None = None
    stream: Stream | None = None
    pdp: bool = False
    policies: tuple[Json, ...] = ()
    co_owners: tuple[Owner, ...] = ()
    view: Json | None = None
    fusion: Json | None = None
    dictionary: str | None = None
    quirks: frozenset[str] = frozenset()
    bodies: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def all_columns(self) -> list[Column]:
        """The columns, made now where they are generated."""
        if self.columns is not None:
            return self.columns
        return self.recipe(self.column_count) if self.recipe else []

    def copy(self) -> Dataset:
        """A copy whose changes don't reach this one."""
        columns = None if self.columns is None else list(self.columns)
        return dataclasses.replace(self, columns=columns, bodies={})

    def cached(self, kind: str, build: Callable[[Dataset], Any]) -> bytes:
        """`build(self)` as JSON bytes, kept until the dataset changes."""
        # A change replaces the dict: a body built before it can only land in the old one.
        bodies = self.bodies
        body = bodies.get(kind)
        if body is None:
            body = bodies[kind] = dumps(build(self))
        return body


def dumps(value: Any) -> bytes:
    """Compact JSON as UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Parts(NamedTuple):
    """What a tenant is made of."""

    datasets: list[Dataset]
    users: Sequence[User]
    groups: Sequence[Group]
    flows: Sequence[Json] = ()
