"""The embedded catalog: sink `catalog`, one SQLite file with runs and history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean import hookimpl

if TYPE_CHECKING:
    from metaglean import Sink


@hookimpl
def register_sinks() -> list[type[Sink]]:
    # Here, so that `metaglean catalog ls` pays for its reader alone.
    from metaglean.builtin.catalog.sink import CatalogSink

    return [CatalogSink]
