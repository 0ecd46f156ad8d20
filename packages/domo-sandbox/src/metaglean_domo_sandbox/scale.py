"""Large tenants for benchmarks: one small object a dataset, columns generated on request."""

from __future__ import annotations

import random
import uuid
from functools import partial

from metaglean_domo_sandbox import view_ast as ast
from metaglean_domo_sandbox.model import (
    EPOCH_MS,
    TYPES,
    Column,
    Dataset,
    Group,
    Owner,
    Parts,
    Stream,
    User,
)

_SUBJECTS = (
    "Orders Customers Invoices Shipments Tickets Sessions Budget Payroll Inventory Leads Campaigns "
    "Returns Suppliers Subscriptions Churn Forecast"
).split()
_AREAS = "EMEA APAC Americas Finance Sales Marketing Support Logistics".split()
_WORDS = (
    "amount status region country channel owner created closed price cost tax segment rate score "
    "quantity discount currency product customer batch"
).split()
_TAGS = "finance pii gold raw weekly daily board gdpr".split()


def columns_of(number: int, count: int) -> list[Column]:
    """The columns of the dataset with this number: `row_id`, then words with a running number."""
    made = [Column("row_id", "LONG")] if count else []
    for i in range(1, count):
        word = _WORDS[(number + i) % len(_WORDS)]
        made.append(Column(f"{word}_{i}", TYPES[(number + 7 * i) % len(TYPES)]))
    return made


def build(
    count: int,
    columns: int,
    streams: float,
    seed: int,
    views: float,
    federated: float,
    upserts: float,
) -> Parts:
    """See `Tenant.scale`. Exactly `round(fraction * count)` datasets have the trait."""
    rng = random.Random(seed)
    users = [User(100 + i, f"User {i}", f"user{i}@acme.test") for i in range(50)]
    groups = [Group(5000 + i, f"Team {i}", (100 + i, 101 + i)) for i in range(5)]
    owners = [Owner(u.id, u.name) for u in users]
    owners += [Owner(g.id, g.name, "GROUP") for g in groups]
    made: list[Dataset] = []
    stream_count = round(count * streams)
    for number in range(count):
        dataset = _dataset(rng, number, columns, owners)
        if number < stream_count:
            dataset.stream = _stream(number, round(stream_count * upserts))
        made.append(dataset)
    # Views and federated ones are taken from the end, where the datasets have no stream.
    view_count, federated_count = round(count * views), round(count * federated)
    for dataset in made[count - view_count :]:
        _make_view(dataset, rng.choice(made[: count - view_count] or made))
    for dataset in made[count - view_count - federated_count : count - view_count]:
        dataset.provider, dataset.quirks = "snowflake-federated", frozenset({"no-schema"})
    return Parts(made, users, groups)


def _dataset(rng: random.Random, number: int, columns: int, owners: list[Owner]) -> Dataset:
    created = EPOCH_MS + rng.randrange(200 * 86_400) * 1000
    identifier = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    area = _AREAS[(number // len(_SUBJECTS)) % len(_AREAS)]
    return Dataset(
        id=identifier,
        name=f"{subject} {area} {number:05d}",
        description=f"{subject} of {area}, loaded nightly." if number % 3 else None,
        owner=rng.choice(owners),
        column_count=columns,
        recipe=partial(columns_of, number),
        rows=rng.randrange(5_000_000),
        created=created,
        updated=created + rng.randrange(200 * 86_400_000),
        tags=(_TAGS[number % len(_TAGS)], "s_snowflake") if number % 4 == 0 else None,
        certification="CERTIFIED" if number % 10 == 0 else None,
        pdp=number % 25 == 0,
    )


def _stream(number: int, upserts: int) -> Stream:
    if number < upserts:
        return Stream(10_000 + number, "UPSERT", ("row_id",))
    return Stream(10_000 + number, "REPLACE" if number % 2 else "APPEND")


def _make_view(dataset: Dataset, base: Dataset) -> None:
    names = [c.name for c in base.all_columns()[:5]]
    dataset.provider, dataset.transport, dataset.stream = "dataset-view", "VIEW", None
    dataset.columns = base.all_columns()[:5]
    dataset.column_count = len(names)
    dataset.view = ast.select([ast.column(n, "t") for n in names], ast.table(base.id, "t"))
