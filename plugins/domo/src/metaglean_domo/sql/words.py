"""Names, literals and keywords: the only places where text of the tree enters the SQL."""

from __future__ import annotations

import math
import re

from metaglean_domo.sql.tree import Node, UnknownNode

_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOMENTS = {
    "DATE": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "TIME": re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"),
    "TIMESTAMP": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    ),
}
# Domo's own types, those of MySQL and those that its engine is known to resemble.
_TYPES = frozenset(
    """
    STRING LONG DOUBLE DECIMAL DATE DATETIME TIME TIMESTAMP CHAR VARCHAR TEXT INT INTEGER BIGINT
    SMALLINT TINYINT FLOAT REAL NUMERIC BOOLEAN BINARY VARBINARY SIGNED UNSIGNED
    """.split()
)
# Words that open or continue a clause; a call of one of them would read as something else.
_RESERVED = frozenset(
    """
    ALL AND ANY AS ASC BETWEEN BINARY BY CASE CAST COLLATE CROSS DESC DISTINCT DIV ELSE END ESCAPE
    EXCEPT EXISTS EXTRACT FALSE FROM FULL GROUP HAVING IN INNER INTERSECT INTERVAL INTO IS JOIN
    LATERAL LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER REGEXP RLIKE ROW SELECT SOME
    TABLE THEN TRUE TRY_CAST UNION UNIQUE USING VALUES WHEN WHERE WITH XOR
    """.split()
)


def _sound(node: Node, text: object, what: str) -> str:
    if not isinstance(text, str):
        raise node.fail(f"{what} is not a text")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise node.fail(f"{what} with a character that no SQL text can hold")
    return text


def identifier(node: Node, key: str) -> str:
    """Quote a name; the tree has it plain or already in backticks."""
    name = _sound(node, node.need(key), key)
    if len(name) > 1 and name[0] == name[-1] == "`":
        name = name[1:-1]
        if "`" in name.replace("``", ""):
            raise node.fail(f"{key} of several parts")
        name = name.replace("``", "`")
    elif name[:1] == "`" or (len(name) > 1 and name[0] == name[-1] == '"'):
        raise node.fail(f"{key} in unclear quotes")
    if not name:
        raise node.fail(f"{key} is empty")
    return "`" + name.replace("`", "``") + "`"


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def function_name(node: Node) -> str:
    name = node.need("name")
    if not isinstance(name, str) or not _WORD.fullmatch(name) or name.upper() in _RESERVED:
        raise node.fail("name is not a function's")
    return name


def keyword(node: Node, key: str, allowed: frozenset[str]) -> str:
    word = node.need(key)
    if not isinstance(word, str) or word.upper() not in allowed:
        raise node.fail(f"unknown {key}")
    return word.upper()


def string_literal(node: Node) -> str:
    """Quote the text of a STRING_VALUE.

    JSqlParser keeps the source's escapes in `value` and gives the plain text as
    `notExcapedValue` (its spelling). Without that a text that could be either is refused.
    """
    text = _sound(node, node.one_of("value", "stringValue"), "value")
    plain = node.get("notExcapedValue")
    if plain is not None:
        if text not in (plain, _sound(node, plain, "value").replace("'", "''")):
            raise node.fail("value and notExcapedValue differ")
        return quoted(plain)
    whole = len(text) > 1 and text[0] == text[-1] == "'"
    doubled = "'" in text and "'" not in text.replace("''", "")
    if whole or doubled or "\\'" in text:
        raise node.fail("value in unclear quotes")
    return quoted(text)


def long_literal(node: Node) -> str:
    digits = set()
    for key in ("value", "stringValue", "bigIntegerValue"):
        value = node.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise node.fail(f"{key} is not an integer")
        # Digits are compared as text: Python refuses to convert very long ones.
        if not _INTEGER.fullmatch(text := str(value)):
            raise node.fail(f"{key} is not an integer")
        digits.add(text)
    if len(digits) != 1:
        raise node.fail("no value" if not digits else "values differ")
    return str(digits.pop())


def double_literal(node: Node) -> str:
    value, text = node.get("value"), node.get("stringValue")
    if text is None and isinstance(value, str):
        value, text = None, value
    if value is not None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise node.fail("value is not a number")
        if not math.isfinite(value):
            raise node.fail("value is not finite")
        if text is None:
            return repr(value)
    if text is None:
        raise node.fail("no value")
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise node.fail("value is not a number")
    if value is not None and float(text) != value:
        raise node.fail("values differ")
    return text


def moment_literal(kind: str, node: Node) -> str:
    """Print a DATE, TIME or TIMESTAMP; numbers are refused, for their unit and zone are unknown."""
    texts = set()
    for key in ("value", "rawValue", "stringValue"):
        text = node.get(key)
        if text is None:
            continue
        if not isinstance(text, str):
            raise node.fail(f"{key} is not a text")
        if len(text) > 1 and text[0] == text[-1] == "'":
            text = text[1:-1]
        texts.add(text.replace("T", " "))
    if len(texts) != 1:
        raise node.fail("no value" if not texts else "values differ")
    (text,) = texts
    if not _MOMENTS[kind].fullmatch(text):
        raise node.fail(f"value is not a {kind}")
    return f"{kind} '{text}'"


def data_type(value: object) -> str:
    """Print the target of a cast, as the tree names it (Domo's own types among them)."""
    with Node(value, "type") as node:
        name = node.need("dataType")
        if not isinstance(name, str) or name.upper() not in _TYPES:
            raise node.fail("unknown dataType")
        arguments = node.objects("argumentsStringList")
    if not all(isinstance(each, str) and re.fullmatch("[0-9]{1,5}", each) for each in arguments):
        raise UnknownNode("type: unknown argumentsStringList")
    return f"{name}({', '.join(arguments)})" if arguments else name
