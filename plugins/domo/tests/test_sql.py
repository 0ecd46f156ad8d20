"""The printer of view trees, checked by an independent parser (sqlglot)."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import Any

import pytest
import sqlglot

from metaglean_domo.sql import UnknownNode, print_select

Tree = dict[str, Any]

# ---------------------------------------------------------------- building trees as Domo has them


def node(kind: str, **keys: Any) -> Tree:
    return {"@type": kind, **keys}


def col(name: str, table: str | None = "base") -> Tree:
    return node("COLUMN", v=1, columnName=name, table={"name": table} if table else None)


def num(value: int) -> Tree:
    return node("LONG_VALUE", value=value)


def text(value: str) -> Tree:
    return node("STRING_VALUE", value=value)


def binary(kind: str, left: Tree, right: Tree) -> Tree:
    return node(kind, leftExpression=left, rightExpression=right)


def table(name: str = "`0b6f`", alias: str | None = "base") -> Tree:
    return node("TABLE", name=name, alias={"name": alias} if alias else None)


def item(expression: Tree, alias: str | None = None) -> Tree:
    named = {"name": alias} if alias is not None else None
    return node("SELECT_EXPRESSION_ITEM", expression=expression, alias=named)


def body(*items: Tree, **keys: Any) -> Tree:
    return node("PLAIN_SELECT", selectItems=list(items), **{"fromItem": table(), **keys})


def sub(select: Tree, **keys: Any) -> Tree:
    return node("SUB_SELECT", selectBody=select, **keys)


A, B, C = col("a"), col("b"), col("c")
ONE = body(item(A))


def printed(expression: Tree) -> str:
    """The SQL of one expression: what stands between SELECT and FROM."""
    sql = print_select(body(item(expression), fromItem=None))
    sqlglot.parse_one(sql, read="mysql")
    return sql.removeprefix("SELECT ").replace("`base`.", "").replace("`", "")


def flat(select: Tree) -> str:
    sql = print_select({"selectBody": select})
    assert len(sqlglot.parse(sql, read="mysql")) == 1
    return " ".join(sql.split())


# ------------------------------------------------------------------------------------- examples

EXPRESSIONS: list[tuple[Tree, str]] = [
    (col("a", None), "a"),
    (text("it's"), "'it''s'"),
    (text(""), "''"),
    (text("a\\d"), "'a\\\\d'"),
    (node("STRING_VALUE", value="it''s", notExcapedValue="it's"), "'it''s'"),
    (node("LONG_VALUE", stringValue="7"), "7"),
    (num(0), "0"),
    (node("DOUBLE_VALUE", value=0.5), "0.5"),
    (node("DOUBLE_VALUE", value=1e22, stringValue="1.0E22"), "1.0E22"),
    (node("NULL_VALUE"), "NULL"),
    (node("DATE_VALUE", value="2026-01-31"), "DATE '2026-01-31'"),
    (node("TIME_VALUE", value="'10:00:00'"), "TIME '10:00:00'"),
    (node("TIMESTAMP_VALUE", value="2026-01-31T10:00:00"), "TIMESTAMP '2026-01-31 10:00:00'"),
    (node("DATE_TIME_LITERAL_EXPRESSION", type="DATE", value="'2026-01-31'"), "DATE '2026-01-31'"),
    (node("TIME_KEY_EXPRESSION", stringValue="CURRENT_DATE()"), "CURRENT_DATE"),
    (node("INTERVAL_EXPRESSION", parameter="1", intervalType="day"), "INTERVAL 1 DAY"),
    (
        node("INTERVAL_EXPRESSION", expression=binary("ADDITION", A, B), intervalType="MONTH"),
        "INTERVAL (a + b) MONTH",
    ),
    (node("PARENTHESIS", expression=A), "(a)"),
    (node("PARENTHESIS", expression=A, **{"not": True}), "NOT (a)"),
    (node("NOT_EXPRESSION", expression=binary("EQUALS_TO", A, B)), "NOT a = b"),
    (node("NOT_EXPRESSION", expression=binary("AND_EXPRESSION", A, B)), "NOT (a AND b)"),
    (node("SIGNED_EXPRESSION", sign="-", expression=num(-5)), "-(-5)"),
    (binary("SUBTRACTION", A, num(-5)), "a - -5"),
    (binary("CONCAT", A, text("x")), "CONCAT(a, 'x')"),
    (node("FUNCTION", name="NOW"), "NOW()"),
    (node("FUNCTION", name="COUNT", allColumns=True), "COUNT(*)"),
    (
        node("FUNCTION", name="COUNT", parameters={"expressions": [node("ALL_COLUMNS")]}),
        "COUNT(*)",
    ),
    (
        node("FUNCTION", name="COUNT", distinct=True, parameters={"expressions": [A]}),
        "COUNT(DISTINCT a)",
    ),
    (node("FUNCTION", name="IFNULL", parameters=[A, num(0)]), "IFNULL(a, 0)"),
    (node("CAST", leftExpression=A, type={"dataType": "LONG"}), "CAST(a AS LONG)"),
    (
        node(
            "TRY_CAST",
            expression=A,
            type={"dataType": "DECIMAL", "argumentsStringList": ["10", "2"]},
        ),
        "TRY_CAST(a AS DECIMAL(10, 2))",
    ),
    (node("EXTRACT_EXPRESSION", name="YEAR", expression=A), "EXTRACT(YEAR FROM a)"),
    (
        node(
            "CASE_EXPRESSION",
            switchExpression=A,
            whenClauses=[node("WHEN_CLAUSE", whenExpression=num(1), thenExpression=B)],
            elseExpression=C,
        ),
        "CASE a WHEN 1 THEN b ELSE c END",
    ),
    (node("IN_EXPRESSION", leftExpression=A, rightItemsList=[num(1), num(2)]), "a IN (1, 2)"),
    (
        node("IN", leftExpression=A, rightExpression=sub(ONE), **{"not": True}),
        "a NOT IN (SELECT a\nFROM 0b6f AS base)",
    ),
    (
        node("BETWEEN", leftExpression=A, betweenExpressionStart=B, betweenExpressionEnd=C),
        "a BETWEEN b AND c",
    ),
    (
        node("LIKE_EXPRESSION", leftExpression=A, rightExpression=text("x!%"), escape="!"),
        "a LIKE 'x!%' ESCAPE '!'",
    ),
    (node("IS_NULL_EXPRESSION", leftExpression=A, **{"not": True}), "a IS NOT NULL"),
    (
        node("EXISTS_EXPRESSION", rightExpression=sub(ONE), **{"not": True}),
        "NOT EXISTS (SELECT a\nFROM 0b6f AS base)",
    ),
    (
        node(
            "ANALYTIC_EXPRESSION",
            name="LAG",
            type="OVER",
            expression=A,
            offset=num(1),
            partitionExpressionList={"expressions": [B]},
            orderByElements=[{"expression": C, "asc": False}],
        ),
        "LAG(a, 1) OVER (PARTITION BY b ORDER BY c DESC)",
    ),
    (node("ANALYTIC_EXPRESSION", name="ROW_NUMBER"), "ROW_NUMBER() OVER ()"),
]


@pytest.mark.parametrize(("tree", "sql"), EXPRESSIONS)
def test_expression(tree: Tree, sql: str) -> None:
    assert printed(tree) == sql


@pytest.mark.parametrize(
    "kinds", ["EQUALS_TO EqualsTo equals_to", "AND_EXPRESSION AndExpression AND", "CONCAT Concat"]
)
def test_spellings_of_a_type(kinds: str) -> None:
    assert len({printed(binary(kind, A, B)) for kind in kinds.split()}) == 1


T2, ON = table("`9c01`", "cust"), binary("EQUALS_TO", A, col("id", "cust"))
FROM = "FROM `0b6f` AS `base`"
COND = "ON `base`.`a` = `cust`.`id`"
CUST = "`9c01` AS `cust`"
LIMIT = {"rowCount": num(10), "offset": num(0)}
UNION = node("UNION_OP", all=True)
SORT = [{"expression": A, "asc": True, "ascDescPresent": True}]

SELECTS: list[tuple[Tree, str]] = [
    (body(node("ALL_COLUMNS")), f"SELECT * {FROM}"),
    (body(node("ALL_TABLE_COLUMNS", table={"name": "base"})), f"SELECT `base`.* {FROM}"),
    (body(item(node("ALL_COLUMNS"))), f"SELECT * {FROM}"),
    (body(item(A, "x"), distinct=True), f"SELECT DISTINCT `base`.`a` AS `x` {FROM}"),
    (body(item(A), distinct={"useUnique": False}), f"SELECT DISTINCT `base`.`a` {FROM}"),
    (body(item(A), where={}, groupBy=None, joins=[]), f"SELECT `base`.`a` {FROM}"),
    (
        body(
            item(A),
            where=binary("GREATER_THAN", A, num(1)),
            groupBy={"groupByExpressions": [A]},
            having=binary("MINOR_THAN", B, num(2)),
            orderByElements=SORT,
            limit=LIMIT,
            offsetBeforeLimit=False,
        ),
        (
            f"SELECT `base`.`a` {FROM} WHERE `base`.`a` > 1 GROUP BY `base`.`a` "
            "HAVING `base`.`b` < 2 ORDER BY `base`.`a` LIMIT 10 OFFSET 0"
        ),
    ),
    (
        body(item(A), limit={"rowCount": num(5)}, offset={"offset": num(2)}),
        f"SELECT `base`.`a` {FROM} LIMIT 5 OFFSET 2",
    ),
    (
        body(item(A), fromItem=sub(ONE, alias={"name": "s"})),
        f"SELECT `base`.`a` FROM (SELECT `base`.`a` {FROM}) AS `s`",
    ),
    (
        node("SET_OPERATION_LIST", selects=[ONE, ONE], operations=[UNION], orderByElements=SORT),
        f"SELECT `base`.`a` {FROM} UNION ALL SELECT `base`.`a` {FROM} ORDER BY `base`.`a`",
    ),
    (
        node(
            "SET_OPERATION_LIST",
            setOperationList=[{"selectBody": body(item(A), limit=LIMIT)}, {"selectBody": ONE}],
            operations=[node("EXCEPT_OP")],
        ),
        f"(SELECT `base`.`a` {FROM} LIMIT 10 OFFSET 0) EXCEPT SELECT `base`.`a` {FROM}",
    ),
]
JOINS: list[tuple[Tree, str]] = [
    ({"onExpression": ON}, f"JOIN {CUST} {COND}"),
    ({"inner": True, "onExpressions": [ON]}, f"JOIN {CUST} {COND}"),
    ({"left": True, "onExpression": ON, "onExpressions": [ON]}, f"LEFT JOIN {CUST} {COND}"),
    ({"left": True, "outer": True, "onExpression": ON}, f"LEFT JOIN {CUST} {COND}"),
    ({"right": True, "onExpression": ON, "leftItem": table()}, f"RIGHT JOIN {CUST} {COND}"),
    ({"full": True, "onExpression": ON}, f"FULL OUTER JOIN {CUST} {COND}"),
    ({"cross": True}, f"CROSS JOIN {CUST}"),
    ({"natural": True, "left": True}, f"NATURAL LEFT JOIN {CUST}"),
    ({"left": True, "usingColumns": [col("id", None)]}, f"LEFT JOIN {CUST} USING (`id`)"),
    ({"simple": True}, f", {CUST}"),
]


@pytest.mark.parametrize(("tree", "sql"), SELECTS)
def test_select(tree: Tree, sql: str) -> None:
    assert flat(tree) == sql


@pytest.mark.parametrize(("join", "sql"), JOINS)
def test_join(join: Tree, sql: str) -> None:
    found = flat(body(item(A), joins=[{"rightItem": T2, **join}]))
    assert found == f"SELECT `base`.`a` {FROM} {sql}".replace(" ,", ",")


# --------------------------------------------------------------- nothing is guessed, nothing lost

REFUSED: list[Tree] = [
    node("LONG_VALUE"),
    node("LONG_VALUE", value=1, stringValue="2"),
    node("LONG_VALUE", value=True),
    node("LONG_VALUE", value="1 OR 1"),
    node("DOUBLE_VALUE", value=float("nan")),
    node("DOUBLE_VALUE", stringValue="1); --"),
    node("STRING_VALUE"),
    node("STRING_VALUE", value="x", prefix="N"),
    text("it''s"),
    text("'x'"),
    text("\\'"),
    text("\0"),
    text("\ud800"),
    col("true", None),
    col("CURRENT_DATE", None),
    col(""),
    col("``"),
    col("`a`.`b`"),
    col('"a"'),
    node("COLUMN", columnName="a", table={"name": "t", "alias": {"name": "u"}}),
    node("FUNCTION", name="COUNT"),
    node("FUNCTION", name="IFNULL", parameters={"expressions": []}),
    node("FUNCTION", name="NOW", parameters={}),
    node("FUNCTION", name="f(x); DROP"),
    node("FUNCTION", name="SELECT"),
    node("FUNCTION", name="F", keep={"name": "x"}),
    node("FUNCTION", name="F", distinct=True),
    node("CAST", leftExpression=A, type={"dataType": "INT) --"}),
    node("CAST", leftExpression=A),
    node("CASE_EXPRESSION", elseExpression=A),
    node("IN_EXPRESSION", leftExpression=A, rightItemsList=[]),
    node("IN_EXPRESSION", leftExpression=A, rightExpression=B),
    node("LIKE_EXPRESSION", leftExpression=A, rightExpression=B, caseInsensitive=True),
    node("IS_NULL_EXPRESSION", leftExpression=A, useNotNull=True),
    node("DATE_VALUE", value=1767225600000),
    node("INTERVAL_EXPRESSION", parameter="1", intervalType="FORTNIGHT"),
    node("SIGNED_EXPRESSION", sign="~", expression=A),
    node("ANALYTIC_EXPRESSION", name="SUM", expression=A, windowElement={"type": "ROWS"}),
    node("ANALYTIC_EXPRESSION", name="SUM", expression=A, type="WITHIN_GROUP"),
    node("ANALYTIC_EXPRESSION", name="LAG", expression=A, defaultValue=B),
    node("ADDITION", leftExpression=A),
    node("EQUALS_TO", leftExpression=A, rightExpression=B, oldOracleJoinSyntax=1),
    node("CAST", leftExpression=node("ALL_COLUMNS"), type={"dataType": "LONG"}),
    node("JSON_EXPRESSION", expression=A),
    {"leftExpression": A},
    node("SUB_SELECT", selectBody=ONE, withItemsList=[{"name": "x"}]),
]


@pytest.mark.parametrize("tree", REFUSED)
def test_refused_expression(tree: Tree) -> None:
    with pytest.raises(UnknownNode):
        print_select(body(item(tree)))


TWO = {"selects": [ONE, ONE], "operations": [UNION]}
REFUSED_SELECTS: list[Tree] = [
    body(),
    body(item(A), distinct={}),
    body(item(A), distinct={"onSelectItems": [item(A)]}),
    body(item(A), groupBy={"groupingSets": [[A]]}),
    body(item(A), qualify=A),
    body(item(A), top={"rowCount": num(1)}),
    body(item(A), fetch={"rowCount": 1}),
    body(item(A), intoTables=[table()]),
    body(item(A), limit={"offset": num(1)}),
    body(item(A), limit={"rowCount": num(-1)}),
    body(item(A), limit={"rowCount": node("JDBC_PARAMETER")}),
    body(item(A), offset={"offset": num(1)}),
    body(item(A), limit=LIMIT, offset={"offset": num(1)}),
    body(item(A), orderByElements=[{"expression": A}]),
    body(item(A), orderByElements=[{"expression": A, "asc": True, "nullOrdering": "NULLS_LAST"}]),
    body(item(A), fromItem=node("SUB_JOIN", left=table())),
    body(item(A), fromItem={**table(), "pivot": {"x": 1}}),
    body(item(A), fromItem=None, joins=[{"rightItem": T2, "cross": True}]),
    body(item(A), joins=[{"left": True, "onExpression": ON}]),
    body(item(A), joins=[{"left": True, "rightItem": T2}]),
    body(item(A), joins=[{"left": True, "right": True, "rightItem": T2, "onExpression": ON}]),
    body(item(A), joins=[{"semi": True, "rightItem": T2, "onExpression": ON}]),
    body(item(A), joins=[{"cross": True, "rightItem": T2, "onExpression": ON}]),
    body(item(A), joins=[{"rightItem": T2, "onExpressions": [ON, A]}]),
    body(item(A), joins=[{"rightItem": T2, "leftItem": table("x"), "onExpression": ON}]),
    node("SET_OPERATION_LIST", **{**TWO, "operations": []}),
    node("SET_OPERATION_LIST", **{**TWO, "operations": [node("UNION_OP", modifier="X")]}),
    node("SET_OPERATION_LIST", selects=[ONE] * 3, operations=[UNION, node("INTERSECT_OP")]),
    node("VALUES_STATEMENT", expressions=[A]),
    node("WITH_ITEM", selectBody=ONE),
]


@pytest.mark.parametrize("tree", REFUSED_SELECTS)
def test_refused_select(tree: Tree) -> None:
    with pytest.raises(UnknownNode):
        print_select({"selectBody": tree})


def test_refused_around_the_body() -> None:
    for select in ({}, {"selectBody": None}, {"selectBody": ONE, "withItemsList": [{"name": "x"}]}):
        with pytest.raises(UnknownNode):
            print_select(select)


@pytest.mark.parametrize("case", EXPRESSIONS + SELECTS, ids=lambda case: case[1][:30])
def test_every_key_that_is_not_known_refuses(case: tuple[Tree, str]) -> None:
    """An extra key with a meaning, put at every object of every example, is never passed over."""
    tree, _ = case
    body_tree = tree if "SELECT" in tree["@type"] or "SET" in tree["@type"] else body(item(tree))
    print_select(body_tree)
    for path in _paths(body_tree):
        for harmless in (None, False, list[Any]()):
            print_select(_put(body_tree, path, "novelty", harmless))
        with pytest.raises(UnknownNode):
            print_select(_put(body_tree, path, "novelty", True))
        for key, garbage in product(_at(body_tree, path), (1, "x", "'", [1], {}, {"@type": "x"})):
            with suppress(UnknownNode):  # and nothing else is raised
                sqlglot.parse_one(print_select(_put(body_tree, path, key, garbage)), read="mysql")


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[Any, ...]] = []
    if isinstance(value, dict) and value:
        found, pairs = [path], value.items()  # type: ignore[assignment]  # both are pairs
    for key, each in pairs:
        found += _paths(each, (*path, key))
    return found


def _at(value: Any, path: tuple[Any, ...]) -> list[str]:
    for key in path:
        value = value[key]
    return list(value)


def _put(value: Any, path: tuple[Any, ...], key: str, new: Any) -> Any:
    if not path:
        return {**value, key: new}
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = _put(value[path[0]], path[1:], key, new)
    return copy
