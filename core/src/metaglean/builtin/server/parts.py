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

from metaglean.builtin.server.client import Json, Pages, Server, by_name
from metaglean.errors import ItemError

Result = TypeVar("Result")

FEW = 50  # tables: as long as a call more takes
PROBE = 4  # tables: enough to see how long they are, and what a cursor is
IN_FLIGHT = 6_000_000  # bytes of all pages that are read at one moment
MOST = 4  # parts at once; more of them don't make a server faster that has few processors
WIDE = 2  # parts at once where there are more bytes: fewer pages, which are longer


class _Plan(NamedTuple):
    """Where parts begin (a table's name; None for the very first one), and how they are read."""

    starts: list[str | None]
    first: int
    size: int
    at_once: int


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
        yield from map(convert, server.listing("tables", **params))
        return
    ends = frozenset(plan.starts)

    def part(start: str | None) -> list[Result]:
        found = []
        pages = Pages(None if start is None else _cursor(start), plan.first, plan.size)
        for entity in server.listing("tables", pages, **params):
            found.append(convert(entity))
            if entity["name"] in ends:
                break
        return found

    with ThreadPoolExecutor(plan.at_once, thread_name_prefix="metaglean-listing") as pool:
        for found in pool.map(part, plan.starts):
            yield from found


def _plan(server: Server, schema: str, params: Mapping[str, Any], workers: int) -> _Plan | None:
    """How to read the tables in parts; None where that is of no use, or not understood."""
    if workers < WIDE:
        return None
    page = server.get("tables", **params, limit=PROBE)
    found = page if isinstance(page, dict) else {}
    data, paging = found.get("data"), found.get("paging") or {}
    total = int(paging.get("total") or 0)
    if total < FEW or not data or _name(paging.get("after")) != data[-1].get("name"):
        return None
    names = _names(server, schema)
    if len(names) < FEW:
        return None
    each = len(str(data)) / len(data)
    at_once = min(workers, MOST) if total * each <= IN_FLIGHT else WIDE
    step = -(-len(names) // at_once)
    starts = [None, *names[step - 1 : -1 : step]]
    size = IN_FLIGHT // at_once
    return _Plan(starts, max(1, min(step, int(size / each))), size, at_once)


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
