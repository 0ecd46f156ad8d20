"""Bookshelf: a source in one module. Its API has shelves (tables) with fields (columns)."""

from pydantic import Field, SecretStr

from metaglean import Column, Config, Database, Listed, Schema, Source, Step, Table, hookimpl
from metaglean.http import Bearer, offset_pages


class BookshelfConfig(Config):
    host_port: str = Field(description="Address of the Bookshelf API, such as https://host:8080.")
    token: SecretStr = Field(description="A token with the scope `shelves:read`.")


class Bookshelf(Source):
    type = "bookshelf"
    systems = ("Bookshelf",)
    Config = BookshelfConfig
    capabilities = frozenset({"deletion"})

    def api(self, run):
        token = self.config.token.get_secret_value()
        return run.session("Bookshelf", self.config.host_port, Bearer(token))

    def test_connection(self, run):
        answers = list(run.map(self.api(run).get_json, ["/v1/shelves?limit=1"]))
        yield Step("list shelves", bool(answers), "with the scope shelves:read")

    def read(self, run):
        database = self.service.child("database", "default")
        schema = database.child("databaseSchema", "default")
        yield from (Database(ref=database), Schema(ref=schema))
        shelves = offset_pages(self.api(run), "/v1/shelves", limit=5, items="shelves")
        inventory = (Listed(shelf["id"], shelf["name"], shelf["created"]) for shelf in shelves)
        yield from run.map(
            lambda listed: self.table(run, *listed), run.listing("table", schema).over(inventory)
        )

    def table(self, run, ref, listed):
        shelf = self.api(run).get_json(f"/v1/shelves/{listed.id}")
        url = f"{self.config.host_port}/shelves/{listed.id}"
        columns = tuple(Column(name=f["name"], data_type=f["type"]) for f in shelf["fields"])
        about = {"display_name": listed.name, "description": shelf["about"], "columns": columns}
        return Table(ref=ref, source_id=listed.id, source_url=url, **about)


@hookimpl
def register_sources():
    return [Bookshelf]
