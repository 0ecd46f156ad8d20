"""Sink `metadata-rest`: writes to an OpenMetadata server, 1.1 to 2.x, over REST."""

from __future__ import annotations

from metaglean import Sink, hookimpl


@hookimpl
def register_sinks() -> list[type[Sink]]:
    # Here, so that what reads only a part of the package pays for that part alone.
    from metaglean.builtin.server.sink import MetadataRestSink

    return [MetadataRestSink]
