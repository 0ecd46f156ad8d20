"""Lists the tables of a schema in several parts at once, for servers that take long over it.

Servers before 1.3 keep no hash, so all that is compared must be listed, labels too, and for these
they make a query a column, one after another: 20 ms a table. Their cursors are names.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from metaglean.builtin.server.client import FIRST_PAGE, Json, Pages, Server, by_name
from metaglean.errors import ItemError

Result = TypeVar("Result")

FEW = 50  # tables: as long as a call more takes
PROBE = 4  # tables: enough to see how long they are, and what a cursor is
IN_FLIGHT = 6_000_000  # bytes in all: what is longer is read page by page, to be held in memory
LONG_PAGE = 3_000_000  # bytes of each of these
MOST = 4  # parts at once; more of them don't make a server faster that has few processors


class _Plan(NamedTuple):
    """Where parts begin (a table's name; None for the very first one), and the first page of each:
    all of it, as a rule."""

    starts: list[str | None]
    first: int


def tables_in_parts(
    server: Server,
    schema: str,
    params: Mapping[str, Any],
    workers: int,
    convert: Callable[[Json], Result],
) -> Iterator[Result]:
    """What `convert` makes of each table below the qualified name `schema`.

    A part begins after one name and ends with the first name that begins another part, whatever
    the server's order is: together they are all tables, some of them twice where a table went
    meanwhile. A page that fails raises.
    """
    plan = _plan(server, schema, params, workers)
    if plan is None:
        yield from map(
            convert, server.listing("tables", Pages(None, FIRST_PAGE, LONG_PAGE), **params)
        )
        return
    ends = frozenset(plan.starts)

    def part(start: str | None) -> list[Result]:
        found = []
        pages = Pages(None if start is None else _cursor(start), plan.first, IN_FLIGHT // MOST)
        for entity in server.listing("tables", pages, **params):
            found.append(convert(entity))
            if entity["name"] in ends:
                break
        return found

    with ThreadPoolExecutor(len(plan.starts), thread_name_prefix="metaglean-listing") as pool:
        for found in pool.map(part, plan.starts):
            yield from found


def _plan(server: Server, schema: str, params: Mapping[str, Any], workers: int) -> _Plan | None:
    """How to read the tables in parts; None where that is of no use, or not understood."""
    at_once = min(workers, MOST)
    if at_once == 1:
        return None
    page = server.get("tables", **params, limit=PROBE)
    found = page if isinstance(page, dict) else {}
    data, paging = found.get("data"), found.get("paging") or {}
    total = int(paging.get("total") or 0)
    if total < FEW or not data or _name(paging.get("after")) != data[-1].get("name"):
        return None
    if total * len(str(data)) / len(data) > IN_FLIGHT:
        return None
    names = _names(server, schema)
    if len(names) < FEW:
        return None
    step = -(-len(names) // at_once)
    return _Plan([None, *names[step - 1 : -1 : step]], step)


def _names(server: Server, schema: str) -> list[str]:
    """The names of the schema's tables, as far as it tells them: they only say where to begin."""
    try:
        found = server.get(f"databaseSchemas/{by_name(schema)}", fields="tables", include="all")
    except ItemError:
        return []
    references = found.get("tables") if isinstance(found, dict) else None
    return sorted({str(one.get("name")) for one in references or ()})


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _name(cursor: Any) -> str | None:
    """The name in a cursor; None where it holds another thing."""
    try:
        return base64.urlsafe_b64decode(str(cursor)).decode()
    except (binascii.Error, ValueError):
        return None
