"""Sample records: few, but with every difficult name and every field that a sink may meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from metaglean.records import (
    Classification,
    Column,
    Database,
    Entity,
    LifeCycle,
    Lineage,
    Owner,
    Record,
    Ref,
    Schema,
    Service,
    Table,
    Tag,
    TagLabel,
)

SERVICE = Ref("databaseService", ("testkit",))
DATABASE = SERVICE.child("database", "default")
SCHEMA = DATABASE.child("databaseSchema", "default")
OTHER_SCHEMA = DATABASE.child("databaseSchema", "other.schema")

NAMES = (
    "orders",
    "with.dots.in",
    'with "quotes"',
    "with::colons",
    "with\nnewline",
    "täglich · 毎日 · 🙂",
    "a > b",
    "x" * 256,
    "__reserved",
    "per%cent'apostrophe",
)


class Novelty(Record):
    """A record of a kind that no component knows yet."""

    KIND: ClassVar[str] = "novelty"


def tables() -> list[Table]:
    """One table a name, with all that a source can say of it."""
    return [
        Table(
            ref=SCHEMA.child("table", name),
            source_id=f"id-{number}",
            source_url=f"https://source.example/tables/id-{number}",
            display_name=f"Table {number}",
            description=f"What table {number} holds.",
            owners=(Owner(type="user", email="ann@example.com", name="Ann"),),
            tags=(TagLabel(classification="Testkit", name="Sample"),),
            life_cycle=LifeCycle(created=1_700_000_000_000, updated=1_700_000_100_000),
            facets={"testkit": {"number": number}},
            volatile_facets={"testkit": {"rows": number * 10}},
            table_type="View" if number == 1 else "Regular",
            schema_definition="SELECT 1" if number == 1 else None,
            columns=(
                Column(name="id", data_type="LONG", ordinal_position=1, description="The key."),
                Column(name='odd "name".x', data_type="STRING", ordinal_position=2),
            ),
        )
        for number, name in enumerate(NAMES)
    ]


def entities() -> list[Entity]:
    """A small service, parents first: two schemas, a classification, ten tables and one more."""
    return [
        Service(ref=SERVICE, service_type="CustomDatabase"),
        Classification(ref=Ref("classification", ("Testkit",)), description="Of the test kit."),
        Tag(ref=Ref("tag", ("Testkit", "Sample")), description="A sample."),
        Database(ref=DATABASE),
        Schema(ref=SCHEMA),
        Schema(ref=OTHER_SCHEMA),
        *tables(),
        Table(
            ref=OTHER_SCHEMA.child("table", "orders"),
            source_id="id-elsewhere",
            source_url="https://source.example/tables/id-elsewhere",
            columns=(),
        ),
    ]


def id_in_url(url: str) -> str | None:
    """The `source_id` in a `source_url` of these records (`Source.id_in_url`)."""
    return url.rpartition("/tables/")[2] if "/tables/" in url else None


def lineage() -> list[Lineage]:
    """An edge within the service and one to a table that isn't there."""
    first, second = (table.ref for table in tables()[:2])
    foreign = Ref("table", ("elsewhere", "db", "schema", "table"))
    return [Lineage(ref=first, target=second), Lineage(ref=foreign, target=second)]


def records() -> list[Record]:
    """Entities, then lineage."""
    return [*entities(), *lineage()]


def endless() -> Iterator[Record]:
    """Tables without end, each tenth a `Novelty`."""
    number = 0
    while True:
        ref = SCHEMA.child("table", f"t{number}")
        yield Novelty(ref=ref) if number % 10 == 9 else Table(ref=ref, source_id=f"n-{number}")
        number += 1
