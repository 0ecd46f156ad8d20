"""What `metaglean catalog search` costs: a search after start, and what its index adds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Baseline, Figure
from ingest import environment, executable
from measure import least, run
from rows import Bench

ROOT = Path(__file__).resolve().parent.parent
FACTOR = 100  # tables, as a multiple of the datasets of the other rows
STARTS = 5
# Words of one column, of most tables, of none, and one letter.
QUERIES = ("customer", "customer gold", "amount", "order nowhere", "a")
LIMIT = 0.2  # seconds

# The tables are written around the sink, and indexed here as the sink would do it at its end.
MAKE = """
import json, resource, sys
from contextlib import closing
from pathlib import Path
from metaglean.builtin.catalog import index
from metaglean.builtin.catalog.store import Store
from metaglean.clock import SystemClock
from tests.browser.company import make_catalog

def processor():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

path = Path(sys.argv[1])
make_catalog(path, int(sys.argv[2]))
size, began = path.stat().st_size, processor()
with closing(Store(path, SystemClock(), writable=True)) as store:
    index.catch_up(store, lambda: False)
print(json.dumps({"plain": size, "whole": path.stat().st_size, "cpu": processor() - began}))
"""
# A new process each time: the first search after the modules are there, the file opened anew.
SEARCH = """
import sys, time
from contextlib import closing
from pathlib import Path
from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.search import search

began = time.perf_counter()
with closing(Reader(Path(sys.argv[1]))) as reader:
    found = search(reader, sys.argv[2].split())
print(time.perf_counter() - began)
assert found.unindexed == 0
"""
# The same without an index, by a scan: which tables hold the words anywhere.
SCAN = """
import sqlite3, sys, time

words = sys.argv[2].split()
began = time.perf_counter()
held = " AND ".join("(fqn LIKE ? OR state LIKE ?)" for _ in words)
values = [f"%{word}%" for word in words for _ in range(2)]
connection = sqlite3.connect(sys.argv[1])
connection.execute(
    f"SELECT kind, fqn FROM entities WHERE deleted_run IS NULL AND {held}"
    " ORDER BY length(fqn) LIMIT 20",
    values,
).fetchall()
print(time.perf_counter() - began)
connection.close()
"""


def search(bench: Bench) -> Iterator[Figure]:
    """A catalog of 100,000 tables of 20 columns."""
    tables = bench.datasets * (10 if bench.quick else FACTOR)
    catalog = bench.folder / "search.db"
    made = _said(MAKE, catalog, str(tables))
    what = f"{tables:,} × 20"
    for query in QUERIES:
        times = [_said(SEARCH, catalog, query) for _ in range(STARTS)]
        scan = min(_said(SCAN, catalog, query) for _ in range(1 if bench.quick else 2))
        baseline = Baseline(scan, measured=True, of="a scan with LIKE")
        yield Figure("search", f"{what}: “{query}” after start", min(times), "s", LIMIT, baseline)
    command = (executable(), "catalog", "search", "-f", str(catalog), QUERIES[0])
    cost = least([run(command, environment(), bench.folder) for _ in range(STARTS)])
    yield Figure("search", f"{what}: the whole command", cost.wall, "s")
    added = 100 * (made["whole"] / made["plain"] - 1)
    yield Figure("search", f"{what}: the index adds to the file", added, "%", 20)
    each = 1000 * made["cpu"] / tables
    yield Figure("search", f"{what}: indexing a table, processor", each, "ms", 0.3)


def _said(code: str, catalog: Path, word: str) -> Any:
    """What a program printed, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(catalog), word],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)
