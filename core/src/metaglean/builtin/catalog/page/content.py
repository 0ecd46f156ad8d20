"""From entities to what the page holds of them: plain JSON values, columnar and numbered.

What is searched goes into an index, the rest into details; nothing stands in both. Owners, tags,
types and scopes stand once in the dictionaries of `Numbers`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from metaglean import fqn
from metaglean.builtin.catalog.compare import label
from metaglean.builtin.catalog.page.queries import Edge, Links
from metaglean.builtin.catalog.reader import Entry, Event

SEPARATOR = "\x01"  # between the columns of one table
LONGEST = 400  # characters of one value in the history, or of a facet
COLUMN_EDGES = 50
_RESERVED = str.maketrans({"\x00": "\ufffd", "\x01": "\ufffd", "\x02": "\ufffd"})

Columns = list[tuple[dict[str, Any], int]]


class Numbered(dict[str, int]):
    """Texts in the order of their first use, each with its number."""

    def number(self, text: str) -> int:
        return self.setdefault(text, len(self))


@dataclass
class Numbers:
    """The dictionaries of a page. `counts` are live tables by label; of scopes with all above."""

    types: Numbered = field(default_factory=Numbered)
    owners: Numbered = field(default_factory=Numbered)
    tags: Numbered = field(default_factory=Numbered)
    scopes: Numbered = field(default_factory=Numbered)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    deleted: bool = False

    def count(self, kind: str, texts: set[str]) -> None:
        for text in texts:
            self.counts[kind, text] = self.counts.get((kind, text), 0) + 1


def flat(columns: Sequence[dict[str, Any]], depth: int = 0) -> Columns:
    """Columns in the order in which people read them, each with how deep it lies."""
    found: Columns = []
    for column in columns:
        found.append((column, depth))
        if column.get("children"):
            found += flat(column["children"], depth + 1)
    return found


def index_row(entry: Entry, columns: Columns, numbers: Numbers) -> dict[str, Any]:
    """What is searched and listed of a table, by the names of the page's index."""
    state = entry.state
    parts = fqn.split(entry.fqn)
    scope = fqn.build(parts[:-1])
    part = entry.fqn[len(scope) + 1 :]
    name = _plain(parts[-1])
    owners = [_plain(label(item)) for item in state.get("owners") or ()]
    tags = [_plain(label(item)) for item in state.get("tags") or ()]
    column_tags = [
        (position, _plain(label(tag)))
        for position, (column, _) in enumerate(columns)
        for tag in column.get("tags") or ()
    ]
    numbers.deleted = numbers.deleted or entry.deleted
    if not entry.deleted:
        numbers.count("owner", set(owners))
        numbers.count("tag", {*tags, *(tag for _, tag in column_tags)})
        numbers.count("scope", {fqn.build(parts[:depth]) for depth in range(1, len(parts))})
    return {
        "name": name,
        "part": "" if part == name else part,
        "scope": numbers.scopes.number(scope),
        "type": numbers.types.number(state.get("table_type") or "Regular"),
        "deleted": int(entry.deleted),
        "displayName": "" if state.get("display_name") == name else _text(state, "display_name"),
        "description": _text(state, "description"),
        "columns": SEPARATOR.join(_plain(column["name"]) for column, _ in columns),
        "columnTitles": _joined(columns, "display_name"),
        "columnTexts": _joined(columns, "description"),
        "owners": [numbers.owners.number(owner) for owner in dict.fromkeys(owners)],
        "tags": [numbers.tags.number(tag) for tag in dict.fromkeys(tags)],
        "columnTags": [
            value for place, tag in column_tags for value in (place, numbers.tags.number(tag))
        ],
        "updated": round(entry.updated),
    }


def detail(entry: Entry, columns: Columns, links: Links) -> dict[str, Any]:
    """The rest that a table's own page shows. Keys without a value are left out."""
    state = entry.state
    life = state.get("life_cycle") or {}
    found = {
        "types": [_type(column) for column, _ in columns],
        "depths": [depth for _, depth in columns] if any(depth for _, depth in columns) else None,
        "constraints": {
            place: column["constraint"]
            for place, (column, _) in enumerate(columns)
            if column.get("constraint")
        },
        "keys": [_key(item) for item in state.get("table_constraints") or ()],
        "sql": state.get("schema_definition"),
        "url": state.get("source_url"),
        "id": entry.source_id,
        "created": life.get("created"),
        "written": entry.volatile.get("updated"),
        "lineage": _lineage(links, entry.id),
        "profile": _profile(*links.profiles[entry.id]) if entry.id in links.profiles else None,
    }
    facets = {**(state.get("facets") or {})}
    for key, values in (entry.volatile.get("facets") or {}).items():
        both = isinstance(facets.get(key), dict) and isinstance(values, dict)
        facets[key] = {**facets[key], **values} if both else values
    return {
        **{key: value for key, value in found.items() if value not in (None, "", [], {})},
        "types": found["types"],
        "facets": list(_facets(facets)),
        "history": [_event(event) for event in links.history.get(entry.id, ())],
    }


def shown(value: Any) -> str:
    """A value of the history or of a facet in one short text."""
    if value is None:
        return ""
    if isinstance(value, list):
        text = ", ".join(map(shown, value))
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _joined(columns: Columns, key: str) -> str:
    """One text of each column; empty where none has any."""
    texts = [column.get(key) or "" for column, _ in columns]
    return SEPARATOR.join(map(_plain, texts)) if any(texts) else ""


def _text(state: dict[str, Any], key: str) -> str:
    return _plain(state.get(key) or "")


def _plain(text: str) -> str:
    """Without the characters that separate texts in the page."""
    return text if text.isprintable() else text.translate(_RESERVED)


def _type(column: dict[str, Any]) -> str:
    return str(column.get("data_type_display") or column.get("data_type") or "UNKNOWN")


def _key(item: dict[str, Any]) -> list[Any]:
    referred = [".".join(path) for path in item.get("referred_columns") or ()]
    return [item["constraint_type"], list(item.get("columns") or ()), referred]


def _event(event: Event) -> list[Any]:
    fields = [[path, shown(stored), shown(new)] for path, (stored, new) in event.fields.items()]
    return [round(event.at), event.run, event.action, fields]


def _lineage(links: Links, entity: int) -> dict[str, Any] | None:
    sides = {"upstream": links.upstream, "downstream": links.downstream}
    found = {side: [_edge(edge) for edge in edges.get(entity, ())] for side, edges in sides.items()}
    return found if any(found.values()) else None


def _edge(edge: Edge) -> list[Any]:
    columns = [
        [f"{fqn.build(ref[1])}.{column}", item["to_column"]]
        for item in edge.state.get("columns_lineage") or ()
        for ref, column in item["from_columns"]
    ]
    return [edge.kind, edge.fqn, edge.state.get("source") or "", columns[:COLUMN_EDGES]]


def _profile(at: int, state: dict[str, Any]) -> dict[str, Any]:
    keys = ("name", "null_proportion", "distinct_count", "min", "max", "mean")
    columns = [[column.get(key) for key in keys] for column in state.get("columns") or ()]
    rows, size = state.get("row_count"), state.get("size_in_bytes")
    return {"at": at, "rows": rows, "bytes": size, "columns": columns}


def _facets(value: Any, path: str = "") -> Iterator[list[str]]:
    """The leaves of nested dictionaries as [path, text]."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _facets(part, f"{path}.{key}" if path else str(key))
    elif shown(value):
        yield [path, shown(value)]
