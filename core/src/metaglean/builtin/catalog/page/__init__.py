"""One HTML page of what stands in a catalog: it works from a file, without network or server."""

from __future__ import annotations

from metaglean.builtin.catalog.page.writer import Page, write_page

__all__ = ["Page", "write_page"]
