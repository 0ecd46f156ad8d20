"""The printed SQL means what the tree means: checked by reading it back with sqlglot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from metaglean_domo.sql import UnknownNode, print_fusion, print_select

Tree = dict[str, Any]


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


def test_the_error_names_the_node_and_no_value() -> None:
    with pytest.raises(UnknownNode, match=r"^JSON_EXPRESSION$"):
        print_select(body(item(node("JSON_EXPRESSION", ident="secret"))))
    with pytest.raises(UnknownNode) as caught:
        print_select(body(item(node("LONG_VALUE", value="secret"))))
    assert "secret" not in str(caught.value)


def test_long_filters_and_bottomless_trees() -> None:
    chain = A
    for number in range(3000):
        chain = binary("OR_EXPRESSION", chain, binary("EQUALS_TO", A, num(number)))
    assert print_select(body(item(A), where=chain)).count(" OR ") == 3000
    deep = A
    for _ in range(3000):
        deep = node("PARENTHESIS", expression=deep)
    with pytest.raises(UnknownNode, match="deep"):
        print_select(body(item(deep)))


# ------------------------------------------------------------------------------------- fusions


def test_fusion_of_one_dataset() -> None:
    expr = {"exprType": "COLUMN", "column": "region", "table": "`0b6f`"}
    view = {"from": "`0b6f`", "mapping": {"Reg`ion": {"expr": expr}}, "columnFuses": []}
    sql = print_fusion([view])
    assert sql == "SELECT `0b6f`.`region` AS `Reg``ion`\nFROM `0b6f`"
    fuse = {"datasource": "9c01", "on": {"exprType": "EQUALS"}}
    wrong: list[list[Tree]] = [
        [],
        [view, view],
        [{**view, "columnFuses": [fuse]}],
        [{**view, "mapping": {}}],
        [{**view, "where": {"exprType": "IN"}}],
        [{**view, "mapping": {"x": {"expr": {**expr, "table": "other"}}}}],
        [{**view, "mapping": {"x": {"expr": {**expr, "exprType": "FUNCTION"}}}}],
    ]
    for views in wrong:
        with pytest.raises(UnknownNode):
            print_fusion(views)


# ------------------------------------------------------- names and strings can't leave their quotes

TEXTS = st.text(max_size=12) | st.text(alphabet="'\"`\\;- x\n/*#%", max_size=12)


@given(TEXTS)
def test_strings_stay_strings(value: str) -> None:
    try:
        sql = print_select(body(item(text(value))))
    except UnknownNode:
        assert "'" in value or "\0" in value  # with quotes inside the escape may be unclear
        return
    (statement,) = sqlglot.parse(sql, read="mysql")
    assert [each.this for each in statement.find_all(exp.Literal)] == [value]  # type: ignore[union-attr]  # parsed


@given(TEXTS, st.booleans())
@example("`0`", False)
def test_names_stay_names(name: str, in_backticks: bool) -> None:
    given_name = "`" + name.replace("`", "``") + "`" if in_backticks else name
    try:
        sql = print_select(
            body(
                item(col(given_name, given_name), given_name),
                fromItem=table(given_name, given_name),
            )
        )
    except UnknownNode:
        assert not name or "\0" in name or (not in_backticks and name[0] in '`"')
        return
    (statement,) = sqlglot.parse(sql, read="mysql")
    quoted = statement.find_all(exp.Identifier)  # type: ignore[union-attr]  # parsed
    if not in_backticks and len(name) > 1 and name[0] == name[-1] == "`":
        name = name[1:-1].replace("``", "`")  # Domo's own way to quote: it is read as that
    assert {each.this for each in quoted} == {name}


# ------------------------------------------------------------ parentheses and precedence are right

SYMBOLS: dict[str, type[exp.Expression]] = {
    "OR_EXPRESSION": exp.Or,
    "AND_EXPRESSION": exp.And,
    "EQUALS_TO": exp.EQ,
    "NOT_EQUALS_TO": exp.NEQ,
    "GREATER_THAN": exp.GT,
    "GREATER_THAN_EQUALS": exp.GTE,
    "MINOR_THAN": exp.LT,
    "MINOR_THAN_EQUALS": exp.LTE,
    "ADDITION": exp.Add,
    "SUBTRACTION": exp.Sub,
    "MULTIPLICATION": exp.Mul,
    "DIVISION": exp.Div,
    "INTEGER_DIVISION": exp.IntDiv,
    "MODULO": exp.Mod,
}
TYPES = {"STRING": "TEXT", "LONG": "BIGINT", "DOUBLE": "DOUBLE", "DATETIME": "DATETIME"}


def expected(tree: Tree) -> Any:
    """The meaning of a tree as nested tuples: no parentheses, NOT of predicates outside."""
    inner = [expected(tree[key]) for key in _OPERANDS if isinstance(tree.get(key), dict)]
    if tree["@type"] in SYMBOLS:
        plain: Any = (SYMBOLS[tree["@type"]].__name__, *inner)
    elif tree["@type"] in MEANINGS:
        plain = MEANINGS[tree["@type"]](tree, inner)
    else:
        plain = (tree["@type"], *inner)
    return ("Not", plain) if tree.get("not") else plain


def _number(value: int) -> Any:
    return ("Neg", _number(-value)) if value < 0 else ("Number", str(value))


def _listed(tree: Tree) -> Any:
    return map(expected, tree["expressions"])


MEANINGS: dict[str, Callable[[Tree, list[Any]], Any]] = {
    "COLUMN": lambda tree, _: ("Column", tree["table"]["name"], tree["columnName"]),
    "LONG_VALUE": lambda tree, _: _number(tree["value"]),
    "STRING_VALUE": lambda tree, _: ("String", tree["value"]),
    "TRY_CAST": lambda tree, inner: ("TRY_CAST", *inner, TYPES[tree["type"]["dataType"]]),
    "PARENTHESIS": lambda _, inner: inner[0],
    "NOT_EXPRESSION": lambda _, inner: ("Not", *inner),
    "SIGNED_EXPRESSION": lambda _, inner: ("Neg", *inner),
    "FUNCTION": lambda tree, _: (
        (tree["name"], tree.get("distinct", False), *_listed(tree["parameters"]))
    ),
    "IN_EXPRESSION": lambda tree, inner: ("In", *inner, *_listed(tree["rightItemsList"])),
    "CASE_EXPRESSION": lambda tree, inner: (
        ("Case", "switchExpression" in tree, *inner, *map(expected, tree["whenClauses"]))
    ),
    "SUB_SELECT": lambda tree, _: (
        "Select",
        expected(tree["selectBody"]["selectItems"][0]["expression"]),
        expected(tree["selectBody"]["where"]),
    ),
}
_OPERANDS = (
    "leftExpression", "rightExpression", "switchExpression", "expression", "whenExpression",
    "thenExpression", "betweenExpressionStart", "betweenExpressionEnd", "elseExpression",
)  # fmt: skip

READERS: dict[type[exp.Expression], Callable[[Any], Any]] = {
    exp.Paren: lambda e: read(e.this),
    exp.Column: lambda e: ("Column", e.table, e.name),
    exp.Literal: lambda e: ("String" if e.is_string else "Number", e.this),
    exp.Neg: lambda e: ("Neg", read(e.this)),
    exp.Not: lambda e: ("Not", read(e.this)),
    exp.Null: lambda _: ("NULL_VALUE",),
    exp.TryCast: lambda e: ("TRY_CAST", read(e.this), e.to.sql()),
    exp.Cast: lambda e: ("CAST", read(e.this), e.to.sql()),
    exp.Concat: lambda e: ("CONCAT", *map(read, e.expressions)),
    exp.Anonymous: lambda e: (e.name, False, *map(read, e.expressions)),
    exp.Sum: lambda e: (
        ("SUM", True, *map(read, e.this.expressions))
        if isinstance(e.this, exp.Distinct)
        else ("SUM", False, read(e.this))
    ),
    # A lone sub-select is one key of the node, and an item of its list where there are more.
    exp.In: lambda e: ("In", read(e.this), *map(read, e.expressions or [e.args["query"]])),
    exp.Between: lambda e: ("BETWEEN", *map(read, (e.this, e.args["low"], e.args["high"]))),
    exp.Like: lambda e: (
        ("Not", ("LIKE_EXPRESSION", read(e.this), read(e.expression)))
        if e.args.get("negate")  # newer versions of sqlglot keep NOT LIKE in one node
        else ("LIKE_EXPRESSION", read(e.this), read(e.expression))
    ),
    exp.Is: lambda e: ("IS_NULL_EXPRESSION", read(e.this)),
    exp.Exists: lambda e: ("EXISTS_EXPRESSION", read(e.this)),
    exp.Subquery: lambda e: read(e.this),
    exp.Select: lambda e: ("Select", read(e.expressions[0]), read(e.args["where"].this)),
    exp.Case: lambda e: (
        "Case",
        e.this is not None,
        *([read(e.this)] if e.this else []),
        *([read(e.args["default"])] if e.args.get("default") else []),
        *(("WHEN_CLAUSE", read(when.this), read(when.args["true"])) for when in e.args["ifs"]),
    ),
    **{
        each: lambda e: (type(e).__name__, read(e.this), read(e.expression))
        for each in SYMBOLS.values()
    },
}


def read(found: Any) -> Any:
    return READERS[type(found)](found)


LEAVES: st.SearchStrategy[Tree] = (
    st.sampled_from([A, B, C, node("NULL_VALUE")])
    | st.integers(-(10**20), 10**20).map(num)
    | st.text(alphabet="ab\\%_- ;", max_size=4).map(text)
)


def _grow(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def built(
        kind: str, *keys: str, negatable: bool = False, **fixed: Any
    ) -> st.SearchStrategy[Tree]:
        parts = dict.fromkeys(keys, inner)
        if negatable:
            return st.fixed_dictionaries({"@type": st.just(kind), **parts, "not": st.booleans()})
        return st.fixed_dictionaries({"@type": st.just(kind), **parts}).map(
            lambda d: {**d, **fixed}
        )

    lists = st.fixed_dictionaries({"expressions": st.lists(inner, min_size=1, max_size=3)})
    either = ("leftExpression", "rightExpression")
    selects = st.builds(lambda what, where: sub(body(item(what), where=where)), inner, inner)
    whens = st.lists(
        built("WHEN_CLAUSE", "whenExpression", "thenExpression"), min_size=1, max_size=2
    )
    return st.one_of(
        st.sampled_from(list(SYMBOLS)).flatmap(lambda kind: built(kind, *either)),
        st.sampled_from(list(SYMBOLS)).flatmap(lambda kind: built(kind, *either)),
        built("PARENTHESIS", "expression", negatable=True),
        built("CONCAT", *either),
        inner.map(lambda tree: node("PARENTHESIS", expression=tree, **{"not": True})),
        st.sampled_from(list(TYPES)).flatmap(
            lambda name: built("TRY_CAST", "leftExpression", type={"dataType": name})
        ),
        built(
            "BETWEEN",
            "leftExpression",
            "betweenExpressionStart",
            "betweenExpressionEnd",
            negatable=True,
        ),
        built("LIKE_EXPRESSION", *either, negatable=True),
        built("IS_NULL_EXPRESSION", "leftExpression", negatable=True),
        st.builds(
            lambda left, right, no: node(
                "IN_EXPRESSION", leftExpression=left, rightItemsList=right, **{"not": no}
            ),
            inner,
            lists,
            st.booleans(),
        ),
        st.builds(lambda p: node("FUNCTION", name="DOMO_F", parameters=p), lists),
        st.builds(
            lambda x, d: node("FUNCTION", name="SUM", distinct=d, parameters={"expressions": [x]}),
            inner,
            st.booleans(),
        ),
        st.builds(
            lambda w, e: node("CASE_EXPRESSION", whenClauses=w, elseExpression=e), whens, inner
        ),
        st.builds(
            lambda s, w: node("CASE_EXPRESSION", switchExpression=s, whenClauses=w), inner, whens
        ),
        selects,
        st.builds(
            lambda s, no: node("EXISTS_EXPRESSION", rightExpression=s, **{"not": no}),
            selects,
            st.booleans(),
        ),
    )


TREES = st.recursive(LEAVES, _grow, max_leaves=12)
_SPAN = {"betweenExpressionStart": B, "betweenExpressionEnd": C}
_WHEN = node("WHEN_CLAUSE", whenExpression=A, thenExpression=B)
PLAIN = [
    num(-1),
    *(binary(kind, A, B) for kind in (*SYMBOLS, "CONCAT", "LIKE_EXPRESSION")),
    node("LIKE_EXPRESSION", leftExpression=A, rightExpression=B, **{"not": True}),
    node("BETWEEN", leftExpression=A, **_SPAN),
    node("BETWEEN", leftExpression=A, **_SPAN, **{"not": True}),
    node("IS_NULL_EXPRESSION", leftExpression=A),
    node("IN_EXPRESSION", leftExpression=A, rightItemsList={"expressions": [B]}),
    node(
        "IN_EXPRESSION",
        leftExpression=A,
        rightItemsList={"expressions": [sub(body(item(B), where=C))]},
    ),
    node("PARENTHESIS", expression=A),
    node("PARENTHESIS", expression=A, **{"not": True}),
    node("NOT_EXPRESSION", expression=A),
    node("SIGNED_EXPRESSION", sign="-", expression=A),
    node("CASE_EXPRESSION", switchExpression=A, whenClauses=[_WHEN], elseExpression=C),
    node("EXISTS_EXPRESSION", rightExpression=sub(body(item(A), where=B)), **{"not": True}),
]


def assert_kept(tree: Tree) -> None:
    sql = print_select({"@type": "SELECT", "selectBody": body(item(tree, "x"), where=tree)})
    (statement,) = sqlglot.parse(sql, read="mysql")
    assert isinstance(statement, exp.Select)
    assert read(statement.expressions[0].this) == expected(tree)
    assert read(statement.args["where"].this) == expected(tree)


@pytest.mark.parametrize("outer", PLAIN, ids=lambda tree: tree["@type"])
def test_every_kind_in_every_place_of_every_kind(outer: Tree) -> None:
    for place in _OPERANDS:
        # EXISTS takes nothing but a sub-select.
        if place in outer and outer["@type"] != "EXISTS_EXPRESSION":
            for inner in PLAIN:
                assert_kept({**outer, place: inner})


@settings(max_examples=250, deadline=None)
@given(TREES)
def test_the_text_means_the_tree(tree: Tree) -> None:
    assert_kept(tree)


@given(
    st.recursive(st.just(ONE), lambda inner: st.lists(inner, min_size=2, max_size=3), max_leaves=6)
)
def test_set_operations_keep_their_structure(shape: Any) -> None:
    def build(part: Any) -> Tree:
        if isinstance(part, dict):
            return part
        operations = [node("EXCEPT_OP")] * (len(part) - 1)
        return node("SET_OPERATION_LIST", selects=list(map(build, part)), operations=operations)

    def left_to_right(part: Any) -> Any:
        if isinstance(part, dict):
            return "S"
        first, *rest = map(left_to_right, part)
        for each in rest:
            first = (first, each)
        return first

    def read_back(found: Any) -> Any:
        if isinstance(found, exp.Subquery):
            return read_back(found.this)
        if isinstance(found, exp.Except):
            return (read_back(found.this), read_back(found.expression))
        return "S"

    (statement,) = sqlglot.parse(print_select(build(shape)), read="mysql")
    assert read_back(statement) == left_to_right(shape)
