"""A small source, whose service is a scratch one: tables with names that have been trouble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from metaglean.components import Config, Source, Step
from metaglean.names import Listed
from metaglean.records import (
    Column,
    Database,
    Lineage,
    Record,
    Ref,
    Schema,
    Service,
    Table,
)
from metaglean.run import Run

PLAIN = "plain"
RENAMED = "plain, renamed"
NAMES = (
    PLAIN, "dots.and spaces", 'say "yes"', "a::b", "percent %25 / slash ? # & +", "two\nlines",
    "Größe 数 😀", "Case", "case", "x" * 300,
)  # fmt: skip
_CHANGING = "id0"
_LINK = "https://selfcheck.invalid/"

Stage = Literal["first", "changed", "without", "renamed"]


class SampleConfig(Config):
    """`stage` is what has become of the sample: one table changed, then renamed as well, and for a
    while gone; `mark` the description of its service."""

    stage: Stage = "first"
    mark: str = ""


class Sample(Source):
    """Reads nothing: the records of one stage."""

    type = "metaglean-selfcheck"
    Config = SampleConfig
    capabilities = frozenset({"deletion"})

    def test_connection(self, run: Run) -> Iterator[Step]:
        return iter(())

    def read(self, run: Run) -> Iterator[Record]:
        yield Service(
            ref=self.service, service_type=self.service_type, description=self.config.mark
        )
        for database, _ in run.listing("database", self.service).over([Listed("d", "sample")]):
            yield Database(ref=database)
            listing = run.listing("databaseSchema", database)
            for schema, _ in listing.over([Listed("s", "sample")]):
                yield Schema(ref=schema)
                yield from self._tables(run, schema)

    def _tables(self, run: Run, schema: Ref) -> Iterator[Record]:
        refs: list[Ref] = []
        for ref, item in run.listing("table", schema).over(self._listed()):
            refs.append(ref)
            yield self._table(ref, item)
        for upstream, downstream in zip(refs[-3:], refs[-2:], strict=False):
            yield Lineage(ref=upstream, target=downstream, source="QueryLineage")

    def _listed(self) -> Iterator[Listed]:
        for number, name in enumerate(NAMES):
            if name == PLAIN and self.config.stage == "without":
                continue
            renamed = name == PLAIN and self.config.stage == "renamed"
            yield Listed(f"id{number}", RENAMED if renamed else name, number)

    def _table(self, ref: Ref, item: Listed) -> Table:
        """As it was; after its change with another text and one column more."""
        changed = item.id == _CHANGING and self.config.stage != "first"
        columns = [("id", "LONG"), ("na.me ü", "STRING")] + (
            [("more", "DOUBLE")] if changed else []
        )
        return Table(
            ref=ref,
            source_id=item.id,
            source_url=f"{_LINK}{item.id}",
            display_name=item.name,
            description="Changed." if changed else "A sample of a self-check.",
            columns=tuple(Column(name=name, data_type=kind) for name, kind in columns),
        )

    def id_in_url(self, url: str) -> str | None:
        return url.removeprefix(_LINK) if url.startswith(_LINK) else None
