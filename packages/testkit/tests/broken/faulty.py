"""Sources over HTTP that each handle one fault badly; the good one beside them."""

# ruff: noqa: N801, A001  # a nested class stands for the attribute of that name; `id` is the API's

from __future__ import annotations

import contextlib
import json
import logging
from urllib.parse import parse_qs

import pytest
from pydantic import Field, SecretStr

from metaglean import (
    Column,
    Config,
    Database,
    DatabaseOptions,
    ItemError,
    Listed,
    MetagleanError,
    RemoteError,
    Schema,
    Source,
    Step,
    Table,
)  # fmt: skip
from metaglean.http import Bearer, offset_pages
from metaglean_testkit import Answer, SourceFaults

TOKEN = "canary-of-the-library"
FEW = ("500", "404", "cut-json", "timeout", "dropped", "duplicate-page", "nulls", "wrong-types")


class Api:
    """Twelve tables in pages of four, and one call for the columns of each."""

    def __init__(self):
        self.tables = {f"t{n:02d}": f"Table {n}" for n in range(12)}

    def __call__(self, request):
        query = parse_qs(request.target.partition("?")[2])
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, data = 401, {"token": request.headers.get("Authorization")}
        elif request.path == "/tables":
            offset = int(query["offset"][0])
            page = list(self.tables.items())[offset : offset + 4]
            status, data = 200, [{"id": id, "name": name} for id, name in page]
        elif (id := request.path.rpartition("/")[2]) in self.tables:
            status, data = 200, {"id": id, "columns": ["a", "b"], "about": "All."}
        else:
            status, data = 404, {}
        return Answer(status, {"Content-Type": "application/json"}, json.dumps(data).encode())


class LibraryConfig(Config):
    host: str = Field(description="Where it is.")
    token: SecretStr = Field(description="Lets you in.")


class Library(Source):
    type = "library"
    Config = LibraryConfig
    Options = DatabaseOptions
    capabilities = frozenset({"deletion"})

    def api(self, run):
        return run.session(
            "Library", self.config.host, Bearer(self.config.token.get_secret_value())
        )

    def test_connection(self, run):
        yield Step("nothing", True)

    def inventory(self, run):
        for item in offset_pages(self.api(run), "/tables", 4):
            yield Listed(item["id"], item["name"])

    def read(self, run):
        schema = self.service.child("database", "default").child("databaseSchema", "default")
        yield Database(ref=schema.parent)
        yield Schema(ref=schema)
        listing = run.listing("table", schema)
        yield from self.details(run, listing.over(self.inventory(run)))

    def details(self, run, tables):
        yield from run.map(lambda pair: self.table(run, *pair), tables)

    def table(self, run, ref, listed):
        detail = self.api(run).get_json(f"/tables/{listed.id}")
        columns = tuple(Column(name=name) for name in detail["columns"])
        if not isinstance(detail["columns"], list):
            raise ItemError("no columns")
        about = detail["about"] if isinstance(detail["about"], str) else None
        return Table(ref=ref, source_id=listed.id, columns=columns, description=about)


class Suite(SourceFaults):
    faults = FEW
    seeds = (1,)

    @pytest.fixture
    def upstream(self):
        self.library = Api()
        return self.library

    def connection(self, base_url):
        return {"host": base_url, "token": TOKEN}

    def remove_one(self):
        del self.library.tables["t05"]
        return "t05"


class TestGood(Suite):
    faults = (*FEW, "401", "403", "429", "429-retry-after", "502", "503", "truncated",
              "empty-body", "html", "same-names")  # fmt: skip
    source_class = Library


class TestSwallowsPages(Suite):
    class source_class(Library):
        def inventory(self, run):
            try:
                yield from super().inventory(run)
            except MetagleanError as error:
                run.warn(f"a page failed: {error}")


class TestEmptiesColumns(Suite):
    class source_class(Library):
        def table(self, run, ref, listed):
            try:
                return super().table(run, ref, listed)
            except ItemError:
                return Table(ref=ref, source_id=listed.id, columns=())


class TestStopsAtOneFailure(Suite):
    class source_class(Library):
        def details(self, run, tables):
            for ref, listed in tables:
                yield self.table(run, ref, listed)


class TestLogsTheTokenOnFailure(Suite):
    class source_class(Library):
        def table(self, run, ref, listed):
            try:
                return super().table(run, ref, listed)
            except ItemError:
                logging.getLogger("library").warning(
                    "with %s", self.config.token.get_secret_value()
                )
                raise


class TestIgnoresDuplicatePages(Suite):
    class source_class(Library):
        def inventory(self, run):
            for page in range(3):
                for item in self.api(run).get_json("/tables", offset=4 * page):
                    yield Listed(item["id"], item["name"])


class TestNeverDeletes(Suite):
    class source_class(Library):
        def confirm_gone(self, run, kind, ids):
            return ()


class TestHidesThatItIsAway(Suite):
    class source_class(Library):
        def inventory(self, run):
            with contextlib.suppress(RemoteError):
                yield from super().inventory(run)


class Optional(Suite):
    """The names come from elsewhere: the API tells the columns only."""

    needed = False
    faults = ("500", "timeout")
    __test__ = False

    class source_class(Library):
        def inventory(self, run):
            yield from (Listed(f"t{n:02d}", f"Table {n}") for n in range(12))

        def table(self, run, ref, listed):
            try:
                return super().table(run, ref, listed)
            except RemoteError as error:
                run.warn(f"no columns: {error}")
                return Table(ref=ref, source_id=listed.id)


class TestGoodOptional(Optional):
    def remove_one(self):
        return None


class TestNeedsTheOptional(Optional):
    source_class = Library


class TestEmptiesWithoutTheOptional(Optional):
    class source_class(Optional.source_class):
        def table(self, run, ref, listed):
            table = super().table(run, ref, listed)
            return table if table.columns else table.model_copy(update={"columns": ()})


class TestSaysNothingOfTheOptional(Optional):
    class source_class(Optional.source_class):
        def table(self, run, ref, listed):
            with contextlib.suppress(RemoteError):
                return Library.table(self, run, ref, listed)
            return Table(ref=ref, source_id=listed.id)
