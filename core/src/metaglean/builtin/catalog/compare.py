"""What differs between two states of an entity, as readable field paths. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from metaglean import fqn

Fields = dict[str, tuple[Any, Any]]

NAMED = frozenset({"columns", "children", "tasks"})  # lists whose items have a name
UNORDERED = frozenset({"owners", "tags"})


def is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def differences(stored: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> Fields:
    """Field path → (stored, new) for all that differs; an empty value equals a missing one."""
    fields: Fields = {}
    for key in {**stored, **new}:
        before, after = stored.get(key), new.get(key)
        if before == after or (is_empty(before) and is_empty(after)):
            continue
        path = prefix + key
        if key in NAMED:
            fields |= _parts(before or [], after or [], path)
        elif key in UNORDERED:
            if _bag(before) != _bag(after):
                fields[path] = (_labels(before), _labels(after))
        elif isinstance(before, dict) and isinstance(after, dict):
            fields |= differences(before, after, f"{path}.")
        else:
            fields[path] = (before, after)
    if f"{prefix}data_type" in fields:
        fields.pop(f"{prefix}data_type_display", None)
    return fields


def _parts(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], path: str) -> Fields:
    """Differences of columns or tasks, matched by name."""
    old, new = by_name(before), by_name(after)
    fields: Fields = {}
    for name, part in old.items():
        if name not in new:
            fields[_path(path, name)] = (_shape(part), None)
    for name, part in new.items():
        if name not in old:
            fields[_path(path, name)] = (None, _shape(part))
        else:
            fields |= differences(old[name], part, f"{_path(path, name)}.")
    order = [name for name in old if name in new], [name for name in new if name in old]
    if order[0] != order[1]:
        fields[f"{path} order"] = (list(old), list(new))
    if list(old) != list(new):
        # The others' positions moved with it; that is no news of theirs.
        moved = {f"{_path(path, name)}.ordinal_position" for name in new}
        fields = {key: value for key, value in fields.items() if key not in moved}
    return fields


def by_name(parts: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Parts by name; the first of several with one name."""
    named: dict[str, dict[str, Any]] = {}
    for part in parts:
        named.setdefault(part["name"], part)
    return named


def _path(path: str, name: str) -> str:
    return f"{path}.{fqn.quote(fqn.encode(name))}"


def _shape(part: Mapping[str, Any]) -> str:
    """What to show for a whole column or task."""
    for key in ("data_type_display", "data_type", "task_type"):
        if part.get(key):
            return str(part[key])
    return "UNKNOWN"


def _bag(items: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Owners or tags in a form in which their order doesn't count."""
    return sorted(
        json.dumps({key: value for key, value in item.items() if value is not None}, sort_keys=True)
        for item in items or ()
    )


def _labels(items: Sequence[Mapping[str, Any]] | None) -> list[str]:
    return [label(item) for item in items or ()]


def label(item: Mapping[str, Any]) -> str:
    """An owner or a tag as people write it."""
    if "classification" in item:
        return fqn.build((item["classification"], item["name"]))
    name, email = item.get("name"), item.get("email")
    text = f"{name} <{email}>" if name and email else str(name or email or "")
    return f"{text} (team)" if item.get("type") == "team" else text
