"""Paged listings as generators of items. A page that fails raises: none is ever left out.

`items` says where the items stand in the body: None where the body is the list, a dotted path
("paging.items"), or a function of the body. `params` go with each request. An endless listing
(the same page, cursor or link again) raises UnexpectedBody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import urljoin

from metaglean.http.response import Response, UnexpectedBody
from metaglean.http.session import Session

__all__ = ["cursor_pages", "link_pages", "offset_pages"]

Items = str | Callable[[Any], Any] | None
Next = str | Callable[[Any], Any]

_NO_OBJECT = object()
_NEXT_LINK = re.compile(r"<([^>]*)>\s*;[^,]*\brel=\"?next\b", re.IGNORECASE)


def offset_pages(
    session: Session,
    path: str,
    limit: int,
    params: Mapping[str, Any] | None = None,
    *,
    limit_key: str = "limit",
    offset_key: str = "offset",
    items: Items = None,
    start: int = 0,
    until_short: bool = False,
) -> Iterator[Any]:
    """Items of a listing by offset.

    It ends at an empty page. `until_short=True` saves that last call and ends at the first page
    with fewer than `limit` items; only right where the system never caps or thins out its pages.
    The offset moves by the items received, so that a capped page skips nothing.
    """
    offset, seen = start, _Seen(session, path)
    while True:
        query = {**(params or {}), limit_key: limit, offset_key: offset}
        response = _page(session, path, query)
        page = _items(session, response, items)
        if not page:
            return
        seen.check(page)
        yield from page
        if until_short and len(page) < limit:
            return
        offset += len(page)


def cursor_pages(
    session: Session,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    next_cursor: Next = "next",
    cursor_key: str = "cursor",
    items: Items = "items",
) -> Iterator[Any]:
    """Items of a listing whose body gives the next page's cursor (absent or empty: the last)."""
    cursor: Any = None
    seen = _Seen(session, path)
    while True:
        query = dict(params or {}) if cursor is None else {**(params or {}), cursor_key: cursor}
        response = _page(session, path, query)
        yield from _items(session, response, items)
        cursor = _following(session, response, next_cursor)
        if cursor is None:
            return
        seen.check(cursor)


def link_pages(
    session: Session,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    next_link: Next | None = None,
    items: Items = None,
) -> Iterator[Any]:
    """Items of a listing whose pages link to the next one, in the body or the `Link` header.

    A link may be relative. One to another host raises UnexpectedBody: it would leak credentials.
    """
    seen = _Seen(session, path)
    url, query = path, params
    while True:
        response = _page(session, url, query)
        yield from _items(session, response, items)
        link = _link(response) if next_link is None else _following(session, response, next_link)
        if link is None:
            return
        seen.check(link)
        url, query = _absolute(session, url, str(link)), None
        if not session.owns(url):
            raise UnexpectedBody(
                f"{session.name}: the next page of {path} is on another host",
                "Set the address to the one that the system itself uses in its links.",
            )


class _Seen:
    """Finds out that a listing turns in circles; keeps 16 bytes a page."""

    def __init__(self, session: Session, path: str) -> None:
        self._where = f"{session.name}: the listing {path}"
        self._digests: set[bytes] = set()

    def check(self, value: Any) -> None:
        text = json.dumps(value, sort_keys=True, default=str)
        digest = blake2b(text.encode(), digest_size=16).digest()
        if digest in self._digests:
            raise UnexpectedBody(
                f"{self._where} gives the same page again",
                "The system doesn't follow its paging parameters: the listing can't be read whole.",
            )
        self._digests.add(digest)


def _page(session: Session, path: str, params: Mapping[str, Any] | None) -> Response:
    response = session.get(path, params=params, expect_json=True)
    try:
        response.parse()
    except ValueError as error:
        raise response.unexpected("JSON", session.redactor.url) from error
    return response


def _items(session: Session, response: Response, items: Items) -> list[Any]:
    found = response.json() if items is None else _pick(response.json(), items)
    if not isinstance(found, list):
        where = f"a list at {items!r}" if isinstance(items, str) else "a list"
        raise response.unexpected(where, session.redactor.url)
    return found


def _following(session: Session, response: Response, place: Next) -> Any:
    """The cursor or link to the next page; None where the body says that there is none.

    Raises UnexpectedBody for a value of another type: it must not pass for the last page.
    """
    found = _pick(response.json(), place)
    if found is None or found is False or found == "":
        return None
    if isinstance(found, str | int) and found is not True:
        return found
    where = f"the next page at {place!r}" if isinstance(place, str) else "the next page"
    raise response.unexpected(where, session.redactor.url)


def _pick(body: Any, place: Next) -> Any:
    """What stands at a place; None where nothing does, `_NO_OBJECT` where the way is barred."""
    if callable(place):
        return place(body)
    for key in place.split("."):
        if not body:
            return None  # an empty list stands for an empty object in some systems
        if not isinstance(body, dict):
            return _NO_OBJECT
        body = body.get(key)
    return body


def _link(response: Response) -> str | None:
    found = _NEXT_LINK.search(response.headers.get("Link", ""))
    return found.group(1) if found else None


def _absolute(session: Session, url: str, link: str) -> str:
    base = url if "://" in url else f"{session.base_url}/{url.removeprefix('/')}"
    return urljoin(base, link)
