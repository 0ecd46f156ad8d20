"""What of an entity can be searched: its texts, each with its place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from metaglean import fqn
from metaglean.builtin.catalog.compare import NAMED, label
from metaglean.builtin.catalog.words import indexable, joined

# Where a text stands, the best place first. They are the columns of the full-text table.
PLACES = ("name", "parts", "labels", "texts", "path")
_INSIDE = "children"  # of a column; it is no part of an entity itself
_LISTS = tuple(sorted(NAMED - {_INSIDE}))


class Text(NamedTuple):
    """A text of an entity: its place, what to call it (`column id`), and the text itself."""

    place: str
    title: str
    text: str


def texts(name: str, state: Mapping[str, Any]) -> Iterator[Text]:
    """All searchable texts of an entity with this qualified name, in no particular order."""
    path = fqn.split(name)
    yield Text("name", "name", path[-1])
    if state.get("display_name"):
        yield Text("name", "display name", state["display_name"])
    if state.get("description"):
        yield Text("texts", "description", state["description"])
    yield from _labels(state, "")
    for key in _LISTS:
        for above, part in walk(state.get(key) or ()):
            title = f"{key[:-1]} {above}{part['name']}"
            yield Text("parts", title, part["name"])
            if part.get("display_name"):
                yield Text("parts", title, part["display_name"])
            if part.get("description"):
                yield Text("texts", title, part["description"])
            yield from _labels(part, f"{title}, ")
    for above in path[:-1]:
        yield Text("path", "in", above)


def _labels(owned: Mapping[str, Any], prefix: str) -> Iterator[Text]:
    for key in ("tags", "owners"):
        for item in owned.get(key) or ():
            yield Text("labels", f"{prefix}{key[:-1]}", label(item))


def walk(parts: Sequence[dict[str, Any]], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Columns or tasks, those inside others too, each with the path that leads to it (`a.b.`)."""
    for part in parts:
        yield above, part
        if part.get(_INSIDE):
            yield from walk(part[_INSIDE], f"{above}{part['name']}.")


def document(name: str, state: Mapping[str, Any]) -> list[str]:
    """One text a place, ready to be indexed: `texts` without the titles, which cost time."""
    path = fqn.split(name)
    names = [path[-1], state.get("display_name") or ""]
    parts: list[str] = []
    labels = _words_of_labels(state)
    described = [state.get("description") or ""]
    for key in _LISTS:
        for _, part in walk(state.get(key) or ()):
            parts.append(part["name"])
            if part.get("display_name"):
                parts.append(part["display_name"])
            if part.get("description"):
                described.append(part["description"])
            if part.get("tags") or part.get("owners"):
                labels += _words_of_labels(part)
    lines = [indexable("\n".join(place)) for place in (names, parts, labels, described, path[:-1])]
    # A name is also found by its words written as one, and known by them as the very name.
    lines[0] += "".join(f" {joined(one)}" for one in names)
    return lines


def _words_of_labels(owned: Mapping[str, Any]) -> list[str]:
    return [text for _, _, text in _labels(owned, "")]
