"""What the entry points name. The sources are imported when core asks for them."""

from __future__ import annotations

from collections.abc import Iterable

from metaglean import Source, hookimpl


@hookimpl
def register_sources() -> Iterable[type[Source]]:
    """The sources of this plugin."""
    from metaglean_domo.database import DomoDatabase

    return [DomoDatabase]
