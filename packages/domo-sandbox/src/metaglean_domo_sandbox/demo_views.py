"""The views of the demo tenant: one for each thing that SQL printers stumble over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from metaglean_domo_sandbox.model import Column, Json
from metaglean_domo_sandbox.view_ast import (
    between,
    binary,
    case,
    cast,
    column,
    function,
    is_in,
    is_null,
    item,
    join,
    literal,
    negate,
    order,
    parenthesis,
    select,
    sub_select,
    table,
    union,
)


class View(NamedTuple):
    """Name, description, columns and syntax tree of a view."""

    name: str
    description: str
    columns: tuple[Column, ...]
    select: Json


def views(ids: Mapping[str, str]) -> list[View]:
    """The views over the datasets `orders`, `customers`, `refunds` (name -> id)."""
    orders, customers, refunds = ids["orders"], ids["customers"], ids["refunds"]
    return [
        _net_orders(orders),
        _with_customers(orders, customers),
        _by_region(orders),
        _banded(orders),
        _latest(orders),
        _both(orders, refunds),
        _unprintable(orders),
        _plain(orders),
    ]


def _plain(orders: str) -> View:
    names = (Column("order_id", "LONG"), Column("region", "STRING"))
    body = select([column(c.name) for c in names], table(orders))
    return View("v_plain", "No alias, no condition", names, body)


def _net_orders(orders: str) -> View:
    tax = function("IFNULL", column("tax", "base"), literal(0))
    net = item(binary(column("amount", "base"), "-", tax), "net")
    where = binary(
        binary(column("region", "base"), "=", literal("EU 'north'")),
        "and",
        parenthesis(
            binary(
                is_null(column("tax", "base")),
                "or",
                between(column("amount", "base"), literal(1), literal(99.5)),
            )
        ),
    )
    columns = (Column("region", "STRING"), Column("net", "DECIMAL"))
    body = select([column("region", "base"), net], table(orders, "base"), where=where)
    return View("v_orders_net", "Net amount of an order", columns, body)


def _with_customers(orders: str, customers: str) -> View:
    on = binary(column("cust_id", "base"), "=", column("id", "cust"))
    items = [
        column("order_id", "base"),
        item(column("Full Name", "cust"), "customer"),
        item(cast(column("ts", "base"), "DATE"), "day"),
        item(cast(column("zip", "cust"), "LONG", attempt=True), "zip_number"),
    ]
    where = negate(is_in(column("region", "base"), [literal("XX"), literal("YY")]))
    columns = (
        Column("order_id", "LONG"),
        Column("customer", "STRING"),
        Column("day", "DATE"),
        Column("zip_number", "LONG"),
    )
    joins = [join(table(customers, "cust"), on, "left")]
    body = select(items, table(orders, "base"), joins, where)
    return View("v_orders_customers", "Orders with their customers", columns, body)


def _by_region(orders: str) -> View:
    total = function("SUM", column("amount", "o"))
    items = [
        column("region", "o"),
        item(total, "total"),
        item(function("COUNT"), "orders"),
        item(function("COUNT", column("cust_id", "o"), distinct=True), "customers"),
    ]
    columns = (
        Column("region", "STRING"),
        Column("total", "DECIMAL"),
        Column("orders", "LONG"),
        Column("customers", "LONG"),
    )
    body = select(
        items,
        table(orders, "o"),
        group=[column("region", "o")],
        having=binary(total, ">", literal(1000)),
        order_by=[order(total, ascending=False), order(column("region", "o"))],
        limit=100,
    )
    return View("v_revenue_by_region", "Revenue of the regions", columns, body)


def _banded(orders: str) -> View:
    amount = column("amount", "o")
    whens = [
        (binary(amount, ">=", literal(1000)), literal("large")),
        (binary(amount, ">=", literal(100)), literal("medium")),
    ]
    switch = [(literal("EU"), literal(1)), (literal("US"), literal(2))]
    like = binary(column("region", "o"), "like", literal("E%"))
    columns = (Column("band", "STRING"), Column("region_number", "LONG"), Column("mark", "STRING"))
    body = select(
        [
            item(case(whens, literal("small")), "band"),
            item(case(switch, switch=column("region", "o")), "region_number"),
            item(case([(like, literal("e"))], literal(None)), "mark"),
        ],
        table(orders, "o"),
        distinct=True,
    )
    return View("v_order_bands", "Orders in three bands", columns, body)


def _latest(orders: str) -> View:
    inner = select(
        [column("cust_id", "o"), item(function("MAX", column("ts", "o")), "last_ts")],
        table(orders, "o"),
        group=[column("cust_id", "o")],
    )
    items = [column("cust_id", "x"), column("last_ts", "x")]
    columns = (Column("cust_id", "LONG"), Column("last_ts", "DATETIME"))
    body = select(items, sub_select(inner, "x"), where=negate(is_null(column("last_ts", "x"))))
    return View("v_latest_order", "The latest order of each customer", columns, body)


def _both(orders: str, refunds: str) -> View:
    first = select([column("order_id", "a"), column("amount", "a")], table(orders, "a"))
    minus = binary(literal(0), "-", column("refund", "b"))
    second = select([column("order_id", "b"), item(minus, "amount")], table(refunds, "b"))
    columns = (Column("order_id", "LONG"), Column("amount", "DECIMAL"))
    return View("v_movements", "Orders and refunds", columns, union([first, second]))


def _unprintable(orders: str) -> View:
    strange = {"@type": "QUANTUM_EXPRESSION", "expression": column("amount", "o"), "spin": "up"}
    body = select([item(strange, "odd")], table(orders, "o"))
    return View("v_strange", "Has a node that nobody knows", (Column("odd", "STRING"),), body)
