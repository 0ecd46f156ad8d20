"""The shapes of a server's generation: which key a value has in its bodies.

Inside the sink an entity's values have one set of keys (`owners` is a list of references,
`definition` the SQL); only here they get, or lose, the keys of a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any, NamedTuple

from metaglean.builtin.server.client import Json
from metaglean.builtin.server.features import Features


class Kind(NamedTuple):
    """One kind of entity on the server: its collection, the key of its parent in bodies and
    queries, and the fields that are not in every answer."""

    collection: str
    parent: str = ""
    fields: tuple[str, ...] = ("owners", "tags")
    items: str = ""


KINDS: dict[str, Kind] = {
    "databaseService": Kind("services/databaseServices"),
    "pipelineService": Kind("services/pipelineServices"),
    "dashboardService": Kind("services/dashboardServices"),
    "database": Kind("databases", "service"),
    "databaseSchema": Kind("databaseSchemas", "database"),
    "table": Kind(
        "tables",
        "databaseSchema",
        ("owners", "tags", "tableConstraints", "definition", "columns", "lifeCycle"),
        "columns",
    ),
    "pipeline": Kind(
        "pipelines", "service", ("owners", "tags", "tasks", "scheduleInterval"), "tasks"
    ),
    "classification": Kind("classifications"),
    "tag": Kind("tags", "classification"),
}
REFUSED = "refused"
"""Key of a label that must not be sent, because its tag isn't known to stand."""
ONLY_OF = "tagsOf"
"""Key of the classifications that the labels beside it are of; no server has it."""
VIEWS = frozenset({"View", "SecureView", "MaterializedView"})


def key_of(features: Features, key: str) -> str:
    """The server's word for one of our keys."""
    if key == "owners":
        return "owners" if features.has("owners") else "owner"
    if key == "definition":
        return "schemaDefinition" if features.has("schemaDefinition") else "viewDefinition"
    return key


def fields_of(features: Features, kind: str) -> str:
    """What to ask for in `fields=` to see all that is compared."""
    spec = KINDS[kind]
    wanted = [key_of(features, key) for key in spec.fields]
    if not features.has("lifeCycle"):
        wanted = [key for key in wanted if key != "lifeCycle"]
    return ",".join(wanted)


def known(features: Features, values: Mapping[str, Any]) -> Json:
    """The values that a server of this version can hold."""
    lacking = {
        key
        for key, feature in (("lifeCycle", "lifeCycle"), ("state", "pipelineState"))
        if not features.has(feature)
    }
    found = {key: value for key, value in values.items() if key not in lacking}
    if found.get("tasks"):
        found["tasks"] = [_task(features, task) for task in found["tasks"]]
    return found


def _task(features: Features, task: Json) -> Json:
    """Tasks have owners from 1.5 on, one from 1.3 on."""
    owners = task.get("owners")
    if not owners or features.has("owners"):
        return task
    rest = {key: value for key, value in task.items() if key != "owners"}
    return {**rest, "owner": owners[0]} if features.has("taskOwner") else rest


def to_wire(features: Features, values: Mapping[str, Any]) -> Json:
    """A body's keys and values; what is read and empty is left out."""
    body: Json = {}
    for key, given in values.items():
        if key == ONLY_OF:
            continue
        value = sendable(given)
        if value is None or value in ("", [], {}):
            continue
        if key == "lifeCycle" and not features.has(key):
            continue
        if key == "owners" and not features.has("owners"):
            body["owner"] = value[0]
        else:
            body[key_of(features, key)] = value
    return body


def to_hash(values: Mapping[str, Any]) -> Json:
    """What a hash is made of: all that was read, what is empty too, but not what moves with every
    load."""
    return {key: _cleared(value) for key, value in values.items() if key != "lifeCycle"}


def sendable(value: Any) -> Any:
    """The value without labels that must not be sent, and without what no server has; itself
    where it has none of it."""
    return _cleared(value, ONLY_OF)


def _cleared(value: Any, but: str = "") -> Any:
    if isinstance(value, list):
        kept = [
            _cleared(one, but) if isinstance(one, dict | list) else one
            for one in value
            if not (isinstance(one, dict) and one.get(REFUSED))
        ]
        same = len(kept) == len(value) and all(map(is_, kept, value))
        return value if same else kept
    if isinstance(value, dict):
        deep = {key: one for key, one in value.items() if isinstance(one, dict | list)}
        new = {key: found for key, one in deep.items() if (found := _cleared(one, but)) is not one}
        changed = {**value, **new} if new else value
        return {k: one for k, one in changed.items() if k != but} if but in value else changed
    return value


def from_wire(features: Features, entity: Mapping[str, Any]) -> Json:
    """The values of a stored entity under our keys. What it inherits is not its own."""
    values = dict(entity)
    owners = values.pop("owner", None)
    found = values.get("owners") or ([owners] if owners else [])
    values["owners"] = [
        {"id": one.get("id"), "type": one.get("type"), "name": one.get("name")}
        for one in found
        if not one.get("inherited")
    ]
    definition = values.pop(key_of(features, "definition"), None)
    values["definition"] = definition
    return values
