"""What a record makes of the state that stands. Pure: JSON dictionaries in, a dictionary out.

Structure follows the source, also to empty. What was not read stays, of labels too where only those
of some classifications (`tags_of`) were read. An empty value never clears
a description, display name or owners; the texts and tags of columns and tasks go with their name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from metaglean.builtin.catalog.compare import NAMED, Fields, by_name, differences, is_empty
from metaglean.records import whole_labels

PROTECTED = frozenset({"description", "display_name", "owners"})
# Of a column or task, what another call may have read: not set means that it wasn't asked.
CARRIED = ("display_name", "description", "owners", "tags")
KEPT = "the source's value is empty"


class Merged(NamedTuple):
    """`fields` are the differences (path → stored, new), `kept` what the stored state won."""

    state: dict[str, Any]
    fields: Fields
    kept: dict[str, str]


def merge(stored: Mapping[str, Any], read: Mapping[str, Any], *, override: bool) -> Merged:
    """`read` holds the fields that were read; `override` lets empty values clear as well."""
    state = dict(stored)
    kept: dict[str, str] = {}
    for key, value in whole_labels(stored, read).items():
        before = stored.get(key)
        if key in PROTECTED and is_empty(value) and not is_empty(before) and not override:
            kept[key] = KEPT
        elif key in NAMED:
            state[key] = _carried(before or [], value or [], key, kept, override)
        elif key in ("life_cycle", "facets") and before and value:
            state[key] = {**before, **value}
        else:
            state[key] = value
    return Merged(state, differences(stored, state), kept)


def _carried(
    stored: Sequence[dict[str, Any]],
    read: Sequence[dict[str, Any]],
    path: str,
    kept: dict[str, str],
    override: bool,
) -> list[dict[str, Any]]:
    """The parts as read, with the texts that stand where the source has none."""
    old = by_name(stored)
    return [
        _part(old[part["name"]], part, f"{path}.{part['name']}", kept, override)
        if part["name"] in old
        else _new(part)
        for part in read
    ]


def _new(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of which nothing stands."""
    new = whole_labels({}, part)
    if new.get("children"):
        new["children"] = [_new(child) for child in new["children"]]
    return new


def _part(
    stored: Mapping[str, Any],
    read: dict[str, Any],
    path: str,
    kept: dict[str, str],
    override: bool,
) -> dict[str, Any]:
    read = whole_labels(stored, read)
    part = dict(read)
    for key in CARRIED:
        if key not in stored:
            continue
        before = stored[key]
        if key not in read:
            part[key] = before
        elif key in PROTECTED and is_empty(read[key]) and not is_empty(before) and not override:
            part[key] = before
            kept[f"{path}.{key}"] = KEPT
    if read.get("children"):
        children = stored.get("children") or []
        part["children"] = _carried(children, read["children"], f"{path}.children", kept, override)
    return part
