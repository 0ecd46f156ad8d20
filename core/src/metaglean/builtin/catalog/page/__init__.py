"""One HTML page of what stands in a catalog: readable from a file, with no network and no server."""

from __future__ import annotations

from metaglean.builtin.catalog.page.writer import Page, write_page

__all__ = ["Page", "write_page"]
