"""Bookshelf's profiler: asks the API how many books a shelf holds, and how often a field is empty.

Its `type` equals the source's, and it uses the source's own connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from metaglean import ColumnProfile, Profile, Profiler, Table, hookimpl

if TYPE_CHECKING:
    from metaglean import Run


class BookshelfProfiler(Profiler):
    type = "bookshelf"

    def profile(self, table: Table, run: Run) -> Iterator[Profile]:
        counts = self.source.api(run).get_json(f"/v1/shelves/{table.source_id}/counts")
        rows, empty = int(counts["books"]), counts["empty"]
        yield Profile(
            ref=table.ref,
            timestamp=int(run.started * 1000),
            row_count=rows,
            column_count=len(table.columns),
            columns=tuple(
                column_profile(column.name, rows, empty[column.name])
                for column in table.columns
                if column.name in empty
            ),
        )


def column_profile(name: str, rows: int, empty: Any) -> ColumnProfile:
    nulls = float(empty)
    return ColumnProfile(
        name=name,
        values_count=rows - nulls,
        null_count=nulls,
        null_proportion=nulls / rows if rows else 0.0,
    )


@hookimpl
def register_profilers() -> list[type[Profiler]]:
    return [BookshelfProfiler]
