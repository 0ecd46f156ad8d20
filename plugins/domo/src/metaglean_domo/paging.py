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
    seen: dict[str, None] = {}  # a set of that many takes three times the memory
    offset, stale = 0, False
    while page := fetch(offset):
        fresh = _fresh(page, seen)
        if not fresh:
            page = fetch(offset)
            fresh = _fresh(page, seen)
        if fresh:
            yield from fresh
            offset, stale = offset + len(page), False
        elif len(page) >= limit:
            raise ItemError(f"{what}: the page at {offset} brings only what came before")
        elif stale:
            return  # the host ignores the offset: this one page is all there is
        else:
            # The rest of this page is hidden; what it shows came with the page before.
            offset, stale = offset + limit, True


def _fresh(page: list[Any], seen: dict[str, None]) -> list[Any]:
    fresh = []
    for item in page:
        identifier = item.get("id") if isinstance(item, dict) else None
        key = "" if identifier is None else str(identifier)
        if key not in seen:
            fresh.append(item)
            if key:
                seen[key] = None
    return fresh if any(isinstance(i, dict) and i.get("id") is not None for i in fresh) else []
