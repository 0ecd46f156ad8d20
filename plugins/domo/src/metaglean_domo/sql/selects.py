"""Select bodies: SELECT with its clauses, set operations, the items of FROM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaglean_domo.sql.expressions import order_by, qualifier
from metaglean_domo.sql.tree import (
    PRIMARY,
    BodyPrinter,
    ExpressionPrinter,
    Node,
    Printed,
    Printer,
    UnknownNode,
    squeeze,
)
from metaglean_domo.sql.words import identifier, long_literal

_SET_OPERATIONS = {
    "UNION": "UNION",
    "UNIONOP": "UNION",
    "INTERSECT": "INTERSECT",
    "INTERSECTOP": "INTERSECT",
    "EXCEPT": "EXCEPT",
    "EXCEPTOP": "EXCEPT",
    "MINUS": "EXCEPT",
    "MINUSOP": "EXCEPT",
}
_STARS = ("ALLCOLUMNS", "ALLTABLECOLUMNS")
_JOIN_FLAGS = ("simple", "natural", "cross", "inner", "left", "right", "full", "outer")
# The flags that are set -> words, and whether a condition belongs to it. OUTER is written where
# MySQL, which has no full join, would take FULL for an alias.
_JOINS = {
    (): ("JOIN", True),
    ("inner",): ("JOIN", True),
    ("left",): ("LEFT JOIN", True),
    ("left", "outer"): ("LEFT JOIN", True),
    ("right",): ("RIGHT JOIN", True),
    ("right", "outer"): ("RIGHT JOIN", True),
    ("full",): ("FULL OUTER JOIN", True),
    ("full", "outer"): ("FULL OUTER JOIN", True),
    ("cross",): ("CROSS JOIN", False),
    ("natural",): ("NATURAL JOIN", False),
    ("natural", "inner"): ("NATURAL JOIN", False),
    ("natural", "left"): ("NATURAL LEFT JOIN", False),
    ("natural", "left", "outer"): ("NATURAL LEFT JOIN", False),
    ("natural", "right"): ("NATURAL RIGHT JOIN", False),
    ("natural", "right", "outer"): ("NATURAL RIGHT JOIN", False),
    ("simple",): (",", False),
}


def statement_text(printer: Printer, select: object) -> str:
    if not isinstance(select, Mapping) or "selectBody" not in select:
        return printer.body(select)
    with Node(select, "SELECT") as node:
        if squeeze(node.type or "SELECT") != "SELECT":
            raise UnknownNode(node.label)
        return printer.body(node.need("selectBody"))


def _plain_select(printer: Printer, node: Node) -> str:
    items = [_select_item(printer, item) for item in node.objects("selectItems")]
    if not items:
        raise node.fail("no selectItems")
    clauses = [("SELECT DISTINCT " if _distinct(node) else "SELECT ") + ",\n  ".join(items)]
    clauses += _from(printer, node)
    for key, words in (("where", "WHERE"), ("having", "HAVING")):
        # An empty object stands for "no condition" in the bodies that Domo's own pages send.
        condition = node.get(key)
        text = f"{words} {printer.expression(condition)}" if condition not in (None, {}) else ""
        clauses += [text, _group_by(printer, node)] if key == "where" else [text]
    clauses += [order_by(printer, node), _limit(node)]
    return "\n".join(filter(None, clauses))


def _distinct(node: Node) -> bool:
    value = node.get("distinct")
    if value is None or value is True:
        return value is True
    with Node(value, "DISTINCT") as distinct:
        if not {"useUnique", "onSelectItems"} & set(value):
            raise distinct.fail("unclear")
        distinct.flag("useUnique")
    return True


def _select_item(printer: Printer, value: object) -> str:
    with Node(value, "select item") as node:
        kind = squeeze(node.type or "")
        if kind == "ALLCOLUMNS":
            return "*"
        if kind == "ALLTABLECOLUMNS":
            return f"{qualifier(node.need('table'))}.*"
        if kind not in ("SELECTEXPRESSIONITEM", "SELECTITEM"):
            raise UnknownNode(node.label)
        expression = node.need("expression")
        if isinstance(expression, Mapping) and squeeze(str(expression.get("@type"))) in _STARS:
            return _select_item(printer, expression)
        return printer.expression(expression) + _alias(node)


def _alias(node: Node) -> str:
    value = node.get("alias")
    if value is None:
        return ""
    with Node(value, "alias") as alias:
        alias.flag("useAs")
        return f" AS {identifier(alias, 'name')}"


def _from(printer: Printer, node: Node) -> list[str]:
    first, joins = node.get("fromItem"), node.objects("joins")
    if first is None:
        if joins:
            raise node.fail("joins without a fromItem")
        return []
    lines, seen = [f"FROM {_from_item(printer, first)}"], [first]
    for value in joins:
        with Node(value, "JOIN") as join:
            text = _join(printer, join, seen)
        if text.startswith(","):
            lines[-1] += text
        else:
            lines.append(text)
    return lines


def _from_item(printer: Printer, value: object) -> str:
    with Node(value, "from item") as node:
        kind = squeeze(node.type or "")
        if kind == "SUBSELECT":
            return _sub_select_text(printer, node) + _alias(node)
        if kind != "TABLE":
            raise UnknownNode(node.label)
        schema = f"{identifier(node, 'schemaName')}." if node.get("schemaName") is not None else ""
        return schema + identifier(node, "name") + _alias(node)


def _join(printer: Printer, join: Node, seen: list[Any]) -> str:
    words = _JOINS.get(tuple(flag for flag in _JOIN_FLAGS if join.flag(flag)))
    if words is None:
        raise join.fail("unknown kind of join")
    item = join.need("rightItem")
    # What is joined comes second; a leftItem may only repeat what stands there already.
    left = join.get("leftItem")
    if left is not None and left not in seen:
        raise join.fail("a leftItem of its own")
    seen.append(item)
    condition = _condition(printer, join)
    if words[1] != bool(condition):
        raise join.fail("a condition is missing" if words[1] else "a condition without use")
    return f"{words[0]} {_from_item(printer, item)}{condition}"


def _condition(printer: Printer, join: Node) -> str:
    on, several = join.get("onExpression"), join.objects("onExpressions")
    if on is not None:
        several = several or [on]
    if len(several) > 1 or (on is not None and several != [on]):
        raise join.fail("several conditions")
    using = join.objects("usingColumns")
    if several and using:
        raise join.fail("several conditions")
    if using:
        return f" USING ({', '.join(map(_using_column, using))})"
    return f" ON {printer.expression(several[0])}" if several else ""


def _using_column(value: object) -> str:
    with Node(value, "USING") as column:
        if squeeze(column.type or "COLUMN") != "COLUMN":
            raise UnknownNode(column.label)
        return identifier(column, "columnName")


def _group_by(printer: Printer, node: Node) -> str:
    value = node.get("groupBy")
    if value is None or value == {}:
        return ""
    with Node(value, "GROUP_BY") as group:
        group.flag("usingBrackets")
        given = [group.objects("groupByExpressions"), group.objects("groupByExpressionList")]
        lists = [each for each in given if each]
        if not lists or lists[0] != lists[-1]:
            raise group.fail("no single list of expressions")
    return f"GROUP BY {printer.expressions(lists[0])}"


def _limit(node: Node) -> str:
    # MySQL writes the limit first; the tree only tells the order that its source had.
    node.flag("offsetBeforeLimit")
    limit, own = node.get("limit"), node.get("offset")
    count = offset = None
    if limit is not None:
        with Node(limit, "LIMIT") as limits:
            count, offset = _row_count(limits.need("rowCount")), limits.get("offset")
    if own is not None:
        with Node(own, "OFFSET") as offsets:
            offsets.expect("offsetParam", ("ROW", "ROWS"))
            if offset is not None:
                raise offsets.fail("two of them")
            offset = offsets.need("offset")
    if offset is None:
        return f"LIMIT {count}" if count else ""
    if count is None:
        raise node.fail("offset without a limit")
    return f"LIMIT {count} OFFSET {_row_count(offset)}"


def _row_count(value: object) -> str:
    with Node(value, "LIMIT") as node:
        if squeeze(node.type or "") != "LONGVALUE":
            raise UnknownNode(node.label)
        text = long_literal(node)
        if text.startswith("-"):
            raise node.fail("negative")
        return text


def _set_operation_list(printer: Printer, node: Node) -> str:
    bodies = node.objects("selects")
    if not bodies:
        bodies = [_wrapped(value) for value in node.objects("setOperationList")]
    operations = [_set_operation(value) for value in node.objects("operations")]
    # Whether a select was written in brackets; where they matter the structure brings them.
    if not all(isinstance(each, bool) for each in node.objects("brackets")):
        raise node.fail("unknown brackets")
    if len(bodies) < 2 or len(operations) != len(bodies) - 1:
        raise node.fail("selects and operations don't match")
    # INTERSECT binds tighter for some engines and not for others.
    if len({operation.startswith("INTERSECT") for operation in operations}) > 1:
        raise node.fail("INTERSECT among other operations")
    lines = [_operand(printer, bodies[0])]
    for operation, body in zip(operations, bodies[1:], strict=True):
        lines += [operation, _operand(printer, body)]
    return "\n".join(filter(None, [*lines, order_by(printer, node), _limit(node)]))


def _wrapped(value: object) -> object:
    with Node(value, "setOperationList") as node:
        return node.need("selectBody")


def _set_operation(value: object) -> str:
    with Node(value, "set operation") as node:
        word = _SET_OPERATIONS.get(squeeze(node.type or ""))
        if word is None:
            raise UnknownNode(node.label)
        keep_all = node.flag("all")
        if node.flag("distinct") and keep_all:
            raise node.fail("all and distinct")
        return f"{word} ALL" if keep_all else word


def _operand(printer: Printer, value: object) -> str:
    if not isinstance(value, Mapping):
        raise UnknownNode("selects: not an object")
    text = printer.body(value)
    ends = any(value.get(key) for key in ("orderByElements", "limit", "offset"))
    nested = squeeze(str(value.get("@type"))) == "SETOPERATIONLIST"
    return f"({text})" if ends or nested else text


def _sub_select_text(printer: Printer, node: Node) -> str:
    node.flag("useBrackets")
    return f"({printer.body(node.need('selectBody'))})"


def _sub_select(printer: Printer, node: Node) -> Printed:
    return _sub_select_text(printer, node), PRIMARY


BODIES: dict[str, BodyPrinter] = {
    "PLAINSELECT": _plain_select,
    "SETOPERATIONLIST": _set_operation_list,
}
SUB_SELECTS: dict[str, ExpressionPrinter] = {"SUBSELECT": _sub_select}
