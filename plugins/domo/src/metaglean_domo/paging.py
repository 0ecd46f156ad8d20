"""Lists that Domo gives in pages by offset, without a total."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from metaglean import ItemError


def pages(
    fetch: Callable[[int], list[Any]],
    limit: int,
    what: str,
    moved: Callable[[], None] = lambda: None,
) -> Iterator[Any]:
    """The items of all pages, each id once; items without an id are passed on.

    `fetch(offset)` gives one page of at most `limit` items. Only an empty page is the end: a short
    one may come from a smaller limit of the host, or from items that it hides. The offset goes by
    what came, so that neither loses anything. `moved` is called where a page repeats anything but
    the end of what came before: the pages are then no slices of one order, and may lack items.
    Raises ItemError where a full page brings nothing new, asked twice: then something else was left
    out.
    """
    seen: dict[str, None] = {}  # a set of that many takes three times the memory
    offset, stale = 0, False
    while page := fetch(offset):
        if not _brings_more(page, seen):
            page = fetch(offset)
        if not _continues(page, seen):
            moved()
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


def identifier(item: Any) -> str:
    """The id of a listed item, a text or a whole number; empty for whatever else."""
    found = item.get("id") if isinstance(item, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _brings_more(page: list[Any], seen: dict[str, None]) -> bool:
    return any(key and key not in seen for key in map(identifier, page))


def _continues(page: list[Any], seen: dict[str, None]) -> bool:
    """Whether all that the page repeats is at its head, and is the end of what was seen."""
    keys = [key for key in map(identifier, page) if key]
    repeated = [key for key in keys if key in seen]
    end = list(islice(reversed(seen), len(repeated)))
    return repeated == keys[: len(repeated)] and repeated == end[::-1]


def _fresh(page: list[Any], seen: dict[str, None]) -> list[Any]:
    """The items that were not seen (none if no id is among them), which then are."""
    if not _brings_more(page, seen):
        return []
    fresh = []
    for item in page:
        key = identifier(item)
        if key not in seen:
            fresh.append(item)
            if key:
                seen[key] = None
    return fresh
