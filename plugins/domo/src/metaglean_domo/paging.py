"""Lists that Domo gives in pages by offset, without a total."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from metaglean import ItemError


def pages(fetch: Callable[[int], list[Any]], limit: int, what: str) -> Iterator[Any]:
    """The items of all pages, each id once; items without an id are passed on.

    `fetch(offset)` gives one page of at most `limit` items. Only an empty page is the end: a short
    one may come from a smaller limit of the host, or from items that it hides. The offset goes by
    what came, so that neither loses anything. Raises ItemError where a full page brings nothing
    new, asked twice: then something else was left out.
    """
    seen: set[str] = set()
    offset = 0
    while page := fetch(offset):
        fresh = _fresh(page, seen)
        if not fresh:
            page = fetch(offset)
            fresh = _fresh(page, seen)
        if not fresh:
            if len(page) >= limit:
                raise ItemError(f"{what}: the page at {offset} brings only what came before")
            return
        yield from fresh
        offset += len(page)


def _fresh(page: list[Any], seen: set[str]) -> list[Any]:
    fresh = []
    for item in page:
        identifier = item.get("id") if isinstance(item, dict) else None
        key = "" if identifier is None else str(identifier)
        if key not in seen:
            fresh.append(item)
            if key:
                seen.add(key)
    return fresh if any(isinstance(i, dict) and i.get("id") is not None for i in fresh) else []
