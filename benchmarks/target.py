"""100,000 entities in the target, nothing of them gone: reading them and the deletion pass.

A source that lists everything and reads nothing, found through its entry point as any plugin, so
that the measured process is `metaglean ingest` here too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from figures import Figure
from ingest import environment, executable, state
from measure import Cost, run
from rows import Bench

MODULE = '''\
"""A source that lists so many tables and reads only the first."""
from pydantic import Field

from metaglean import Column, Config, Database, Listed, Schema, Source, Table, hookimpl
from metaglean.options import DatabaseOptions


class Settings(Config):
    type: str = Field("Numbers", description="Numbers.")
    tables: int = Field(description="How many.")


class Numbers(Source):
    type = "numbers"
    Config, Options = Settings, DatabaseOptions
    connection_types = ("Numbers",)
    capabilities = frozenset({"metadata", "deletion"})

    def test_connection(self, run):
        return iter(())

    def confirm_gone(self, run, kind, ids):
        raise AssertionError("nothing is gone, so nothing is asked")

    def read(self, run):
        for database, _ in run.listing("database", self.service).over([Listed("d", "d")]):
            yield Database(ref=database)
            for schema, _ in run.listing("databaseSchema", database).over([Listed("s", "s")]):
                yield Schema(ref=schema)
                items = (Listed(f"id-{n:06d}", f"table {n:06d}") for n in range(self.config.tables))
                for ref, listed in run.listing("table", schema).over(items):
                    if listed.id == "id-000000":
                        names = (f"column_{i}" for i in range(20))
                        columns = [Column(name=name, data_type="STRING") for name in names]
                        yield Table(ref=ref, source_id=listed.id, columns=columns)


@hookimpl
def register_sources():
    return [Numbers]
'''

# All tables are copies of the one that the sink wrote, under the names that the source lists.
COPY = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ? - 1)
INSERT INTO entities (kind, parent, name, fqn, source_id, hash, deleted_run, updated, created_run,
                      updated_run, volatile, state)
SELECT kind, parent, printf('table %06d', n), parent || printf('.table %06d', n),
       printf('id-%06d', n), hash, NULL, updated, created_run, updated_run, volatile,
       replace(state, 'id-000000', printf('id-%06d', n))
FROM entities, numbers WHERE kind = 'table'
"""


def target(bench: Bench) -> Iterator[Figure]:
    """Both sizes, and what the large one costs above the small one."""
    large = (20 if bench.quick else 100) * bench.datasets
    (small_cost, _), (cost, deleted) = (_measured(bench, n) for n in (bench.datasets, large))
    what = f"{large:,} entities in the target"
    yield Figure("target", f"{what}: processor", cost.cpu, "CPU-s", 10)
    above = cost.rss - small_cost.rss
    yield Figure("target", f"{what}: memory above {bench.datasets:,}", above, "MB", 100)
    yield Figure("target", f"{what}: memory", cost.rss, "MB")
    yield Figure("target", f"{what}: deleted", deleted, "", 0, exact=True)


def _measured(bench: Bench, tables: int) -> tuple[Cost, int]:
    folder = bench.folder / f"target-{tables}"
    _plugin(folder)
    catalog = folder / "catalog.db"
    settings = environment(PYTHONPATH=str(folder))
    command = (executable(), "ingest", "-c", "workflow.yaml")
    _workflow(folder, catalog, 1)
    run(command, settings, folder)
    with closing(sqlite3.connect(catalog)) as database, database:
        database.execute(COPY, (tables,))
    _workflow(folder, catalog, tables)
    costs = [run(command, settings, folder) for _ in range(bench.runs)]
    found = state(catalog)
    if found.tables + found.deleted != tables:
        raise RuntimeError(f"{found.tables} tables stand instead of {tables}")
    return Cost(*(min(values) for values in zip(*costs, strict=True))), found.deleted


def _plugin(folder: Path) -> None:
    described = folder / "numbers_source-1.dist-info"
    described.mkdir(parents=True)
    (folder / "numbers_source.py").write_text(MODULE, "utf-8")
    metadata = "Metadata-Version: 2.1\nName: numbers-source\nVersion: 1\n"
    (described / "METADATA").write_text(metadata, "utf-8")
    points = "[metaglean.sources.v1]\nnumbers = numbers_source\n"
    (described / "entry_points.txt").write_text(points, "utf-8")


def _workflow(folder: Path, catalog: Path, tables: int) -> None:
    described = {
        "source": {
            "type": "numbers",
            "serviceName": "numbers",
            "serviceConnection": {"config": {"type": "Numbers", "tables": tables}},
            "sourceConfig": {"config": {"type": "DatabaseMetadata", "markDeletedTables": True}},
        },
        "sink": {"type": "catalog", "config": {"path": str(catalog)}},
    }
    (folder / "workflow.yaml").write_text(json.dumps(described), "utf-8")
