"""Columns: their names and types. Pure: plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Fit = Callable[[str, int], str]
"""`fit(name, room)`: the name as the target can hold it, with `room` characters left."""

DATA_TYPES = frozenset(
    "STRING LONG DOUBLE DECIMAL DATE DATETIME NUMBER TINYINT SMALLINT INT BIGINT FLOAT NUMERIC "
    "TIMESTAMP TIME INTERVAL TEXT MEDIUMTEXT BOOLEAN BYTES BLOB JSON UUID GEOGRAPHY GEOMETRY "
    "VARIANT XML ENUM".split()
)
"""OpenMetadata's words that need nothing besides (no length, no element type)."""

# Federated engines send these without the length that OpenMetadata asks for.
_WITHOUT_LENGTH = {"VARCHAR": "STRING", "CHAR": "STRING", "VARBINARY": "BYTES", "BINARY": "BYTES"}


class Columns(NamedTuple):
    """`items` are arguments of `Column`, `stored` maps a raw name to the stored one, `changed`
    are the (raw, stored) names that differ."""

    items: list[dict[str, Any]]
    stored: dict[str, str]
    changed: list[tuple[str, str]]


def columns(raw: Sequence[Any], fit: Fit, descriptions: Mapping[str, str] | None = None) -> Columns:
    """The columns of a schema, all of them: each name is made unique within the table.

    `raw` are `{"name", "type"}`; `descriptions` by raw name, None where they were not read.
    """
    pairs = [(_text(item, "name"), _text(item, "type")) for item in raw]
    names = unique_names([name for name, _ in pairs], fit)
    items: list[dict[str, Any]] = []
    stored: dict[str, str] = {}
    changed: list[tuple[str, str]] = []
    for position, ((wanted, kind), name) in enumerate(zip(pairs, names, strict=True), start=1):
        item: dict[str, Any] = {
            "name": name,
            "data_type": data_type(kind),
            "data_type_display": kind or None,
            "ordinal_position": position,
        }
        if name != wanted:
            item["display_name"] = wanted or None
            changed.append((wanted, name))
        if descriptions is not None:
            item["description"] = descriptions.get(wanted)
        stored.setdefault(wanted, name)
        items.append(item)
    return Columns(items, stored, changed)


def data_type(kind: str) -> str:
    """OpenMetadata's word for a type of Domo's, or of a federated engine; else UNKNOWN."""
    word = kind.upper()
    if word in DATA_TYPES:
        return word
    return _WITHOUT_LENGTH.get(word.partition("(")[0].strip(), "UNKNOWN")


def unique_names(wanted: Sequence[str], fit: Fit) -> list[str]:
    """A name for each column: as it is where it fits and is wanted once (ignoring case), else with
    `_2`, `_3`, …; a column without a name is called by its position."""
    bases = [
        name if name.isidentifier() and len(name) <= 100 else _fitted(name, position, fit)
        for position, name in enumerate(wanted, start=1)
    ]
    reserved = {base.casefold() for base in bases}
    if len(reserved) == len(bases):
        return bases
    given: set[str] = set()
    return [_free(base, given, reserved, fit) for base in bases]


def _fitted(name: str, position: int, fit: Fit) -> str:
    return fit(name, 0) if name.strip() else f"column_{position}"


def _free(base: str, given: set[str], reserved: set[str], fit: Fit) -> str:
    name, number = base, 1
    # The first that wants a name gets it; the others none that a column bears by right.
    while name.casefold() in given or (number > 1 and name.casefold() in reserved):
        number += 1
        suffix = f"_{number}"
        name = fit(base, len(suffix)) + suffix
    given.add(name.casefold())
    return name


def queried_columns(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """The schema that a query's answer tells: names and types by position."""
    names = answer.get("columns")
    types = answer.get("metadata")
    if not isinstance(names, list):
        return []
    kinds = types if isinstance(types, list) else []
    padded = [*kinds, *({} for _ in names[len(kinds) :])]
    return [
        {"name": str(name), "type": _text(kind, "type")}
        for name, kind in zip(names, padded, strict=False)
    ]


def dictionary_texts(answer: Any) -> dict[str, str]:
    """Column name → description, of a data dictionary in any of its three shapes."""
    if isinstance(answer, list):
        return {key: text for part in answer for key, text in dictionary_texts(part).items()}
    if not isinstance(answer, Mapping):
        return {}
    if "dataDictionary" in answer:
        return dictionary_texts(answer["dataDictionary"])
    found: Iterable[Any] = answer.get("columns") or ()
    return {
        _text(item, "name"): _text(item, "description")
        for item in found
        if _text(item, "description") and not item.get("beastmodeId")
    }


def _text(item: Any, key: str) -> str:
    # JSON gives dicts; asking for any Mapping took a tenth of the time on the workers.
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) else "" if value is None else str(value)
