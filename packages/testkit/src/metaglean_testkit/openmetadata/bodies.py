"""From the body of a request to the entity it asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata import columns, connections, labels
from metaglean_testkit.openmetadata.errors import Json, Refused, bad, missing
from metaglean_testkit.openmetadata.kinds import SERVICES, Kind
from metaglean_testkit.openmetadata.names import join, quote
from metaglean_testkit.openmetadata.store import Record, new_id

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.policy import Person
    from metaglean_testkit.openmetadata.world import World

_NO_COLONS = r"^((?!::).)*$"
_LINE_BREAKS = frozenset("\n\r\u0085\u2028\u2029")  # what Java's `.` doesn't match
_LONGEST_HASH = 32
_GENERIC = r"^(?U)[\w'\- .&()%]+$"
_TAG = r"^(?U)[\w'\- .&()]+$"
_COMMON = ("displayName", "description", "extension", "lifeCycle", "style", "sourceHash")
_SCHEDULE = {
    "pausePipeline": False,
    "concurrency": 1,
    "pipelineTimezone": "UTC",
    "retries": 0,
    "retryDelay": 300,
    "pipelineCatchup": False,
    "maxActiveRuns": 1,
    "workflowDefaultView": "tree",
    "workflowDefaultViewOrientation": "LR",
}
_NO_VIEWS = frozenset({None, "Regular", "External"})
_DEFAULTS: dict[str, Json] = {
    "database": {"default": False},
    "classification": {"provider": "user", "mutuallyExclusive": False},
    "tag": {"provider": "user", "mutuallyExclusive": False, "deprecated": False},
    "user": {"isAdmin": False},
    "team": {"isJoinable": True},
    "ingestionPipeline": {
        "loggerLevel": "INFO",
        "deployed": False,
        "enabled": True,
        "provider": "user",
    },
}


def checked(world: World, kind: Kind, body: Any) -> Json:
    """The body, if the version's models accept it. Raises `Refused` (400)."""
    world.models.check(f"Create{kind.model}", body)
    complete(world, kind, body)
    result: Json = body
    return result


def complete(world: World, kind: Kind, body: Json) -> None:
    """Refuse a body that lacks what it needs, or has a name that can't be one (400)."""
    _required(body, kind)
    if not 1 <= len(body.get("sourceHash") or "-") <= _LONGEST_HASH:
        raise bad(f"[sourceHash size must be between 1 and {_LONGEST_HASH}]")
    _names(world, kind, body)


def build(world: World, kind: Kind, body: Json, who: Person) -> tuple[Json, Record | None]:
    """The entity that a request describes, and its parent. Raises `Refused`."""
    parent = _parent(world, kind, body)
    name = body["name"]
    fqn = join(None if parent is None else parent.fqn, name)
    entity: Json = {
        "id": new_id(),
        "name": name,
        "fullyQualifiedName": quote(name).lower() if kind.type == "user" else fqn,
        "version": 0.1,
        "updatedAt": world.state.now(),
        "updatedBy": who.name,
    }
    if kind.deletable:
        entity["deleted"] = False
    entity |= _DEFAULTS.get(kind.type, {})
    for key in (*_COMMON, *kind.kept):
        if body.get(key) is not None:
            entity[key] = body[key]
    _owners(world, body, entity)
    _domains(world, body, entity)
    _products(world, body, entity)
    if body.get("tags") is not None:
        entity["tags"] = [labels.plain(one) for one in body["tags"]]
    _special(world, kind, entity)
    return entity, parent


def _required(body: Json, kind: Kind) -> None:
    needed = ["name"]
    needed += {
        "table": ["columns", "databaseSchema"],
        "database": ["service"],
        "databaseSchema": ["database"],
        "pipeline": ["service"],
        "classification": ["description"],
        "tag": ["description"],
        "user": ["email"],
        "team": ["teamType"],
        "domain": ["domainType", "description"],
        "dataProduct": ["description"],
        "ingestionPipeline": ["pipelineType", "sourceConfig", "airflowConfig", "service"],
    }.get(kind.type, [])
    if kind.type in SERVICES:
        needed.append("serviceType")
    absent = [f"{key} must not be null" for key in needed if body.get(key) is None]
    if absent:
        raise bad(f"[{', '.join(absent)}]")


def _limits(world: World, kind: Kind) -> tuple[int, int, str]:
    modern = world.features.has("generic_names_256")
    if kind.type == "table":
        return 1, 256 if world.features.has("long_names") else 128, _NO_COLONS
    if kind.type == "user":
        return 1, 64, r"^(?U)[\w\-.]+$"
    if modern:
        return 1, 256, _NO_COLONS
    if kind.type in {"tag", "classification"}:
        return 2, 64, _TAG
    return 1, 128, _NO_COLONS if kind.type == "pipeline" else _GENERIC


def _names(world: World, kind: Kind, body: Json) -> None:
    _name(str(body["name"]), *_limits(world, kind))
    if kind.type == "table":
        longest = 256 if world.features.has("long_names") else 128
        _column_names(body["columns"], longest)


def _name(name: str, least: int, most: int, pattern: str) -> None:
    problems = []
    if _misfits(name, pattern):
        problems.append(f'name must match "{pattern}"')
    if not least <= len(name) <= most:
        sized = f"name size must be between {least} and {most}"
        problems = [sized] if not name else [*problems, sized]
    if problems:
        raise bad(f"[{', '.join(problems)}]")


def _misfits(name: str, pattern: str) -> bool:
    if pattern == _NO_COLONS:
        return "::" in name or not _LINE_BREAKS.isdisjoint(name)
    return not re.match(pattern.replace("(?U)", "").replace("$", r"\Z"), name)


def _column_names(items: list[Json], longest: int) -> None:
    for column in items:
        absent = [key for key in ("name", "dataType") if column.get(key) is None]
        if absent:
            raise bad(f"[{', '.join(f'{key} must not be null' for key in absent)}]")
        _name(str(column["name"]), 1, longest, _NO_COLONS)
        _column_names(column.get("children") or [], longest)


def _parent(world: World, kind: Kind, body: Json) -> Record | None:
    if kind.parent is None:
        return None
    value = body.get(kind.parent)
    if kind.type == "tag" and body.get("parent"):
        found = world.state.find("tag", body["parent"])
        if found is None:
            raise missing("tag", body["parent"])
        return found
    if isinstance(value, dict):
        found = world.state.get(value.get("type", ""), str(value.get("id")))
        if found is None:
            raise missing(value.get("type", ""), str(value.get("id")))
        return found
    kinds = kind.parents or (kind.parent,)
    found = next((one for name in kinds if (one := world.state.find(name, str(value)))), None)
    if found is None:
        raise missing(kinds[0], str(value))
    needs_live = world.features.has("pipelines_need_live_service")
    if kind.type == "pipeline" and found.deleted and needs_live:
        raise missing(kinds[0], str(value))
    return found


def _owners(world: World, body: Json, entity: Json) -> None:
    sent = body.get(world.owner_key)
    if not sent:
        return
    pairs = [owner(world, one) for one in (sent if isinstance(sent, list) else [sent])]
    entity[world.owner_key] = world.views.owners(pairs)


def owner(world: World, reference: Json) -> tuple[str, str]:
    """A valid owner: type and id. Raises `Refused`."""
    kind, key = str(reference.get("type")), str(reference.get("id"))
    if kind not in {"user", "team"}:
        raise bad(
            f"Entity of type {kind} can't be the owner. "
            "Only Team of type Group or a User can own entities."
        )
    found = world.state.get(kind, key)
    if found is None:
        raise missing(kind, key)
    if kind == "team" and found.body["teamType"] != "Group":
        raise bad(
            f"Team of type {found.body['teamType']} can't own entities. "
            "Only Team of type Group can own entities."
        )
    return kind, key


def _domains(world: World, body: Json, entity: Json) -> None:
    sent = body.get(world.domain_key)
    if not sent:
        return
    ids = []
    for name in sent if isinstance(sent, list) else [sent]:
        found = world.state.find("domain", name)
        if found is None:
            raise missing("domain", name)
        ids.append(found.id)
    entity[world.domain_key] = world.views.domains(ids)


def _products(world: World, body: Json, entity: Json) -> None:
    sent = body.get("dataProducts")
    if not sent:
        return
    if not world.features.has("data_products_by_put"):
        # Names stay names; what stores them fails, with all before it already stored.
        entity["dataProducts"] = [{"type": "dataProduct", "name": name} for name in sent]
        return
    ids = []
    for name in sent:
        found = world.state.find("dataProduct", name)
        if found is None:
            raise missing("dataProduct", name)
        ids.append(found.id)
    entity["dataProducts"] = world.views.products(ids)


def _special(world: World, kind: Kind, entity: Json) -> None:
    if kind.type == "table":
        table(world, entity)
    elif kind.type == "pipeline" and entity.get("tasks"):
        entity["tasks"] = [
            {**task, "fullyQualifiedName": join(entity["fullyQualifiedName"], task["name"])}
            for task in entity["tasks"]
        ]
    elif kind.type == "ingestionPipeline":
        entity["airflowConfig"] = {**_SCHEDULE, **entity["airflowConfig"]}
    elif kind.type in SERVICES:
        connections.check(world, entity)


def table(world: World, entity: Json) -> None:
    """Check and complete a table's own parts, in place. Raises `Refused` (400)."""
    items = entity.get("columns") or []
    columns.check(items)
    entity["columns"] = columns.prepared(items, entity["fullyQualifiedName"])
    names = {column["name"] for column in items}
    for constraint in entity.get("tableConstraints") or []:
        if not names.issuperset(constraint.get("columns") or ()):
            raise bad("Invalid column name found in table constraint")
    if not entity.get("tableConstraints"):
        entity.pop("tableConstraints", None)
    old = world.definition_key == "viewDefinition"
    if old and entity.get("viewDefinition") and entity.get("tableType") in _NO_VIEWS:
        raise bad(
            "ViewDefinition can only be set on TableType View, SecureView or MaterializedView"
        )
    if any("\x00" in text for text in (entity["name"], entity.get("description") or "", *names)):
        raise Refused(500, "ERROR: unsupported Unicode escape sequence", "unmapped")
