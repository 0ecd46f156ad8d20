"""`domodatabase`: Domo's datasets and views as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from metaglean import Database, ItemError, Listed, NotFound, Record, Ref, Run, Schema, Source, Step
from metaglean_domo.api import INSTANCE, PUBLIC, PublicApi, instance_api, public_api
from metaglean_domo.config import DomoConnection, DomoDatabaseOptions
from metaglean_domo.connection import connection_steps
from metaglean_domo.convert import CERTIFICATION, DOMO_TAGS
from metaglean_domo.selfcheck import ASSUMPTIONS, Selfcheck
from metaglean_domo.tables import Tables

SCHEMA = "default"
_LINK = re.compile(r"/datasources/([^/?#]+)(?:[/?#]|$)")


class DomoDatabase(Source):
    """One database and one schema that hold every dataset the API client may see."""

    type = "domodatabase"
    systems = (PUBLIC, INSTANCE)
    Config = DomoConnection
    Options = DomoDatabaseOptions
    # The published sample says DomoDashboard.
    connection_types = ("DomoDatabase", "DomoDashboard")
    service_type = "DomoDatabase"
    classifications = (DOMO_TAGS, CERTIFICATION)
    capabilities = frozenset({"metadata", "owners", "tags", "views", "deletion"})
    assumptions = ASSUMPTIONS

    config: DomoConnection
    options: DomoDatabaseOptions
    _api: tuple[str, PublicApi] | None = None

    @classmethod
    def check_config(cls, config: DomoConnection, options: DomoDatabaseOptions) -> Iterable[str]:
        """Whether a dataset is a view is known on the instance plane only."""
        missing = config.missing_for_instance()
        if options.include_tables != options.include_views and missing:
            yield (
                f"{' and '.join(missing)} missing: includeTables and includeViews differ, and "
                "only the instance tells which datasets are views"
            )

    def test_connection(self, run: Run) -> Iterator[Step]:
        """One step a credential and scope."""
        yield from connection_steps(self._public(run), instance_api(run, self.config), self.config)

    def selfcheck(self, run: Run) -> Iterator[Step]:
        """What was never seen on a live tenant."""
        api = instance_api(run, self.config)
        yield from Selfcheck(self.config, self._public(run), api).steps()

    def read(self, run: Run) -> Iterator[Record]:
        """Database, schema, then the tables in order of dataset id."""
        name = self.config.database_name
        databases = run.listing("database", self.service)
        for database, _ in databases.over([Listed(name, name)]):
            yield Database(ref=database)
            schemas = run.listing("databaseSchema", database)
            for schema, _ in schemas.over([Listed(SCHEMA, SCHEMA)]):
                yield Schema(ref=schema)
                yield from self._tables(run, schema)

    def _tables(self, run: Run, schema: Ref) -> Iterator[Record]:
        public, instance = self._public(run), instance_api(run, self.config)
        return Tables(run, self.config, self.options, public, instance).read(schema)

    def connection(self, version: tuple[int, int]) -> Mapping[str, Any]:
        """The connection as a server keeps it: `instanceDomain` from 1.2 on."""
        return {"type": self.connection_types[0], **self.config.stored(version)}

    def id_in_url(self, url: str) -> str | None:
        """A dataset's id, in the links that Domo's own pages and OpenMetadata's ingestion use."""
        found = _LINK.search(url)
        return found[1] if found else None

    def confirm_gone(self, run: Run, kind: str, ids: Sequence[str]) -> Iterable[str]:
        """Ask for each table: 404 and a deleted mark are gone; all else, a refusal too, is not.

        Databases and schemas are names of the configuration: never gone.
        """
        if kind != "table":
            return ()
        api = self._public(run)

        def gone(dataset_id: str) -> str | None:
            try:
                api.dataset(dataset_id)
            except NotFound:
                return dataset_id
            except ItemError as error:
                run.log.debug("%s: not known to be gone: %s", dataset_id, error.message)
            return None

        return [dataset_id for dataset_id in run.map(gone, ids) if dataset_id]

    def _public(self, run: Run) -> PublicApi:
        """The public API of this run (with its one token)."""
        if self._api is None or self._api[0] != run.id:
            self._api = (run.id, public_api(run, self.config))
        return self._api[1]
