"""The inventory of datasets: one sorted listing, or two unsorted ones that must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from metaglean import AccessDenied, ItemError, Listed, RemoteError
from metaglean_domo.api import DATASET_PAGE, PublicApi
from metaglean_domo.convert import seconds
from metaglean_domo.paging import identifier, pages

SORT = "dataSourceId"


class Inventory:
    """All datasets that the client may see, in order of id.

    Paging by offset over an order that moves repeats some and misses others. Sorted by id it
    doesn't; where the host refuses that sort or doesn't keep to it, the listing is made twice, and
    is complete only if both found the same ids and one of them came in an order that stood still.
    `incomplete` is called with the reason.

    Iterating raises the ItemError of a page that failed, after yielding what came before it; and an
    ItemError of its own unless `load` came to its end: what broke off is never taken for whole.
    """

    def __init__(self, api: PublicApi, incomplete: Callable[[str], None]) -> None:
        self._api = api
        self._incomplete = incomplete
        self._found: dict[str, Listed] = {}
        self._without_id: list[Listed] = []
        self._moved = False
        self._failure: ItemError | None = ItemError("the listing of datasets broke off")

    def load(self) -> None:
        """Make the listing. Raises RemoteError where its first page is refused."""
        try:
            self._collect()
        except ItemError as error:
            self._failure = error
        else:
            self._failure = None

    def __iter__(self) -> Iterator[Listed]:
        found, self._found = self._found, {}
        for key in sorted(found):
            yield found.pop(key)  # whoever drains this keeps them: never two of each
        yield from self._without_id
        if self._failure:
            raise self._failure

    def _collect(self) -> None:
        sort: str | None = SORT
        try:
            in_order = self._list(sort)
        except AccessDenied as error:
            if self._found:
                raise
            raise RemoteError(
                f"Domo refuses the listing of datasets: {error.message}",
                "Grant the API client the scope `data` (developer.domo.com, Manage clients).",
            ) from error
        except ItemError as error:
            if self._found or error.status != 400:
                raise
            sort, in_order = None, False
            self._list(sort)
        if in_order:
            return
        first, first_moved = set(self._found), self._moved
        again = self._list_again(sort)
        if first != again:
            self._incomplete(
                f"unsorted, and two listings differ in {len(first ^ again)} of "
                f"{len(first | again)} datasets"
            )
        elif first_moved and self._moved:
            self._incomplete("unsorted, and its order moved while it was read, twice")

    def _list(self, sort: str | None) -> bool:
        """List once; returns whether the ids came in ascending order."""
        in_order, last = True, ""
        for item in self._pages(sort):
            listed = _listed(item)
            if listed is None:
                continue
            if not listed.id:
                self._without_id.append(listed)
                continue
            in_order = in_order and listed.id > last
            last = listed.id
            self._found[listed.id] = listed
        return in_order and not self._moved

    def _list_again(self, sort: str | None) -> set[str]:
        ids = set()
        for item in self._pages(sort):
            listed = _listed(item)
            if listed and listed.id:
                ids.add(listed.id)
                self._found.setdefault(listed.id, listed)
        return ids

    def _pages(self, sort: str | None) -> Iterator[Any]:
        def fetch(offset: int) -> list[Any]:
            return self._api.datasets_page(offset, sort, DATASET_PAGE)

        self._moved = False
        return pages(fetch, DATASET_PAGE, "the listing of datasets", self._tell_moved)

    def _tell_moved(self) -> None:
        self._moved = True


def _listed(item: Any) -> Listed | None:
    """What is kept of an item; None for one that is marked deleted, which is gone."""
    if not isinstance(item, dict):
        return Listed("", "")
    if item.get("deleted"):
        return None
    name = item.get("name")
    return Listed(
        identifier(item), "" if name is None else str(name), seconds(item.get("createdAt"))
    )
