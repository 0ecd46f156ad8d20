"""Builders for the syntax trees that `schema/indexed` gives for views.

The shape follows what public front-ends of Domo handle (it is JSqlParser's tree). Seen there:
`select.selectBody`, PLAIN_SELECT, SET_OPERATION_LIST, TABLE, SUB_SELECT, SELECT_EXPRESSION_ITEM,
COLUMN, FUNCTION, CAST, STRING_VALUE, LONG_VALUE and their keys. Guessed from JSqlParser's class
names: the operators (`EQUALS_TO`, `MINOR_THAN`, `AND_EXPRESSION`, ...), the keys of CASE, ORDER BY,
LIMIT and set operations, and the key `value` of literals.
"""

from __future__ import annotations

from collections.abc import Sequence

from metaglean_domo_sandbox.model import Json

_OPERATORS = {
    "=": "EQUALS_TO",
    "<>": "NOT_EQUALS_TO",
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_EQUALS",
    "<": "MINOR_THAN",
    "<=": "MINOR_THAN_EQUALS",
    "+": "ADDITION",
    "-": "SUBTRACTION",
    "*": "MULTIPLICATION",
    "/": "DIVISION",
    "and": "AND_EXPRESSION",
    "or": "OR_EXPRESSION",
    "like": "LIKE_EXPRESSION",
}


def quote(name: str) -> str:
    """A name in backticks, as the trees carry them."""
    return "`" + name.replace("`", "``") + "`"


def column(name: str, table: str | None = None) -> Json:
    """A column, of the table with this alias."""
    node: Json = {"@type": "COLUMN", "columnName": quote(name)}
    if table is not None:
        node["table"] = {"name": table}
    return node


def literal(value: str | float | None) -> Json:
    """A string, whole number, decimal number or NULL."""
    if value is None:
        return {"@type": "NULL_VALUE"}
    if isinstance(value, str):
        return {"@type": "STRING_VALUE", "value": value}
    if isinstance(value, int):
        return {"@type": "LONG_VALUE", "value": value, "stringValue": str(value)}
    return {"@type": "DOUBLE_VALUE", "value": value}


def binary(left: Json, operator: str, right: Json) -> Json:
    """`left operator right`; operators are those of SQL, `and` and `or` in lower case."""
    return {"@type": _OPERATORS[operator], "leftExpression": left, "rightExpression": right}


def negate(node: Json) -> Json:
    """A node with `not: true`, as for IS NOT NULL, NOT IN, NOT LIKE."""
    return {**node, "not": True}


def is_null(expression: Json) -> Json:
    """`expression IS NULL`."""
    return {"@type": "IS_NULL_EXPRESSION", "leftExpression": expression, "not": False}


def is_in(expression: Json, values: Sequence[Json]) -> Json:
    """`expression IN (values)`."""
    return {
        "@type": "IN_EXPRESSION",
        "leftExpression": expression,
        "rightItemsList": {"@type": "EXPRESSION_LIST", "expressions": list(values)},
        "not": False,
    }


def between(expression: Json, start: Json, end: Json) -> Json:
    """`expression BETWEEN start AND end`."""
    return {
        "@type": "BETWEEN",
        "leftExpression": expression,
        "betweenExpressionStart": start,
        "betweenExpressionEnd": end,
        "not": False,
    }


def parenthesis(expression: Json) -> Json:
    """`(expression)`."""
    return {"@type": "PARENTHESIS", "expression": expression}


def function(name: str, *parameters: Json, distinct: bool = False) -> Json:
    """A call; without parameters it is `name(*)` for COUNT and `name()` for others."""
    node: Json = {"@type": "FUNCTION", "name": name, "distinct": distinct}
    if parameters:
        node["parameters"] = {"@type": "EXPRESSION_LIST", "expressions": list(parameters)}
    node["allColumns"] = name.upper() == "COUNT" and not parameters
    return node


def cast(expression: Json, type_name: str, attempt: bool = False) -> Json:
    """`CAST(expression AS type)`, or TRY_CAST."""
    return {
        "@type": "TRY_CAST" if attempt else "CAST",
        "leftExpression": expression,
        "type": {"dataType": type_name},
    }


def case(
    whens: Sequence[tuple[Json, Json]], otherwise: Json | None = None, switch: Json | None = None
) -> Json:
    """`CASE [switch] WHEN .. THEN .. [ELSE ..] END`."""
    node: Json = {
        "@type": "CASE_EXPRESSION",
        "whenClauses": [
            {"@type": "WHEN_CLAUSE", "whenExpression": when, "thenExpression": then}
            for when, then in whens
        ],
    }
    if switch is not None:
        node["switchExpression"] = switch
    if otherwise is not None:
        node["elseExpression"] = otherwise
    return node


def item(expression: Json, alias: str | None = None) -> Json:
    """One item of the select list; a plain column is its own alias."""
    node: Json = {"@type": "SELECT_EXPRESSION_ITEM", "expression": expression}
    if alias is not None:
        node["alias"] = {"name": alias}
    return node


def table(dataset_id: str, alias: str | None = None) -> Json:
    """A dataset in FROM, named by its id."""
    node: Json = {"@type": "TABLE", "name": quote(dataset_id)}
    return node if alias is None else {**node, "alias": {"name": alias}}


def sub_select(query: Json, alias: str) -> Json:
    """A query in FROM."""
    return {"@type": "SUB_SELECT", "selectBody": query["selectBody"], "alias": {"name": alias}}


def join(right: Json, on: Json | None = None, kind: str = "inner") -> Json:
    """A join; `kind` is inner, left, right, full or cross."""
    node: Json = {kind: True, "rightItem": right}
    if kind in ("left", "right", "full"):
        node["outer"] = True
    return node if on is None else {**node, "onExpression": on}


def order(expression: Json, ascending: bool = True) -> Json:
    """One element of ORDER BY."""
    return {"expression": expression, "asc": ascending}


def select(
    items: Sequence[Json],
    source: Json,
    joins: Sequence[Json] = (),
    where: Json | None = None,
    group: Sequence[Json] = (),
    having: Json | None = None,
    order_by: Sequence[Json] = (),
    limit: int | None = None,
    distinct: bool = False,
) -> Json:
    """A query. Items that are bare columns are aliased with their own name."""
    body: Json = {"@type": "PLAIN_SELECT", "selectItems": [_as_item(i) for i in items]}
    body["fromItem"] = source
    if distinct:
        body["distinct"] = {"useUnique": False}
    if joins:
        body["joins"] = list(joins)
    if where is not None:
        body["where"] = where
    if group:
        body["groupBy"] = {"groupByExpressions": list(group)}
    if having is not None:
        body["having"] = having
    if order_by:
        body["orderByElements"] = list(order_by)
    if limit is not None:
        body["limit"] = {"rowCount": literal(limit)}
    return {"selectBody": body}


def union(queries: Sequence[Json], everything: bool = True) -> Json:
    """`q1 UNION [ALL] q2 ...`."""
    body: Json = {
        "@type": "SET_OPERATION_LIST",
        "selects": [q["selectBody"] for q in queries],
        "operations": [{"@type": "UNION", "all": everything} for _ in queries[1:]],
    }
    return {"selectBody": body}


def aliases(node: object) -> dict[str, str]:
    """Alias -> dataset id of every table in the tree (the key `tableAliases` of the answer)."""
    found: dict[str, str] = {}
    if isinstance(node, dict):
        if node.get("@type") == "TABLE" and isinstance(node.get("alias"), dict):
            found[str(node["alias"]["name"])] = str(node["name"]).strip("`")
        for value in node.values():
            found.update(aliases(value))
    elif isinstance(node, list):
        for value in node:
            found.update(aliases(value))
    return found


def _as_item(node: Json) -> Json:
    if node.get("@type") == "COLUMN":
        return item(node, str(node["columnName"])[1:-1].replace("``", "`"))
    return node
