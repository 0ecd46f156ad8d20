"""The demo tenant: a small company whose data has every oddity that real tenants have."""

from __future__ import annotations

import random
import uuid
from typing import Any

from metaglean_domo_sandbox.demo_views import views
from metaglean_domo_sandbox.model import (
    EPOCH_MS,
    TYPES,
    Column,
    Dataset,
    Group,
    Json,
    Owner,
    Parts,
    Stream,
    User,
)

_USERS = (
    User(101, "Ann Archer", "ann@acme.test", "Admin", "Head of data"),
    User(102, "Ben Baker", "ben@acme.test", "Editor"),
    User(103, "Cleo Çelik", "cleo.celik@acme.test"),
    User(104, "Dana Robot", None, "Editor", "Service account"),
    User(105, "Eve Left", "eve@acme.test", deleted=True),
    User(199, "Zoe Gone", "zoe@acme.test", listed=False),
)
_GROUPS = (Group(501, "BI Team", (101, 102)), Group(502, "Finance", (103,)))
_ANN, _BEN, _CLEO, _DANA = (Owner(u.id, u.name) for u in _USERS[:4])
_EVE, _ZOE = Owner(105, "Eve Left"), Owner(199, "Zoe Gone")
_BI, _FINANCE = (Owner(g.id, g.name, "GROUP") for g in _GROUPS)

#: The columns that the demo's views use.
_ORDERS = (
    Column("order_id", "LONG", "Number of the order, unique.", upsert_key=True),
    Column("ts", "DATETIME", "When it was placed (UTC)."),
    Column("region", "STRING", "Sales region."),
    Column("amount", "DECIMAL", "Gross amount in EUR."),
    Column("tax", "DECIMAL"),
    Column("cust_id", "LONG", "Customer who placed it."),
    Column("weight", "DOUBLE"),
    Column("ship_date", "DATE"),
)
_CUSTOMERS = (
    Column("id", "LONG", "Number of the customer.", upsert_key=True),
    Column("Full Name", "STRING"),
    Column("e.mail", "STRING"),
    Column("zip", "STRING"),
)
_REFUNDS = (Column("order_id", "LONG"), Column("refund", "DECIMAL"), Column("ts", "DATETIME"))

_POLICY: Json = {
    "id": 7,
    "type": "user",
    "name": "EU only",
    "filters": [{"column": "region", "values": ["EU"], "operator": "EQUALS", "not": False}],
    "users": [101],
    "virtualUsers": [],
    "groups": [501],
}
#: Names that lose something on their way through careless code.
_AWKWARD = (
    'He said "yes"',
    "It's quoted",
    "sales.eu.daily",
    "ratio::final",
    "two\nlines",
    "Launch 🚀 dashboard",
    "with `backtick`",
    " padded name ",
    "a > b / c \\ d",
    "Ünïcode – Größe",
    "L" * 297 + "end",
)


class _Builder:
    """Makes datasets with ids and times drawn from one generator, so that they never change."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.made: list[Dataset] = []
        self.stream_id = 370

    def add(self, name: str, columns: tuple[Column, ...] | None = None, **fields: Any) -> Dataset:
        """Append a dataset; what isn't given is drawn."""
        rng = self.rng
        created = EPOCH_MS + rng.randrange(180 * 86_400) * 1000
        updated = created + rng.randrange(90 * 86_400_000) + 1
        values: Json = {
            "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "owner": _ANN,
            "rows": rng.randrange(100_000),
            "created": created,
            "updated": updated,
            "description": f"{name[:40]} of Acme." if rng.random() < 0.7 else None,
            **fields,
        }
        drawn = tuple(Column(f"{t.lower()}_value", t) for t in TYPES[: rng.randrange(2, 7)])
        chosen = list(drawn if columns is None else columns)
        dataset = Dataset(name=name, columns=chosen, column_count=len(chosen), **values)
        self.made.append(dataset)
        return dataset

    def stream(self, method: str, *keys: str, query: str | None = None) -> Stream:
        """A stream with the next number."""
        self.stream_id += 1
        return Stream(self.stream_id, method, keys, query)


def build(seed: int) -> Parts:
    """See `Tenant.demo`."""
    builder = _Builder(seed)
    _core(builder)
    _same_names(builder)
    _awkward(builder)
    _kinds(builder)
    _owners_and_gaps(builder)
    return Parts(builder.made, _USERS, _GROUPS, _flows(builder))


def _core(b: _Builder) -> None:
    query = "SELECT * FROM SHOP.PUBLIC.ORDERS"
    b.add(
        "orders",
        _ORDERS,
        description="All orders of the shop.",
        stream=b.stream("UPSERT", "order_id", query=query),
        tags=("finance", "gold", "s_snowflake", "um_UPSERT", "udt_DAILY", "snowflake"),
        certification="CERTIFIED",
        pdp=True,
        policies=(_POLICY,),
        dictionary="bare",
        co_owners=(_BEN, _BI),
    )
    b.add(
        "customers",
        _CUSTOMERS,
        description="Customers with addresses.",
        owner=_BI,
        stream=b.stream("UPSERT", "id"),
        tags=("pii", "s_mysql", "um_UPSERT"),
        certification="REQUESTED",
        provider="mysql",
        dictionary="list",
    )
    b.add(
        "refunds",
        _REFUNDS,
        owner=_FINANCE,
        stream=b.stream("APPEND"),
        certification="PENDING",
        dictionary="wrapped",
    )
    b.add("budget 2026", owner=_CLEO, provider="google-sheets", stream=b.stream("REPLACE"))
    b.add("web sessions", owner=_BEN, stream=b.stream("APPEND"), tags=("um_APPEND", "s_ga"))
    b.add("users", provider="mysql", stream=b.stream("REPLACE"), tags=("pii",))
    b.add("users_archive", provider="mysql", certification="EXPIRED")
    b.add("table3", provider="webform", transport="WEBFORM")
    b.add("table4", provider="file-upload", transport="LARGE_FILE_UPLOAD")
    types = (*TYPES, "TIME", "BOOLEAN", "TIMESTAMP_LTZ", "string", "ARRAY<STRING>")
    b.add("type_test", tuple(Column(f"c{i}", t) for i, t in enumerate(types)))


def _same_names(b: _Builder) -> None:
    b.add("Sales", id="5a1e5000-0000-4000-8000-00000000000a", owner=_BEN)
    b.add("Sales", id="5a1e5000-0000-4000-8000-00000000000b", owner=_CLEO)
    b.add("SALES", description="Differs from the others only in case.")
    b.add("Churn score")
    b.add("churn score")


def _awkward(b: _Builder) -> None:
    for name in _AWKWARD:
        b.add(name)
    twice = ("id", "id", "", "ID", "x" * 300, "a.b", 'quo"te', "tick`", "new\nline", "")
    b.add("odd columns", tuple(Column(name, "STRING") for name in twice))
    b.add("no columns at all", ())


def _kinds(b: _Builder) -> None:
    ids = {d.name: d.id for d in b.made}
    for view in views(ids):
        b.add(
            view.name,
            view.columns,
            description=view.description,
            provider="dataset-view",
            transport="VIEW",
            view=view.select,
        )
    orders, customers = ids["orders"], ids["customers"]
    b.add(
        "orders fused",
        (Column("region", "STRING"), Column("Full Name", "STRING")),
        provider="datafusion",
        transport="VIEW",
        fusion={
            "left": orders,
            "right": customers,
            "on": ("cust_id", "id"),
            "columns": [("region", orders, "region"), ("Full Name", customers, "Full Name")],
        },
    )
    b.add(
        "warehouse events",
        (Column("EVENT_ID", "LONG"), Column("PAYLOAD", "STRING"), Column("AT", "DATETIME")),
        provider="snowflake-federated",
        cloud_id="9d1c7f60-0000-4000-8000-000000000001",
        quirks=frozenset({"no-schema"}),
    )
    b.add("orders by region", provider="DataFlow", transport="DATAFLOW", tags=("gold",))
    b.add("DomoStats usage", provider="domostats", quirks=frozenset({"short-list-item"}))
    b.add("fresh api dataset", provider="api", transport="API", quirks=frozenset({"no-data"}))


def _owners_and_gaps(b: _Builder) -> None:
    b.add("nobody owns this", owner=None)
    b.add("owner id as text", owner=_BEN, quirks=frozenset({"string-owner"}))
    b.add("owner without e-mail", owner=_DANA)
    b.add("owner was deleted", owner=_EVE)
    b.add("owner is gone for good", owner=_ZOE)
    b.add("rows unknown", rows=None, quirks=frozenset({"no-rows"}))
    b.add("empty description", description="")
    b.add("load failed", state="ERROR", stream=b.stream("REPLACE"))
    b.add("never certified", certification="NOT_CERTIFIED", tags=())
    b.add("whole seconds", updated=EPOCH_MS + 86_400_000)
    b.add("deleted meanwhile", quirks=frozenset({"deleted"}))


def _flows(b: _Builder) -> list[Json]:
    ids = {d.name: d.id for d in b.made}
    target = ids["orders by region"]
    base: Json = {
        "description": "",
        "responsibleUserId": 101,
        "created": EPOCH_MS,
        "modified": EPOCH_MS + 86_400_000,
        "enabled": True,
        "deleted": False,
        "paused": False,
        "draft": False,
        "hydrationState": "DEHYDRATED",
        "triggeredByInput": True,
    }
    source: Json = {"executeFlowWhenUpdated": True}
    flow: Json = {
        **base,
        "id": 11,
        "name": "Orders ETL",
        "databaseType": "MAGIC",
        "magic": True,
        "inputs": [
            {**source, "dataSourceId": ids[n], "dataSourceName": n} for n in ("orders", "customers")
        ],
        "outputs": [
            {
                "dataSourceId": target,
                "dataSourceName": "orders by region",
                "versionChainType": "REPLACE",
            }
        ],
        "lastExecution": {"id": 3, "beginTime": EPOCH_MS, "state": "SUCCESS", "failed": False},
    }
    paused: Json = {**base, "id": 12, "name": "Orders ETL", "databaseType": "MYSQL", "paused": True}
    return [flow, {**paused, "inputs": [], "outputs": []}]
