"""Expressions: one small function per node type, found by the table at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from metaglean_domo.sql.tree import (
    ADDITIVE,
    AND,
    MULTIPLICATIVE,
    NOT,
    OR,
    PREDICATE,
    PRIMARY,
    UNARY,
    ExpressionPrinter,
    Node,
    Printed,
    Printer,
    squeeze,
)
from metaglean_domo.sql.words import (
    data_type,
    double_literal,
    function_name,
    identifier,
    keyword,
    long_literal,
    moment_literal,
    quoted,
    string_literal,
)

_UNITS = frozenset({
    "MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR",
})  # fmt: skip
# Every other call without arguments has lost them.
_WITHOUT_ARGUMENTS = frozenset(
    """
    NOW SYSDATE CURDATE CURTIME CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP LOCALTIME LOCALTIMESTAMP
    UTC_DATE UTC_TIME UTC_TIMESTAMP UNIX_TIMESTAMP GETDATE RAND RANDOM PI UUID
    ROW_NUMBER RANK DENSE_RANK PERCENT_RANK CUME_DIST
    """.split()
)
# JSqlParser has these words as columns without a table when the source has them bare.
_NOT_COLUMNS = frozenset({
    "TRUE", "FALSE", "NULL", "UNKNOWN", "DEFAULT",
    "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER",
    "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE",
})  # fmt: skip

# Type -> symbol, strength, other spellings of the symbol. Comparisons don't chain.
_OPERATORS = {
    "OR": ("OR", OR, ("||",)),
    "AND": ("AND", AND, ("&&",)),
    "EQUALSTO": ("=", PREDICATE, ()),
    "NOTEQUALSTO": ("<>", PREDICATE, ("!=",)),
    "GREATERTHAN": (">", PREDICATE, ()),
    "GREATERTHANEQUALS": (">=", PREDICATE, ()),
    "MINORTHAN": ("<", PREDICATE, ()),
    "MINORTHANEQUALS": ("<=", PREDICATE, ()),
    "ADDITION": ("+", ADDITIVE, ()),
    "SUBTRACTION": ("-", ADDITIVE, ()),
    "MULTIPLICATION": ("*", MULTIPLICATIVE, ()),
    "DIVISION": ("/", MULTIPLICATIVE, ()),
    "INTEGERDIVISION": ("DIV", MULTIPLICATIVE, ()),
    "MODULO": ("%", MULTIPLICATIVE, ("MOD",)),
}


def _binary(printer: Printer, node: Node) -> Printed:
    """Print an operator with the chain of like operators on its left.

    The chain is walked, not recursed into: filters of hundreds of terms are deep trees.
    """
    level = _OPERATORS[squeeze(node.type or "")][1]
    chained = level != PREDICATE
    parts: list[str] = []
    while True:
        symbol, _, others = _OPERATORS[squeeze(node.type or "")]
        node.expect("stringExpression", (symbol, *others))
        node.flag("useOperator")
        parts.append(f"{symbol} {printer.expression(node.need('rightExpression'), level + 1)}")
        left = node.need("leftExpression")
        node.done()
        if not (chained and _level_of(left) == level):
            break
        node = Node(left, "expression")
    parts.append(printer.expression(left, level if chained else level + 1))
    return " ".join(reversed(parts)), level


def _level_of(value: object) -> int | None:
    named = value.get("@type") if isinstance(value, Mapping) else None
    known = _OPERATORS.get(squeeze(named)) if isinstance(named, str) else None
    return known[1] if known else None


def _concat(printer: Printer, node: Node) -> Printed:
    # MySQL reads `||` as OR, the function is the same everywhere.
    node.expect("stringExpression", ("||",))
    operands = [node.need("leftExpression"), node.need("rightExpression")]
    return f"CONCAT({printer.expressions(operands)})", PRIMARY


def _column(node: Node) -> str:
    name = identifier(node, "columnName")
    table = node.get("table")
    if table is None:
        if str(node.need("columnName")).upper() in _NOT_COLUMNS:
            raise node.fail("columnName may be a keyword")
        return name
    return f"{qualifier(table)}.{name}"


def qualifier(table: object) -> str:
    """Print the table part of a column: an alias or a dataset's id."""
    with Node(table, "table") as node:
        if squeeze(node.type or "TABLE") != "TABLE":
            raise node.fail("not a table")
        name = identifier(node, "name")
        alias = node.get("alias")
        if alias is not None:
            with Node(alias, "alias") as named:
                named.flag("useAs")
                if identifier(named, "name") != name:
                    raise node.fail("a column's table with another alias")
    return name


def _signed(printer: Printer, node: Node) -> Printed:
    sign = node.need("sign")
    if sign not in ("+", "-"):
        raise node.fail("unknown sign")
    return sign + printer.expression(node.need("expression"), PRIMARY), UNARY


def _leaf(words: Callable[[Node], str]) -> ExpressionPrinter:
    def leaf(_: Printer, node: Node) -> Printed:
        text = words(node)
        return text, UNARY if text.startswith("-") else PRIMARY

    return leaf


def _typed_moment(node: Node) -> str:
    return moment_literal(keyword(node, "type", frozenset({"DATE", "TIME", "TIMESTAMP"})), node)


def _time_key(node: Node) -> str:
    word = str(node.need("stringValue")).upper().removesuffix("()")
    if word not in ("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"):
        raise node.fail("unknown stringValue")
    return word


def _interval(printer: Printer, node: Node) -> Printed:
    node.expect("intervalKeyword", (True, "INTERVAL", "interval"))
    unit = keyword(node, "intervalType", _UNITS)
    count, expression = node.get("parameter"), node.get("expression")
    if (count is None) == (expression is None):
        raise node.fail("no single count")
    if expression is not None:
        return f"INTERVAL {printer.expression(expression, PRIMARY)} {unit}", PRIMARY
    if not re.fullmatch("[0-9]{1,18}|'[0-9]{1,18}'", str(count)):
        raise node.fail("unknown parameter")
    return f"INTERVAL {count} {unit}", PRIMARY


def _parenthesis(printer: Printer, node: Node) -> Printed:
    text = f"({printer.expression(node.need('expression'))})"
    return (f"NOT {text}", NOT) if node.flag("not") else (text, PRIMARY)


def _not(printer: Printer, node: Node) -> Printed:
    node.flag("exclamationMark")
    return f"NOT {printer.expression(node.need('expression'), PREDICATE)}", NOT


def _function(printer: Printer, node: Node) -> Printed:
    name = function_name(node)
    node.expect("multipartName", ([node.get("name")],))
    arguments = node.objects("parameters")
    return f"{name}({_arguments(printer, node, name, arguments)})", PRIMARY


def _arguments(printer: Printer, node: Node, name: str, arguments: list[object]) -> str:
    distinct, star = node.flag("distinct"), node.flag("allColumns")
    if len(arguments) == 1 and _is_star(arguments[0]):
        star, arguments = True, []
    if (star and (distinct or arguments)) or (distinct and not arguments):
        raise node.fail("unclear arguments")
    if not arguments and not star and name.upper() not in _WITHOUT_ARGUMENTS:
        raise node.fail("no parameters")
    if star:
        return "*"
    return ("DISTINCT " if distinct else "") + printer.expressions(arguments)


def _is_star(value: object) -> bool:
    if not isinstance(value, Mapping) or squeeze(str(value.get("@type"))) != "ALLCOLUMNS":
        return False
    with Node(value, "ALL_COLUMNS"):
        return True


def _analytic(printer: Printer, node: Node) -> Printed:
    name = function_name(node)
    node.expect("type", ("OVER",))
    arguments = [node.get(key) for key in ("expression", "offset", "defaultValue")]
    while arguments and arguments[-1] is None:
        arguments.pop()
    if None in arguments:
        raise node.fail("unclear arguments")
    call = _arguments(printer, node, name, arguments)
    partition = node.objects("partitionExpressionList")
    clauses = [f"PARTITION BY {printer.expressions(partition)}"] if partition else []
    clauses += filter(None, [order_by(printer, node)])
    return f"{name}({call}) OVER ({' '.join(clauses)})", PRIMARY


def order_by(printer: Printer, node: Node) -> str:
    """Print the ORDER BY of a select or window, or nothing."""
    elements = []
    for value in node.objects("orderByElements"):
        with Node(value, "ORDER_BY") as element:
            element.flag("ascDescPresent")
            text = printer.expression(element.need("expression"))
            if not isinstance(ascending := value.get("asc"), bool):
                raise element.fail("no asc")
            element.flag("asc")
        elements.append(text if ascending else f"{text} DESC")
    return f"ORDER BY {', '.join(elements)}" if elements else ""


def _cast(word: str, printer: Printer, node: Node) -> Printed:
    node.flag("useCastKeyword")
    node.expect("keyword", (word, word.lower()))
    operand = printer.expression(node.one_of("leftExpression", "expression"))
    return f"{word}({operand} AS {data_type(node.need('type'))})", PRIMARY


def _extract(printer: Printer, node: Node) -> Printed:
    unit = keyword(node, "name", _UNITS)
    return f"EXTRACT({unit} FROM {printer.expression(node.need('expression'))})", PRIMARY


def _case(printer: Printer, node: Node) -> Printed:
    node.flag("usingBrackets")
    parts = ["CASE"]
    if (switch := node.get("switchExpression")) is not None:
        parts.append(printer.expression(switch))
    clauses = node.objects("whenClauses")
    if not clauses:
        raise node.fail("no whenClauses")
    for value in clauses:
        with Node(value, "WHEN_CLAUSE") as clause:
            when = printer.expression(clause.need("whenExpression"))
            parts.append(f"WHEN {when} THEN {printer.expression(clause.need('thenExpression'))}")
    if (otherwise := node.get("elseExpression")) is not None:
        parts.append(f"ELSE {printer.expression(otherwise)}")
    return " ".join([*parts, "END"]), PRIMARY


def _predicate(printer: Printer, node: Node, word: str, right: str) -> Printed:
    left = printer.expression(node.need("leftExpression"), ADDITIVE)
    return f"{left}{' NOT' if node.flag('not') else ''} {word} {right}", PREDICATE


def _in(printer: Printer, node: Node) -> Printed:
    right = node.one_of("rightItemsList", "rightExpression")
    if isinstance(right, Mapping) and squeeze(str(right.get("@type"))) == "SUBSELECT":
        return _predicate(printer, node, "IN", printer.expression(right))
    if isinstance(right, Mapping) and squeeze(str(right.get("@type", ""))) not in (
        "",
        "EXPRESSIONLIST",
    ):
        raise node.fail("unknown list")
    key = "rightItemsList" if node.get("rightItemsList") is not None else "rightExpression"
    if not (items := node.objects(key)):
        raise node.fail("empty list")
    return _predicate(printer, node, "IN", f"({printer.expressions(items)})")


def _between(printer: Printer, node: Node) -> Printed:
    start = printer.expression(node.need("betweenExpressionStart"), ADDITIVE)
    end = printer.expression(node.need("betweenExpressionEnd"), ADDITIVE)
    return _predicate(printer, node, "BETWEEN", f"{start} AND {end}")


def _like(printer: Printer, node: Node) -> Printed:
    node.expect("likeKeyWord", ("LIKE",))
    node.expect("stringExpression", ("LIKE",))
    right = printer.expression(node.need("rightExpression"), ADDITIVE)
    if (escape := node.get("escape")) is not None:
        if isinstance(escape, str):
            if not re.fullmatch(r"[!-&(-~]", escape):
                raise node.fail("unknown escape")
            right += f" ESCAPE {quoted(escape)}"
        else:
            right += f" ESCAPE {printer.expression(escape, PRIMARY)}"
    return _predicate(printer, node, "LIKE", right)


def _is_null(printer: Printer, node: Node) -> Printed:
    node.flag("useIsNull")
    left = printer.expression(node.need("leftExpression"), ADDITIVE)
    return f"{left} IS {'NOT ' if node.flag('not') else ''}NULL", PREDICATE


def _exists(printer: Printer, node: Node) -> Printed:
    negated = node.flag("not")
    node.expect("stringExpression", ("NOT EXISTS" if negated else "EXISTS",))
    right = node.need("rightExpression")
    if not isinstance(right, Mapping) or squeeze(str(right.get("@type"))) != "SUBSELECT":
        raise node.fail("not a sub-select")
    text = f"EXISTS {printer.expression(right)}"
    return (f"NOT {text}", NOT) if negated else (text, PRIMARY)


EXPRESSIONS: dict[str, ExpressionPrinter] = {
    **dict.fromkeys(_OPERATORS, _binary),
    "CONCAT": _concat,
    "COLUMN": _leaf(_column),
    "STRINGVALUE": _leaf(string_literal),
    "LONGVALUE": _leaf(long_literal),
    "DOUBLEVALUE": _leaf(double_literal),
    "NULLVALUE": _leaf(lambda _: "NULL"),
    "DATEVALUE": _leaf(partial(moment_literal, "DATE")),
    "TIMEVALUE": _leaf(partial(moment_literal, "TIME")),
    "TIMESTAMPVALUE": _leaf(partial(moment_literal, "TIMESTAMP")),
    "DATETIMELITERAL": _leaf(_typed_moment),
    "TIMEKEY": _leaf(_time_key),
    "INTERVAL": _interval,
    "PARENTHESIS": _parenthesis,
    "NOT": _not,
    "SIGNED": _signed,
    "FUNCTION": _function,
    "ANALYTIC": _analytic,
    "CAST": partial(_cast, "CAST"),
    "TRYCAST": partial(_cast, "TRY_CAST"),
    "EXTRACT": _extract,
    "CASE": _case,
    "IN": _in,
    "BETWEEN": _between,
    "LIKE": _like,
    "ISNULL": _is_null,
    "EXISTS": _exists,
}
