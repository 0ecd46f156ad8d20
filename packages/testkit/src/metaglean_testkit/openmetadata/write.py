"""PUT, PATCH, DELETE and restore of entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata import bodies, columns, connections, jsonpatch, labels
from metaglean_testkit.openmetadata.changes import Changes, dumps, next_version
from metaglean_testkit.openmetadata.errors import Json, Refused, bad, missing, unmapped
from metaglean_testkit.openmetadata.kinds import SERVICES, Kind
from metaglean_testkit.openmetadata.names import quote
from metaglean_testkit.openmetadata.store import Record
from metaglean_testkit.openmetadata.update import Update, products
from metaglean_testkit.openmetadata.views import EVERYTHING

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.policy import Person
    from metaglean_testkit.openmetadata.world import World

_READ_ONLY = ("id", "name", "fullyQualifiedName", "version", "updatedAt", "updatedBy", "href")


def put(world: World, kind: Kind, body: Json, who: Person) -> tuple[int, Json]:
    """Create (201) or update (200). `body` was checked. Raises `Refused`."""
    return store(world, kind, *bodies.build(world, kind, body, who), who)


def store(
    world: World,
    kind: Kind,
    entity: Json,
    parent: Record | None,
    who: Person,
    *,
    override: bool = False,
) -> tuple[int, Json]:
    """As `put`, of an entity that was built. Raises `Refused`."""
    record = world.state.find(kind.type, entity["fullyQualifiedName"])
    if record is None:
        world.policy.require(who, "Create", kind.type)
        return 201, create(world, kind, entity, parent)
    world.policy.require(who, "EditAll", kind.type)
    old = world.views.entity(record, EVERYTHING, linked=False)
    if kind.type in SERVICES:
        connections.unmask(old, entity)
    if record.deleted:
        _restore_below(world, record, who)
    check_labels(world, entity, existence=world.features.has("tags_checked_first"))
    entity["id"] = record.id
    entity["fullyQualifiedName"] = record.fqn
    for key in (*kind.above, "serviceType"):
        if key in old:
            entity[key] = old[key]
    update = Update(world, record, old, entity, put=True, bot=who.bot, override=override)
    return 200, world.views.with_links(update.run(), record)


def create(world: World, kind: Kind, entity: Json, parent: Record | None) -> Json:
    """Store a new entity. Raises `Refused`, from 1.2 with a half-made one left behind."""
    state = world.state
    first = world.features.has("tags_checked_first")
    check_labels(world, entity, existence=first)
    record = Record(kind.type, world.stored(kind, entity), None if parent is None else parent.id)
    owner, domain = entity.get(world.owner_key), entity.get(world.domain_key)
    record.owners = [(one["type"], one["id"]) for one in _listed(owner)]
    record.domains = [one["id"] for one in _listed(domain)]
    state.add(record)
    try:
        for fqn, found in _labels(entity):
            labels.assign(state, fqn, found)
        record.products = products(world, entity)
    except Refused:
        record.broken = kind.type == "table" and world.features.has("patch_keeps_definition")
        raise
    asked = {world.owner_key, world.domain_key, "tasks", *kind.asked}
    if _labels(entity):
        asked |= {"tags", "columns"}
    return world.views.entity(record, frozenset(asked))


def _listed(value: Any) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _labels(entity: Json) -> list[tuple[str, list[Json]]]:
    """All labels sent: the entity's own, then the columns'."""
    found = [(entity["fullyQualifiedName"], entity["tags"])] if entity.get("tags") else []
    return found + columns.all_labels(entity.get("columns") or [])


def check_labels(world: World, entity: Json, *, existence: bool) -> None:
    """Refuse exclusive labels beside each other, and those that aren't there (`existence`)."""
    for _, found in _labels(entity):
        if existence:
            labels.check(world.state, found)
        labels.exclusive(world.state, found)


def patch(
    world: World, kind: Kind, record: Record, operations: Any, who: Person, expected: str | None
) -> Json:
    """Change what stands by a JSON patch. Raises `Refused`."""
    world.policy.require_patch(who, operations, kind.type)
    if record.deleted:
        raise missing(kind.type, record.id)
    old = world.views.entity(record, EVERYTHING, linked=False)
    forgetful = not world.features.has("patch_keeps_definition")
    if forgetful:
        old.pop("viewDefinition", None)  # it isn't read, and so lost with whatever is stored
    if expected is not None and world.features.has("if_match"):
        wanted = expected.removeprefix("W/").strip('"')
        if wanted not in {"*", str(old["version"])}:
            raise Refused(412, "The entity was modified by another user. Refresh and retry.")
    new = jsonpatch.apply(old, operations)
    world.models.check(kind.model, new)
    _guard(world, kind, old, new)
    check_labels(world, new, existence=world.features.has("tags_checked_first"))
    new["updatedBy"] = who.name
    update = Update(world, record, old, new, put=False, bot=who.bot)
    answer = update.run()
    if forgetful and new.get("viewDefinition") and not update.changes:
        raise unmapped("Cannot invoke a method of a field that is null")
    return world.views.with_links(answer, record)


def _guard(world: World, kind: Kind, old: Json, new: Json) -> None:
    """What a patch may not change is put back, or refused."""
    if new.get("deleted") != old.get("deleted"):
        raise bad(f"{kind.type} attribute deleted can't be modified")
    if kind.type == "table":
        quote(str(new["name"]))  # refused where it can't be one, though it isn't kept
    for key in (*_READ_ONLY, *kind.above):
        if key in old:
            new[key] = old[key]
    for one in _listed(new.get(world.owner_key)):
        bodies.owner(world, one)
    if kind.type == "table":
        bodies.table(world, new)
    _references(world, new)


def _references(world: World, new: Json) -> None:
    for one in _listed(new.get(world.domain_key)):
        if world.state.get("domain", str(one.get("id"))) is None:
            raise missing("domain", str(one.get("id")))
    for one in new.get("dataProducts") or ():
        if world.state.get("dataProduct", str(one.get("id"))) is None:
            raise missing("dataProduct", str(one.get("id")))


def _mark(world: World, record: Record, who: Person, *, deleted: bool) -> None:
    old = world.views.entity(record, EVERYTHING, linked=False)
    version = old["version"]
    change = {"name": "deleted", "oldValue": not deleted, "newValue": deleted}
    record.history.insert(0, dumps(old))
    record.body = {
        **record.body,
        "deleted": deleted,
        "version": next_version(version, major=False),
        "updatedAt": world.state.now(),
        "updatedBy": who.name,
        "changeDescription": {
            "fieldsAdded": [],
            "fieldsUpdated": [change],
            "fieldsDeleted": [],
            "previousVersion": version,
        },
    }
    if not world.features.has("delete_keeps_definition"):
        record.body.pop("viewDefinition", None)


def delete(world: World, record: Record, who: Person, *, recursive: bool, hard: bool) -> Json:
    """Mark as deleted, or remove for good. Raises `Refused`."""
    world.policy.require(who, "Delete", record.kind)
    kind = world.kind_of(record)
    children = world.state.below(record)
    if children and not recursive:
        raise bad(f"{kind.type} is not empty")
    for child in children:
        if hard or not child.deleted:
            delete(world, child, who, recursive=True, hard=hard)
    if hard or not kind.deletable:
        answer = _answer(world, record)
        if kind.type == "tag":
            for fqn, found in world.state.labels.items():
                world.state.labels[fqn] = [one for one in found if one["tagFQN"] != record.fqn]
        world.state.drop(record)
        return answer
    if record.deleted:
        nothing = Changes().describe(record.body["version"])
        return {**_answer(world, record), "changeDescription": nothing}
    _mark(world, record, who, deleted=True)
    return _answer(world, record)


def restore(world: World, record: Record, who: Person) -> Json:
    """Undo a soft deletion, of what is below as well. Raises `Refused` (404)."""
    if not record.deleted:
        raise missing(record.kind, record.id)
    _restore_below(world, record, who)
    _mark(world, record, who, deleted=False)
    return _answer(world, record)


def _restore_below(world: World, record: Record, who: Person) -> None:
    for child in world.state.below(record):
        if child.deleted or not world.features.has("if_match"):
            restore(world, child, who)


def _answer(world: World, record: Record) -> Json:
    """What a deletion or restoration answers: the entity without a link to itself."""
    hidden = {"href", world.kind_of(record).children}
    found = world.views.entity(record, EVERYTHING)
    return {key: value for key, value in found.items() if key not in hidden}
