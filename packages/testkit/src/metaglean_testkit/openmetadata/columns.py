"""Columns: the checks, the qualified names, and what an update keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata import labels
from metaglean_testkit.openmetadata.errors import Json, bad
from metaglean_testkit.openmetadata.names import join
from metaglean_testkit.openmetadata.store import column_names

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.changes import Changes
    from metaglean_testkit.openmetadata.update import Update

_NEED_LENGTH = frozenset({"CHAR", "VARCHAR", "BINARY", "VARBINARY"})
_TYPE_NAMES = {"datalength": "dataLength"}


def check(columns: list[Json]) -> None:
    """The rules that no schema states. Raises `Refused` (400)."""
    seen: set[str] = set()
    for column in columns:
        name = column["name"]
        if name in seen:
            raise bad(f"Column name {name} is repeated")
        seen.add(name)
        _check_type(column)
        if column.get("children"):
            check(column["children"])


def _check_type(column: Json) -> None:
    kind = column["dataType"]
    if kind in _NEED_LENGTH and column.get("dataLength") is None:
        raise bad(
            "For column data types char, varchar, binary, varbinary dataLength must not be null"
        )
    if kind == "ARRAY" and column.get("arrayDataType") is None:
        raise bad("For column data type array, arrayDataType must not be null")
    if kind == "STRUCT" and column.get("children") is None:
        raise bad("For column data type struct, children must not be null")
    if column.get("scale") is None:
        return
    if column.get("precision") is None:
        raise bad(f"Scale is set but precision is not set for the column {column['name']}")
    if column["scale"] > column["precision"]:
        raise bad(f"Scale is more than precision for the column {column['name']}")


def prepared(columns: list[Json], parent: str) -> list[Json]:
    """Copies with qualified names and the shown type as the server writes it."""
    result = []
    for column in columns:
        one = {key: value for key, value in column.items() if value is not None}
        one["dataTypeDisplay"] = (one.get("dataTypeDisplay") or one["dataType"]).lower()
        one["fullyQualifiedName"] = join(parent, one["name"])
        if one.get("children") is not None:
            one["children"] = prepared(one["children"], one["fullyQualifiedName"])
        if one.get("tags") == []:
            del one["tags"]
        result.append(one)
    return result


def without_tags(columns: list[Json]) -> list[Json]:
    """As they are stored: labels stand apart."""
    result = []
    for column in columns:
        one = {key: value for key, value in column.items() if key != "tags"}
        if one.get("children"):
            one["children"] = without_tags(one["children"])
        result.append(one)
    return result


def all_labels(columns: list[Json]) -> list[tuple[str, list[Json]]]:
    """The labels sent for each column, at any depth."""
    found = []
    for column in columns:
        if column.get("tags"):
            found.append((column["fullyQualifiedName"], column["tags"]))
        found += all_labels(column.get("children") or [])
    return found


def match(left: Json, right: Json) -> bool:
    """Whether the server takes two columns for the same one."""
    return bool(
        left["name"].lower() == right["name"].lower()
        and left["dataType"] == right["dataType"]
        and left.get("arrayDataType") == right.get("arrayDataType")
    )


def update(owner: Update, field: str, old: list[Json], new: list[Json]) -> None:
    """Bring `new` (changed in place) to what is stored after the update."""
    changes, state = owner.changes, owner.world.state
    shown = changes.record_list(field, old, new, match)
    come, gone = shown
    by_name = {column["name"]: column for column in come}
    keeps = owner.has("retyped_column_keeps_tags")
    for column in gone:
        _carry(column, by_name.get(column["name"]), keeps_tags=keeps)
        for name in column_names([column]):
            state.labels.pop(name, None)
    for column in come:
        for name, tags in all_labels([column]):
            labels.assign(state, name, tags)
    changes.major = changes.major or bool(gone)
    for column in new:
        stored = next((one for one in old if match(one, column)), None)
        if stored is not None:
            _matched(owner, field, stored, column)


def _carry(old: Json, new: Json | None, *, keeps_tags: bool) -> None:
    if new is None:
        return
    if not new.get("description") and old.get("description"):
        new["description"] = old["description"]
    if not new.get("tags") and (keeps_tags or not old.get("tags")):
        new["tags"] = list(old.get("tags") or [])


def _matched(owner: Update, field: str, old: Json, new: Json) -> None:
    changes = owner.changes
    name = f"{field}.{new['name']}"
    for key in ("description", "displayName"):
        if owner.keeps_text and old.get(key) and not owner.overrides(new.get(key)):
            new[key] = old[key]
        else:
            changes.record(f"{name}.{key}", old.get(key) or None, new.get(key) or None)
    for key in ("dataLength", "precision", "scale"):
        if changes.record(f"{name}.{key}", old.get(key), new.get(key)):
            changes.major = changes.major or _shrinks(old.get(key), new.get(key))
    owner.update_tags(old["fullyQualifiedName"], f"{name}.tags", old, new)
    _constraint(changes, name, old, new)
    if new.get("children") is not None and old.get("children") is not None:
        update(owner, name, old["children"], new["children"])


def _shrinks(old: Any, new: Any) -> bool:
    return old is not None and (new is None or new < old)


def _constraint(changes: Changes, name: str, old: Json, new: Json) -> None:
    changes.record(f"{name}.constraint", old.get("constraint"), new.get("constraint"))
