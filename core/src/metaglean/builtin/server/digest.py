"""What makes two states of an entity equal, as short digests: one for each part that is compared.

Servers before 1.3 keep no `sourceHash`: for them a digest of what stands is taken from the listing
that a run reads anyway, and compared with that of what a record wants.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b, md5
from typing import Any

from metaglean.builtin.server.wire import KINDS, ONLY_OF, REFUSED

_SIZE = 8
SHAPE = (
    "dataLength", "arrayDataType", "precision", "scale", "constraint",
    "taskType", "taskSQL", "sourceUrl", "downstreamTasks",
)  # fmt: skip
# The parts of a digest, in their order. `order` and `definition` are stored by servers before 1.3
# only together with another change.
PARTS = (
    "items", "texts", "order", "definition", "description", "displayName", "sourceUrl", "tableType",
    "tableConstraints", "owners", "tags", "state", "scheduleInterval", "concurrency",
    "pipelineLocation", "startDate",
)  # fmt: skip
BY_KIND: dict[str, tuple[str, ...]] = {
    "table": PARTS[:11],
    "pipeline": (*PARTS[:3], "description", "displayName", "sourceUrl", *PARTS[9:]),
}
_OF_ITEMS = frozenset({"items", "texts", "order"})
_PLAIN = ("description", "displayName", "sourceUrl", "owners", "tags")
WEAK = frozenset({"order", "definition"})
_SPACE = re.compile(r"\s+")
_UNSORTED = frozenset({"columns", "tags", "tableConstraints", "owners"})
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def parts_of(kind: str) -> tuple[str, ...]:
    """The parts that are compared for one kind of entity."""
    return BY_KIND.get(kind, _PLAIN)


def digest(kind: str, stored: Mapping[str, Any], own: Collection[str]) -> bytes:
    """The digest of what stands (`from_wire`): 8 bytes a part. `own` are our classifications."""
    return b"".join(_short(part_value(kind, part, stored, own)) for part in parts_of(kind))


def differing(
    kind: str, wanted: Mapping[str, Any], stored: bytes, own: Collection[str]
) -> list[str]:
    """The parts in which what a record wants differs from a stored digest."""
    found = []
    for number, part in enumerate(parts_of(kind)):
        if not is_wanted(kind, part, wanted):
            continue
        value = part_value(kind, part, wanted, own)
        if _short(value) != stored[number * _SIZE : (number + 1) * _SIZE]:
            found.append(part)
    return found


def is_wanted(kind: str, part: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a part was read, and is not one that an empty value leaves alone."""
    if part in ("items", "order"):
        return items_key(kind) in wanted
    if part == "texts":
        return any(_texts(item) for item in wanted.get(items_key(kind)) or ())
    if part in ("description", "displayName", "sourceUrl", "owners"):
        return bool(wanted.get(part))
    return part in wanted


def items_key(kind: str) -> str:
    """Where an entity's named items are."""
    return KINDS[kind].items


def part_value(kind: str, part: str, values: Mapping[str, Any], own: Collection[str]) -> Any:
    """One part of an entity's values in a form in which equal ones are equal."""
    if part in _OF_ITEMS:
        return _of_items(part, values.get(items_key(kind)) or [], own)
    value = values.get(part)
    if part == "owners":
        return sorted(str(one.get("id")) for one in value or ())
    if part == "tags":
        return own_tags(value or (), own)
    if part == "tableConstraints":
        return sorted(_constraint(one) for one in value or ())
    return value or None


def _of_items(part: str, items: Sequence[Mapping[str, Any]], own: Collection[str]) -> list[Any]:
    if part == "items":
        return sorted(shape(item, own) for item in items)
    if part == "texts":
        return sorted(filter(None, map(_texts, items)))
    return [[item["name"].casefold(), display(item)] for item in items]


def shape(item: Mapping[str, Any], own: Collection[str]) -> list[Any]:
    """What of a column or task follows the source always. Servers match columns without regard to
    case, so a name that changed only in it is the same one."""
    children = sorted(shape(child, own) for child in item.get("children") or ())
    return [
        item["name"].casefold(),
        str(item.get("dataType") or ""),
        json.dumps([item.get(key) or None for key in SHAPE]),
        own_tags(item.get("tags") or (), own),
        children,
    ]


def display(item: Mapping[str, Any]) -> str:
    """A column's type for people; 1.2 keeps it in lower case."""
    return str(item.get("dataTypeDisplay") or item.get("dataType") or "").lower()


def own_tags(labels: Sequence[Mapping[str, Any]], own: Collection[str]) -> list[str]:
    """The qualified names of our labels: of our classifications, and not set by a person."""
    return sorted(
        {
            str(label.get("tagFQN"))
            for label in labels
            if is_own(label, own) and REFUSED not in label
        }
    )


def is_own(label: Mapping[str, Any], own: Collection[str]) -> bool:
    """Whether a label is ours to take away."""
    name = str(label.get("tagFQN", ""))
    classification = name[1:].partition('"')[0] if name.startswith('"') else name.partition(".")[0]
    return classification in own and label.get("labelType") != "Manual"


def own_of(own: Collection[str], values: Mapping[str, Any]) -> Collection[str]:
    """The classifications whose labels follow these values: of those that were read."""
    if ONLY_OF in values:
        return {name for name in values[ONLY_OF] if name in own}
    return own if "tags" in values else ()


def source_hash(body: Mapping[str, Any]) -> str:
    """OpenMetadata's `sourceHash`: MD5 of the normalised body (its clients from 1.3 on): keys
    sorted, lists without an order sorted, white space of the definition collapsed."""
    text = _JSON({key: _normal(key, value) for key, value in body.items() if key != "sourceHash"})
    return md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _normal(key: str, value: Any) -> Any:
    if isinstance(value, list):
        items = [_normal("", item) for item in value]
        return sorted(items, key=_place) if key in _UNSORTED else items
    if isinstance(value, dict):
        deep = {name: one for name, one in value.items() if isinstance(one, list | dict)}
        if not deep:
            return value  # most are columns
        return {**value, **{name: _normal(name, one) for name, one in deep.items()}}
    if key == "definition" and isinstance(value, str):
        return _SPACE.sub(" ", value).strip()
    return value


def _place(item: Any) -> str:
    """What orders columns, labels and owners; constraints have no name, theirs of columns alone."""
    if not isinstance(item, dict):
        return str(item)
    return str(item.get("name") or item.get("tagFQN") or item.get("id") or _JSON(item))


def _texts(item: Mapping[str, Any]) -> list[Any]:
    below = [found for child in item.get("children") or () if (found := _texts(child))]
    given = [item.get("description") or "", item.get("displayName") or ""]
    return [item["name"].casefold(), given, below] if any(given) or below else []


def _constraint(one: Mapping[str, Any]) -> list[Any]:
    return [
        str(one.get("constraintType")), list(one.get("columns") or ()),
        list(one.get("referredColumns") or ()),
    ]  # fmt: skip


def _short(value: Any) -> bytes:
    if value is None or value == []:
        return bytes(_SIZE)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return blake2b(text.encode("utf-8", "replace"), digest_size=_SIZE, person=b"om").digest()
