"""The profile workflow: the source is read as usual, each table goes to the profiler."""

from __future__ import annotations

from collections.abc import Iterator

from metaglean.components import Profiler
from metaglean.records import Record, Table
from metaglean.run import Run


def profiled(records: Iterator[Record], profiler: Profiler, run: Run) -> Iterator[Record]:
    """Only the profiles of the tables among `records`; one that fails is a problem."""
    tables = (record for record in records if isinstance(record, Table))
    for profiles in run.map(lambda table: list(profiler.profile(table, run)), tables):
        yield from profiles
