"""The tenant: everything the sandbox serves, and the changes that tests make to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from metaglean_domo_sandbox import demo, scale
from metaglean_domo_sandbox.model import Column, Dataset, Group, Json, Owner, Stream, User

#: Sort orders of the public listing, by their documented names.
SORTS: dict[str, tuple[Callable[[Dataset], Any], bool]] = {
    "name": (lambda d: (d.name, d.id), False),
    "nameDescending": (lambda d: (d.name, d.id), True),
    "lastTouched": (lambda d: (d.updated, d.id), True),
    "lastTouchedAscending": (lambda d: (d.updated, d.id), False),
    "lastUpdated": (lambda d: (d.updated, d.id), True),
    "lastUpdatedAscending": (lambda d: (d.updated, d.id), False),
    "createdAt": (lambda d: (d.created, d.id), True),
    "createdAtAscending": (lambda d: (d.created, d.id), False),
    "cardCount": (lambda d: d.id, True),
    "cardCountAscending": (lambda d: d.id, False),
    "cardViewCount": (lambda d: d.id, True),
    "cardViewCountAscending": (lambda d: d.id, False),
    "errorState": (lambda d: (d.state, d.id), False),
    "errorStateDescending": (lambda d: (d.state, d.id), True),
    "dataSourceId": (lambda d: d.id, False),
}
#: What `mutate` accepts: the changes that another process may ask for.
MUTATIONS = frozenset(
    "rename set_description add_column drop_column retype_column set_tags set_owner set_view_ast "
    "set_certification set_stream set_access delete restore add_dataset touch".split()
)


class Tenant:
    """The datasets, users, groups and flows of one Domo customer.

    Changes are thread-safe and may be made while a server is running. A changed dataset gets a
    later `updated` time. All of them raise `KeyError` for an unknown dataset id.
    """

    def __init__(
        self,
        datasets: Iterable[Dataset] = (),
        users: Iterable[User] = (),
        groups: Iterable[Group] = (),
        flows: Sequence[Json] = (),
        customer: str = "acme-sandbox",
    ) -> None:
        self.datasets: dict[str, Dataset] = {d.id: d for d in datasets}
        self.users: dict[int, User] = {u.id: u for u in users}
        self.groups: dict[int, Group] = {g.id: g for g in groups}
        self.flows: list[Json] = list(flows)
        self.customer = customer
        #: id -> how it went: `"404"` or `"mark"` (answered with 200 and `deleted: true`).
        self.gone: dict[str, str] = {}
        self._lock = threading.RLock()
        self._orders: dict[str, list[str]] = {}
        self._streams: dict[int, str] | None = None

    @classmethod
    def demo(cls, seed: int = 7) -> Tenant:
        """A small tenant with the oddities of real ones; the same for the same seed."""
        return cls(*demo.build(seed))

    @classmethod
    def scale(
        cls,
        datasets: int = 1000,
        columns: int = 20,
        streams: float = 0.5,
        seed: int = 7,
        *,
        views: float = 0.0,
        federated: float = 0.0,
        upserts: float = 0.1,
    ) -> Tenant:
        """A large tenant; columns are generated on request. Fractions are of the datasets,
        `upserts` of the streams."""
        return cls(*scale.build(datasets, columns, streams, seed, views, federated, upserts))

    # -- reading ---------------------------------------------------------------------------

    def order(self, sort: str) -> list[str]:
        """The ids of the listing in this order; raises `KeyError` for an unknown one."""
        with self._lock:
            if sort not in self._orders:
                key, reverse = SORTS[sort]
                live = (d for d in self.datasets.values() if d.id not in self.gone)
                self._orders[sort] = [d.id for d in sorted(live, key=key, reverse=reverse)]
            return self._orders[sort]

    def find(self, dataset_id: str) -> Dataset | None:
        """The dataset, or `None` if it is unknown or gone."""
        return None if dataset_id in self.gone else self.datasets.get(dataset_id)

    def by_name(self, name: str) -> list[Dataset]:
        """The live datasets of exactly this name."""
        return [d for d in self.live() if d.name == name]

    def live(self) -> list[Dataset]:
        """The datasets that a reader with all rights gets, in order of id."""
        found = (self.datasets[i] for i in self.order("dataSourceId"))
        return [d for d in found if "deleted" not in d.quirks]

    def stream_ids(self) -> dict[int, str]:
        """Stream id -> dataset id, in order of stream id."""
        with self._lock:
            if self._streams is None:
                live = (d for d in self.datasets.values() if d.id not in self.gone)
                pairs = [(d.stream.id, d.id) for d in live if d.stream is not None]
                self._streams = dict(sorted(pairs))
            return self._streams

    def copy(self) -> Tenant:
        """An independent copy, for comparing or going back."""
        with self._lock:
            twin = Tenant(
                (d.copy() for d in self.datasets.values()),
                self.users.values(),
                self.groups.values(),
                self.flows,
                self.customer,
            )
            twin.gone = dict(self.gone)
            return twin

    def restore_from(self, other: Tenant) -> None:
        """Take over the state of `other`, in place, so that a running server serves it."""
        twin = other.copy()
        with self._lock:
            self.datasets, self.gone = twin.datasets, twin.gone
            self.users, self.groups, self.flows = twin.users, twin.groups, twin.flows
            self._forget()

    # -- changing --------------------------------------------------------------------------

    def mutate(self, op: str, **arguments: Any) -> None:
        """Call a mutator by name; raises `ValueError` for one that isn't in `MUTATIONS`."""
        if op not in MUTATIONS:
            raise ValueError(f"unknown mutation {op!r}; known: {', '.join(sorted(MUTATIONS))}")
        getattr(self, op)(**arguments)

    def rename(self, dataset: str, name: str) -> None:
        """Give the dataset another name."""
        self._change(dataset, name=name)

    def set_description(self, dataset: str, description: str | None) -> None:
        """Set the description; `None` leaves the key out."""
        self._change(dataset, description=description)

    def add_column(self, dataset: str, name: str, column_type: str = "STRING") -> None:
        """Add a column at the end."""
        added = Column(name, column_type)
        self._change(dataset, columns=[*self.datasets[dataset].all_columns(), added])

    def drop_column(self, dataset: str, name: str) -> None:
        """Remove the columns of this name."""
        kept = [c for c in self.datasets[dataset].all_columns() if c.name != name]
        self._change(dataset, columns=kept)

    def retype_column(self, dataset: str, name: str, column_type: str) -> None:
        """Change the type of the columns of this name."""
        columns = self.datasets[dataset].all_columns()
        changed = [c._replace(type=column_type) if c.name == name else c for c in columns]
        self._change(dataset, columns=changed)

    def set_tags(self, dataset: str, tags: Iterable[str] | None) -> None:
        """Set the tags (system tags included); `None` leaves the key out."""
        self._change(dataset, tags=None if tags is None else tuple(tags))

    def set_owner(self, dataset: str, owner: int | None, owner_type: str = "USER") -> None:
        """Set the owner by the id of a user or group; `None` removes it."""
        if owner is None:
            self._change(dataset, owner=None)
            return
        holder: User | Group = self.groups[owner] if owner_type == "GROUP" else self.users[owner]
        self._change(dataset, owner=Owner(owner, holder.name, owner_type))

    def set_view_ast(self, dataset: str, select: Json) -> None:
        """Set the syntax tree of a view, as `metaglean_domo_sandbox.view_ast` builds them."""
        self._change(dataset, view=select)

    def set_certification(self, dataset: str, state: str | None) -> None:
        """Set the certification state, e.g. `CERTIFIED`; `None` leaves the key out."""
        self._change(dataset, certification=state)

    def set_stream(
        self,
        dataset: str,
        update_method: str,
        keys: Iterable[str] = (),
        stream_id: int | None = None,
    ) -> None:
        """Give the dataset a stream, or change the one it has."""
        old = self.datasets[dataset].stream
        number = stream_id or (old.id if old else max(self.stream_ids(), default=0) + 1)
        self._change(dataset, stream=Stream(number, update_method, tuple(keys)))

    def set_access(self, dataset: str, allowed: bool) -> None:
        """Whether the client may read it: if not, details are a 400 that wraps a 403."""
        quirks = self.datasets[dataset].quirks
        self._change(dataset, quirks=quirks - {"no-access"} if allowed else quirks | {"no-access"})

    def touch(self, dataset: str, rows: int | None = None) -> None:
        """A data load: another time, perhaps another count of rows."""
        self._change(dataset, **({} if rows is None else {"rows": rows}))

    def delete(self, dataset: str, how: str = "404") -> None:
        """Delete it: answered with 404, or (`how="mark"`) with 200 and `deleted: true`."""
        if how not in ("404", "mark"):
            raise ValueError(f"how must be '404' or 'mark', not {how!r}")
        with self._lock:
            self.datasets[dataset].bodies = {}
            self.gone[dataset] = how
            self._forget()

    def restore(self, dataset: str) -> None:
        """Undo `delete`."""
        with self._lock:
            del self.gone[dataset]
            self._forget()

    def add_dataset(self, dataset: Dataset | None = None, **fields: Any) -> str:
        """Add a dataset, given whole or by its fields: `columns` as pairs of name and type, `owner`
        as the id of a user. Returns its id; raises `ValueError` if that is taken."""
        if dataset is None:
            columns = [Column(*pair) for pair in fields.pop("columns", [])]
            fields.setdefault("id", f"00000000-0000-4000-8000-{len(self.datasets):012d}")
            if isinstance(fields.get("owner"), int):
                fields["owner"] = Owner(fields["owner"], self.users[fields["owner"]].name)
            fields["quirks"] = frozenset(fields.get("quirks", ()))
            dataset = Dataset(columns=columns, column_count=len(columns), **fields)
        with self._lock:
            if dataset.id in self.datasets:
                raise ValueError(f"dataset {dataset.id} exists")
            self.datasets[dataset.id] = dataset
            self._forget()
        return dataset.id

    def _change(self, dataset_id: str, **values: Any) -> None:
        with self._lock:
            dataset = self.datasets[dataset_id]
            for name, value in values.items():
                setattr(dataset, name, value)
            if "columns" in values:
                dataset.column_count = len(values["columns"])
            dataset.updated += 60_000
            dataset.bodies = {}
            self._forget()

    def _forget(self) -> None:
        self._orders.clear()
        self._streams = None
