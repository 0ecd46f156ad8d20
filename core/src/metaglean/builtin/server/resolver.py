"""From refs to what stands on the server under their qualified names."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from metaglean.builtin.server.client import Json, Server, by_name
from metaglean.fqn import encode, quote
from metaglean.records import Ref

# Entity type → its collection in the REST API.
COLLECTIONS: dict[str, str] = {
    "databaseService": "services/databaseServices",
    "pipelineService": "services/pipelineServices",
    "dashboardService": "services/dashboardServices",
    "messagingService": "services/messagingServices",
    "storageService": "services/storageServices",
    "mlmodelService": "services/mlmodelServices",
    "searchService": "services/searchServices",
    "apiService": "services/apiServices",
    "database": "databases",
    "databaseSchema": "databaseSchemas",
    "table": "tables",
    "storedProcedure": "storedProcedures",
    "pipeline": "pipelines",
    "dashboard": "dashboards",
    "dashboardDataModel": "dashboard/datamodels",
    "chart": "charts",
    "topic": "topics",
    "container": "containers",
    "mlmodel": "mlmodels",
    "searchIndex": "searchIndexes",
    "apiCollection": "apiCollections",
    "apiEndpoint": "apiEndpoints",
    "metric": "metrics",
}
KEPT = 4000
_STRIPES = 64
KEPT_COLUMNS = 100  # tables, and one may have thousands of columns
WITH_COLUMNS = frozenset({"table", "dashboardDataModel"})

Key = tuple[str, str]
Item = TypeVar("Item")


class Found(NamedTuple):
    """An entity that stands on the server; `id` is empty where a dry run only plans it."""

    id: str
    type: str
    fqn: str

    @property
    def reference(self) -> Json:
        """The reference to it in a body."""
        return {"id": self.id, "type": self.type}


class Recent(Generic[Item]):
    """The items used last, at most `size`; safe from any thread."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[Hashable, Item] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, otherwise: Item) -> Item:
        with self._lock:
            if key not in self._items:
                return otherwise
            self._items.move_to_end(key)
            return self._items[key]

    def put(self, key: Hashable, item: Item) -> None:
        with self._lock:
            self._items[key] = item
            self._items.move_to_end(key)
            if len(self._items) > self._size:
                self._items.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        with self._lock:
            self._items.pop(key, None)

    def __len__(self) -> int:
        return len(self._items)


_ASK = Found("", "", "")


class Resolver:
    """Finds live entities by ref, each asked for once while it is among the last few thousand.

    `fqn` gives the qualified name of a ref on this server, `column` the stored form of a column's
    raw name, `known` the id of what the run has seen live already (None for all else).
    """

    def __init__(
        self,
        server: Server,
        fqn: Callable[[Ref], str],
        column: Callable[[str], str] = encode,
        known: Callable[[Ref], str | None] = lambda _: None,
        *,
        kept: int = KEPT,
    ) -> None:
        self._server = server
        self.fqn = fqn
        self._column = column
        self._known = known
        self._found: Recent[Found | None] = Recent(kept)
        self._columns: Recent[frozenset[str] | None] = Recent(KEPT_COLUMNS)
        self._planned: set[Key] = set()
        # Several threads that want the same hub at once ask for it once.
        self._asking = [threading.Lock() for _ in range(_STRIPES)]

    def find(self, ref: Ref, *, with_columns: bool = False) -> Found | None:
        """What stands live under this ref; None where nothing does, or for an unknown kind.

        `with_columns` spares the call that `columns` would make later.
        """
        key = self._key(ref)
        if key in self._planned:
            return Found("", *key)
        with_columns = with_columns and ref.kind in WITH_COLUMNS
        with self._asking[hash(key) % _STRIPES]:
            found = self._found.get(key, _ASK)
            if found is _ASK and not with_columns and (known := self._known(ref)):
                found = Found(known, *key)
                self._found.put(key, found)
            if found is _ASK or (found and with_columns and self._columns.get(key, None) is None):
                found = self._ask(key, with_columns=with_columns)
        return found

    def remember(self, ref: Ref, entity_id: str | None) -> None:
        """It was written: `entity_id` where the answer told it, else it is asked for again."""
        key = self._key(ref)
        self._columns.drop(key)
        if entity_id:
            self._found.put(key, Found(entity_id, *key))
        else:
            self._found.drop(key)

    def plan(self, ref: Ref) -> None:
        """A dry run would create it: from now on it is found, without an id."""
        self._planned.add(self._key(ref))

    def columns(self, ref: Ref) -> frozenset[str] | None:
        """The qualified names of its columns, nested ones too; empty for kinds without columns.

        None where that can't be told: it is only planned.
        """
        key = self._key(ref)
        if ref.kind not in WITH_COLUMNS:
            return frozenset()
        if key in self._planned:
            return None
        columns = self._columns.get(key, None)
        if columns is None:
            self.find(ref, with_columns=True)
            columns = self._columns.get(key, frozenset())
        return columns

    def column(self, ref: Ref, name: str) -> str | None:
        """The qualified name of a column by its raw name, None where it isn't there.

        `outer.inner` is also the nested column of this path, where no column has that very name.
        """
        columns = self.columns(ref)
        base = self.fqn(ref)
        whole = f"{base}.{quote(self._column(name))}"
        if columns is None or whole in columns:
            return whole
        nested = ".".join([base, *(quote(self._column(part)) for part in name.split("."))])
        return nested if nested in columns else None

    def _key(self, ref: Ref) -> Key:
        return ref.kind, self.fqn(ref)

    def _ask(self, key: Key, *, with_columns: bool = False) -> Found | None:
        kind, fqn = key
        if kind not in COLLECTIONS:
            return None
        fields = "columns" if with_columns and kind == "table" else None
        entity = self._server.find(f"{COLLECTIONS[kind]}/{by_name(fqn)}", fields=fields)
        found = None
        if isinstance(entity, dict) and entity.get("id"):
            found = Found(str(entity["id"]), kind, fqn)
            # Older servers send columns unasked; an empty list then may mean anything.
            if with_columns or (kind in WITH_COLUMNS and entity.get("columns")):
                self._columns.put(key, frozenset(_names(entity.get("columns"))))
        self._found.put(key, found)
        return found


def _names(columns: Any) -> Iterator[str]:
    """Qualified names of columns and of those nested in them."""
    listed: Iterable[Any] = columns if isinstance(columns, list) else ()
    for column in listed:
        if isinstance(column, dict):
            yield str(column.get("fullyQualifiedName", ""))
            yield from _names(column.get("children"))
