"""What this source assumes of Domo, and how each is tested on a live tenant, reading only.

No live tenant was available when this was written: `ASSUMPTIONS` is the list, for
`metaglean selfcheck --live` and for the docs. Details are counts, statuses and words of Domo's API,
never what a tenant put in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from metaglean import AccessDenied, Assumption, ItemError, NotFound, RemoteError, Step
from metaglean_domo import convert
from metaglean_domo.api import BULK_DATASETS, BULK_STREAMS, DATASET_PAGE, InstanceApi, PublicApi
from metaglean_domo.columns import data_type
from metaglean_domo.config import DomoConnection
from metaglean_domo.connection import link_base
from metaglean_domo.inventory import SORT
from metaglean_domo.paging import identifier
from metaglean_domo.sql import UnknownNode, print_fusion, print_select

ASSUMPTIONS = (
    Assumption("sorted listing", "The listing of datasets honours `sort=dataSourceId`."),
    Assumption("pages", "Its pages are slices by offset: 50 a page, none repeats another."),
    Assumption("times", "Times are ISO 8601."),
    Assumption("column types", "The types of columns are those that are known."),
    Assumption("not found", "A dataset that isn't there is answered 404, through proxies as well."),
    Assumption("instance address", "The token names the instance in `customer`."),
    Assumption("streams", "Streams say how and into which dataset they load."),
    Assumption("bulk call", "The instance's bulk call takes 100 datasets and an access token."),
    Assumption("kinds", "It tells the kind of each dataset."),
    Assumption("tags", "It gives tags as a JSON text that holds a list."),
    Assumption(
        "upsert keys", "`streams/bulk` takes an access token and tells the keys of upserts."
    ),
    Assumption(
        "view SQL", "`schema/indexed` takes an access token; all of a view's tree is known."
    ),
    Assumption("co-owners", "`permissions` takes an access token and gives a list."),
    Assumption(
        "column descriptions", "The data dictionary takes an access token and has a known shape."
    ),
    Assumption("rates", "Domo tells by 429, or by 403, that it is asked too often."),
)
_SOME = 20  # calls for one dataset each, at most
_WORD = re.compile(r"[A-Z][A-Z_ ]{1,30}")
Json = dict[str, Any]


class _Untold(Exception):
    """Neither true nor false can be told; the text says why."""


class Selfcheck:
    """One self-check of a tenant."""

    def __init__(
        self, config: DomoConnection, public: PublicApi, instance: InstanceApi | None
    ) -> None:
        self._config = config
        self._public = public
        self._instance = instance
        self._ids: list[str] = []
        self._bodies: list[Json] = []
        self._details: list[Json] = []
        self._upserts: list[int] = []

    def steps(self) -> Iterator[Step]:
        """One step an assumption."""
        public: dict[str, Callable[[], str]] = {
            "sorted listing": self._sorted,
            "pages": self._pages,
            "times": self._times,
            "column types": self._types,
            "not found": self._not_found,
            "instance address": self._address,
            "streams": self._streams,
        }
        instance = {
            "bulk call": self._bulk,
            "kinds": self._kinds,
            "tags": self._tags,
            "upsert keys": self._keys,
            "view SQL": self._views,
            "co-owners": self._co_owners,
            "column descriptions": self._dictionary,
        }
        for name, test in public.items():
            yield _step(name, test)
        for name, test in instance.items():
            try:
                yield _step(name, test)
            except RemoteError as error:
                yield Step(name, None, error.message)
        yield Step("rates", None, "not provoked: it would disturb others")

    # -- the public plane -----------------------------------------------------------------------

    def _sorted(self) -> str:
        listed = self._public.datasets_page(0, SORT) + self._public.datasets_page(
            DATASET_PAGE, SORT
        )
        self._ids = list(dict.fromkeys(filter(None, map(identifier, listed))))
        if len(self._ids) < 2:
            raise _Untold(f"{len(self._ids)} datasets are listed")
        return "" if self._ids == sorted(self._ids) else "ids come in another order"

    def _pages(self) -> str:
        first = self._public.datasets_page(0, None)
        self._ids = self._ids or list(filter(None, map(identifier, first)))
        if len(first) > DATASET_PAGE:
            return f"{len(first)} came where {DATASET_PAGE} were asked for"
        if len(first) < DATASET_PAGE:
            raise _Untold(f"one page holds all: {len(first)} datasets")
        second = self._public.datasets_page(len(first), None)
        again = {*map(identifier, first)} & {*map(identifier, second)}
        return f"{len(again)} of {len(second)} came with the page before" if again else ""

    def _times(self) -> str:
        found = [one[key] for one in self._read() for key in ("createdAt", "updatedAt")
                 if one.get(key) is not None]  # fmt: skip
        wrong = sum(convert.milliseconds(one) is None for one in found)
        return _counted(wrong, found, "can't be read")

    def _types(self) -> str:
        schemas = [one.get("schema") for one in self._read()]
        words = [
            str(column.get("type"))
            for schema in schemas
            if isinstance(schema, dict)
            for column in schema.get("columns") or ()
        ]
        wrong = {word for word in words if data_type(word) == "UNKNOWN"}
        shown = sorted(word for word in wrong if _WORD.fullmatch(word))
        counted = _counted(sum(word in wrong for word in words), words, "are unknown")
        return f"{counted}: {', '.join(shown)}" if counted and shown else counted

    def _not_found(self) -> str:
        try:
            self._public.dataset(str(uuid4()))
        except NotFound:
            return ""
        return "answered as if it were there"

    def _address(self) -> str:
        claims = self._public.claims()
        if not claims.get("customer"):
            return "the token has no `customer`"
        named = link_base(self._config.model_copy(update={"instance_domain": None}), claims)
        if not self._config.instance_domain:
            raise _Untold("instanceDomain is not given")
        hosts = [urlsplit(one).hostname for one in (named or "", self._config.instance_domain)]
        return "" if hosts[0] == hosts[1] else "`customer` is another name than instanceDomain's"

    def _streams(self) -> str:
        streams = list(self._public.streams())
        told = [one for one in streams if isinstance(one, dict) and one.get("updateMethod")
                and isinstance(one.get("dataSet"), dict)]  # fmt: skip
        self._upserts = [one["id"] for one in told if one["updateMethod"] == "UPSERT"
                         and isinstance(one.get("id"), int)]  # fmt: skip
        return _counted(len(streams) - len(told), streams, "don't")

    def _read(self) -> list[Json]:
        """Some datasets as the public plane gives them."""
        if not self._bodies:
            for one in self._some(self._ids):
                try:
                    self._bodies.append(self._public.dataset(one))
                except NotFound:
                    continue
        return self._bodies

    # -- the instance's plane ---------------------------------------------------------------------

    @property
    def _plane(self) -> InstanceApi:
        if self._instance is None:
            raise _Untold(self._missing())
        return self._instance

    def _missing(self) -> str:
        return f"{' and '.join(self._config.missing_for_instance())} not given"

    def _bulk(self) -> str:
        plane = self._plane
        self._details = plane.datasets(self._some(self._ids, BULK_DATASETS))
        if len(self._ids) < BULK_DATASETS:
            raise _Untold(f"it takes {len(self._ids)}, and there are no more datasets")
        return ""

    def _kinds(self) -> str:
        found = [convert.detail(one).table_type for one in self._told()]
        return _counted(found.count(None), found, "without a kind")

    def _tags(self) -> str:
        found = [convert.detail(one).tags for one in self._told()]
        return _counted(found.count(None), found, "with something else")

    def _keys(self) -> str:
        plane = self._plane
        asked = self._some(self._upserts, BULK_STREAMS)
        found = [convert.stream_keys(one) for one in plane.streams(asked)]
        return _counted(len(asked) - sum(map(bool, found)), asked, "without keys")

    def _views(self) -> str:
        plane = self._plane
        views = [identifier(one) for one in self._told()
                 if convert.detail(one).table_type == "View"]  # fmt: skip
        unknown = [why for view in self._some(views) if (why := _unknown(plane.schema(view)))]
        counted = _counted(len(unknown), views[:_SOME], "hold what is unknown")
        return f"{counted}: {', '.join(sorted(set(unknown))[:10])}" if counted else ""

    def _co_owners(self) -> str:
        self._plane.permissions(self._some(self._ids)[0])
        return ""

    def _dictionary(self) -> str:
        answers = [self._plane.dictionary(one) for one in self._some(self._ids)]
        found = [one for one in answers if one is not None]
        odd = sum(not _is_dictionary(one) for one in found)
        return _counted(odd, found, "of another shape")

    def _told(self) -> list[Json]:
        """What the bulk call gave."""
        if self._details:
            return self._details
        raise _Untold("the bulk call told nothing" if self._instance else self._missing())

    @staticmethod
    def _some(items: list[Any], most: int = _SOME) -> list[Any]:
        if not items:
            raise _Untold("there is none to try it on")
        return items[:most]


def _step(name: str, test: Callable[[], str]) -> Step:
    try:
        instead = test()
    except _Untold as why:
        return Step(name, None, str(why))
    except AccessDenied as error:
        return Step(name, ok=False, detail=f"refused: {error.message}")
    except ItemError as error:
        return Step(name, ok=False, detail=error.message)
    return Step(name, not instead, instead)


def _counted(wrong: int, among: Iterable[Any], what: str) -> str:
    """How many; nothing where none is. Raises _Untold where there was nothing to look at."""
    number = len(list(among))
    if not number:
        raise _Untold("there is none to try it on")
    return f"{wrong} of {number} {what}" if wrong else ""


def _unknown(schema: Json) -> str:
    """What of a view's tree isn't known; empty where all is."""
    try:
        if schema.get("select"):
            print_select(schema["select"])
        elif schema.get("views"):
            print_fusion(schema["views"])
        else:
            return "no tree"
    except UnknownNode as error:
        return str(error)
    return ""


def _is_dictionary(answer: Any) -> bool:
    parts = answer if isinstance(answer, list) else [answer]
    return all(
        isinstance(one, dict) and one.keys() & {"dataDictionary", "columns"} for one in parts
    )
