"""Tag labels: what is assigned to what, and the checks before it."""

from __future__ import annotations

from metaglean_testkit.openmetadata.errors import Json, bad, missing
from metaglean_testkit.openmetadata.names import split
from metaglean_testkit.openmetadata.store import State

_TEXTS = ("name", "displayName", "description")
_STORED = ("tagFQN", "source", "labelType", "state")


def same(left: Json, right: Json) -> bool:
    """Whether two labels are the same assignment."""
    return bool(left["tagFQN"] == right["tagFQN"] and left["source"] == right["source"])


def plain(label: Json) -> Json:
    """A label as it is stored."""
    return {key: label[key] for key in _STORED if label.get(key) is not None}


def read(state: State, fqn: str) -> list[Json]:
    """The labels of an entity or column, with their tags' texts."""
    result = []
    for label in state.labels.get(fqn, ()):
        tag = state.find("tag", label["tagFQN"])
        texts: Json = {} if tag is None else tag.body
        shown: Json = {key: texts[key] for key in _TEXTS if key in texts}
        result.append({"tagFQN": label["tagFQN"], **shown, **label})
    return result


def check(state: State, labels: list[Json]) -> None:
    """Each must exist, and of an exclusive classification there may be one. Raises `Refused`."""
    for label in labels:
        if label.get("source") == "Glossary":
            raise missing("glossaryTerm", label["tagFQN"])
        tag = state.find("tag", label["tagFQN"])
        if tag is None or tag.deleted:
            raise missing("tag", label["tagFQN"])
    exclusive(state, labels)


def exclusive(state: State, labels: list[Json]) -> None:
    """Refuse two labels of one exclusive classification (or parent tag)."""
    taken: dict[str, str] = {}
    for label in labels:
        name = label["tagFQN"]
        parent = ".".join(split(name)[:-1])
        holder = state.find("classification", parent) or state.find("tag", parent)
        if holder is None or not holder.body.get("mutuallyExclusive"):
            continue
        if parent in taken and taken[parent] != name:
            first, second = name, taken[parent]
            raise bad(
                f"Tag labels {first} and {second} are mutually exclusive and can't be assigned "
                "together"
            )
        taken[parent] = name


def assign(state: State, fqn: str, labels: list[Json]) -> None:
    """Store these and no others. Raises `Refused` at the first that isn't there: those before it
    are stored then, those after it are not."""
    stored = state.labels[fqn] = []
    for label in labels:
        check(state, [label])
        stored.append(plain(label))


def merged(new: list[Json], old: list[Json]) -> list[Json]:
    """What a PUT makes of the labels sent and those that stand."""
    return [*new, *(one for one in old if not any(same(one, other) for other in new))]
