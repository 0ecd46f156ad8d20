"""Sources that each break one rule. `test_suites_can_fail.py` says which rule must notice."""

# ruff: noqa: N801, A001  # a nested class stands for the attribute of that name; `id` is the API's

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Mapping

import pytest
from pydantic import ConfigDict, Field, SecretStr

from metaglean import (
    Assumption,
    Column,
    Config,
    Database,
    Lineage,
    Listed,
    Owner,
    RemoteError,
    Schema,
    Source,
    SourceOptions,
    Step,
    Table,
)  # fmt: skip
from metaglean_testkit import SourceContract

TOKEN = "canary-of-the-library"
BOOKS = {"b1": "Atlas", "b2": "atlas", "b3": "Zoo", "b4": "Atlas", "b5": "Yak"}


class LibraryConfig(Config):
    host: str = Field("here", description="Where it is.")
    token: SecretStr = Field(description="Lets you in.")


class Library(Source):
    """A source in memory that keeps all rules."""

    type = "library"
    Config = LibraryConfig
    capabilities = frozenset({"deletion"})

    def inventory(self, run):
        yield from (Listed(id, name) for id, name in BOOKS.items())

    def schema(self):
        return self.service.child("database", "default").child("databaseSchema", "default")

    def test_connection(self, run):
        yield Step("log in", self.config.token.get_secret_value() == TOKEN)

    def parents(self):
        yield Database(ref=self.schema().parent)
        yield Schema(ref=self.schema())

    def tables(self, run):
        for ref, listed in run.listing("table", self.schema()).over(self.inventory(run)):
            yield self.table(ref, listed)

    def table(self, ref, listed, **more):
        columns = (Column(name="isbn"),)
        return Table(ref=ref, source_id=listed.id, columns=columns, **more)

    def read(self, run):
        if self.config.token.get_secret_value() != TOKEN:
            raise RemoteError("the library refuses the token")
        yield from self.parents()
        yield from self.tables(run)


class Suite(SourceContract):
    @pytest.fixture
    def connection(self) -> Mapping[str, object]:
        return {"token": TOKEN}


class TestGood(Suite):
    source_class = Library


class TestChildrenFirst(Suite):
    class source_class(Library):
        def read(self, run):
            yield from self.tables(run)
            yield from self.parents()


class TestYieldsToken(Suite):
    class source_class(Library):
        def table(self, ref, listed):
            return super().table(ref, listed, description=self.config.token.get_secret_value())


class TestLogsToken(Suite):
    class source_class(Library):
        def read(self, run):
            logging.getLogger("library").info("token=%s", self.config.token.get_secret_value())
            yield from super().read(run)


class TestRaisesToken(Suite):
    class source_class(Library):
        def read(self, run):
            if self.config.token.get_secret_value() != TOKEN:
                print_to = logging.getLogger("library")
                print_to.error("refused: %s", self.config.token.get_secret_value())
                raise RemoteError("refused")
            yield from super().read(run)


class TestIgnoresCredentials(Suite):
    class source_class(Library):
        def test_connection(self, run):
            yield Step("log in", True)


class TestFailsConnection(Suite):
    class source_class(Library):
        def test_connection(self, run):
            yield Step("log in", False)


class TestMumbles(Suite):
    class source_class(Library):
        assumptions = (Assumption("pages", "pages of 100"),)


class TestClock(Suite):
    class source_class(Library):
        def table(self, ref, listed):
            return super().table(ref, listed, description=f"read at {time.monotonic_ns()}")


class TestNoListing(Suite):
    class source_class(Library):
        def tables(self, run):
            for id, name in BOOKS.items():
                yield self.table(self.schema().child("table", f"{name} {id}"), Listed(id, name))


class TestHidesFiltered(Suite):
    class source_class(Library):
        def inventory(self, run):
            pattern = run.filters.pattern("table")
            return (b for b in super().inventory(run) if not pattern or pattern.keeps(b.name))


class TestCutsAtLimit(Suite):
    class source_class(Library):
        def inventory(self, run):
            return itertools.islice(super().inventory(run), run.limit)


class TestEager(Suite):
    class source_class(Library):
        def read(self, run):
            yield from list(super().read(run))


class TestSetsUnreadOwners(Suite):
    class source_class(Library):
        def table(self, ref, listed):
            return super().table(ref, listed, owners=())


class TestPromisesOwners(Suite):
    class source_class(Library):
        capabilities = frozenset({"owners"})


class TestPromisesTags(Suite):
    class source_class(Library):
        capabilities = frozenset({"tags"})

        def table(self, ref, listed):
            return super().table(ref, listed, owners=(Owner(type="team", name="x"),))


class TestUndeclaredLineage(Suite):
    class source_class(Library):
        def read(self, run):
            yield from super().read(run)
            yield Lineage(ref=self.schema().child("table", "a"), target=self.schema())


class TestTwice(Suite):
    class source_class(Library):
        def tables(self, run):
            for table in super().tables(run):
                yield table
                yield table


class TestNoIds(Suite):
    class source_class(Library):
        def table(self, ref, listed):
            return Table(ref=ref)


class TestOwnNames(Suite):
    class source_class(Library):
        def tables(self, run):
            for number, table in enumerate(super().tables(run)):
                yield table.model_copy(update={"ref": table.ref.renamed(f"table {number}")})


class TestForeignRefs(Suite):
    class source_class(Library):
        def schema(self):
            other = self.service.renamed("elsewhere")
            return other.child("database", "default").child("databaseSchema", "default")


class TestBlankTexts(Suite):
    class source_class(Library):
        def table(self, ref, listed):
            return super().table(ref, listed, description="")


class TestNotJson(Suite):
    class source_class(Library):
        def table(self, ref, listed):
            return super().table(ref, listed, facets={"library": {"pair": (1, 2)}})


class TestHog(Suite):
    class source_class(Library):
        def read(self, run):
            held = bytearray(64_000_000)
            yield from super().read(run)
            del held


class TestEverythingIsGone(Suite):
    class source_class(Library):
        def confirm_gone(self, run, kind, ids):
            return ids


class TestTakesEveryKindForTables(Suite):
    class source_class(Library):
        def parents(self):
            yield Database(ref=self.schema().parent)

        def tables(self, run):
            schemas = run.listing("databaseSchema", self.schema().parent)
            for ref, _ in schemas.over([Listed("default", "default")]):
                yield Schema(ref=ref)
            yield from super().tables(run)

        def confirm_gone(self, run, kind, ids):
            return [id for id in ids if id not in BOOKS]


class TestNothingToDelete(Suite):
    class source_class(Library):
        Options = SourceOptions


class TestFailsItems(Suite):
    class source_class(Library):
        def tables(self, run):
            yield from run.map(lambda pair: 1 / 0, run.listing("table", self.schema()).over(
                self.inventory(run)))  # fmt: skip


class PlainConfig(Config):
    token: str = Field(description="Not hidden.")


class UndescribedConfig(Config):
    token: SecretStr


class LaxConfig(LibraryConfig):
    model_config = ConfigDict(extra="ignore")


class TestPlainSecret(Suite):
    class source_class(Library):
        Config = PlainConfig


class TestUndescribed(Suite):
    class source_class(Library):
        Config = UndescribedConfig


class TestLax(Suite):
    class source_class(Library):
        Config = LaxConfig


class TestShouts(Suite):
    class source_class(Library):
        type = "LIBRARY"
