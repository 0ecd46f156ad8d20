"""How entities look in answers: references, links, and what comes only when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata import labels
from metaglean_testkit.openmetadata.errors import MASK, Json, Refused
from metaglean_testkit.openmetadata.kinds import BY_TYPE, SERVICES
from metaglean_testkit.openmetadata.store import Record

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.world import World

_NO_VOTES = {"upVotes": 0, "downVotes": 0, "upVoters": [], "downVoters": []}
_USAGE = {"count": 0, "percentileRank": 0.0}
_NO_PARENT = (
    "Entity type table {} does not have expected relationship contains to/from entity type "
    "databaseSchema"
)
#: What an update reads of an entity: all that people can set.
EVERYTHING = frozenset({"*"})


class Views:
    """Makes answers of records."""

    def __init__(self, world: World) -> None:
        self._world = world

    def href(self, record: Record) -> str:
        """The link to an entity."""
        return f"{self._world.base}/v1/{BY_TYPE[record.kind].collection}/{record.id}"

    def reference(self, record: Record, *, linked: bool = True) -> Json:
        """A reference to an entity."""
        body = record.body
        found: Json = {"id": record.id, "type": record.kind}
        for key in ("name", "fullyQualifiedName", "description", "displayName", "deleted"):
            if body.get(key) is not None:
                found[key] = body[key]
        if linked:
            found["href"] = self.href(record)
        return found

    def _ids(self, ids: Iterable[str], *, linked: bool) -> list[Json]:
        records = self._world.state.records
        return [self.reference(records[one], linked=linked) for one in ids if one in records]

    def owners(self, pairs: list[tuple[str, str]], *, linked: bool = True) -> Any:
        """The value of `owner` or `owners`."""
        found = self._ids((one for _, one in pairs), linked=linked)
        if self._world.owner_key == "owner":
            return found[0] if found else None
        return found or None

    def domains(self, ids: list[str], *, linked: bool = True) -> Any:
        """The value of `domain` or `domains`."""
        found = self._ids(ids, linked=linked)
        if self._world.domain_key == "domain":
            return found[0] if found else None
        return found or None

    def products(self, ids: list[str], *, linked: bool = True) -> list[Json]:
        """The value of `dataProducts`."""
        return self._ids(ids, linked=linked)

    # -- entities ----------------------------------------------------------------------------

    def entity(
        self, record: Record, fields: frozenset[str], *, masked: bool = False, linked: bool = True
    ) -> Json:
        """The entity with these fields (`*` for all). Raises `Refused` for a half-made one."""
        if record.broken:
            raise Refused(500, _NO_PARENT.format(record.id), "unhandled")
        world = self._world
        kind = BY_TYPE[record.kind]
        every = "*" in fields
        body = dict(record.body)
        for key in kind.asked:
            if not every and key not in fields:
                body.pop(key, None)
        if linked:
            body["href"] = self.href(record)
        self._above(record, kind.above, body, linked=linked)
        if "columns" in body:
            body["columns"] = self._columns(body["columns"], self._column_tags(fields))
        self._related(record, fields, body, linked=linked)
        # What changes an entity reads it without links, and without what is below.
        if linked and kind.children is not None and (every or kind.children in fields):
            body[kind.children] = [
                self.reference(child) for child in world.state.below(record) if not child.deleted
            ]
        if masked and "connection" in body:
            body["connection"] = world.masked(record.body)
        if record.kind == "ingestionPipeline" and linked:
            body["openMetadataServerConnection"] = {
                "type": "OpenMetadata",
                "hostPort": world.base,
                "authProvider": "openmetadata",
                "securityConfig": {"jwtToken": MASK if masked else world.bot_token},
            }
        return body

    def with_links(self, entity: Json, record: Record) -> Json:
        """An answer whose references carry links: all that are missing are added."""
        found = {key: self._link(value) for key, value in entity.items()}
        return {**found, "href": self.href(record)}

    def _link(self, value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [self._link(one) for one in value]
        if not isinstance(value, dict) or "href" in value or value.get("type") not in BY_TYPE:
            return value
        record = self._world.state.records.get(value.get("id", ""))
        return value if record is None else {**value, "href": self.href(record)}

    def _above(self, record: Record, keys: tuple[str, ...], body: Json, *, linked: bool) -> None:
        parent = self._world.state.records.get(record.parent or "")
        for key in keys:
            if parent is None:
                return
            body[key] = self.reference(parent, linked=linked)
            if key == "service" and parent.kind in SERVICES and record.kind != "ingestionPipeline":
                body["serviceType"] = parent.body["serviceType"]
            parent = self._world.state.records.get(parent.parent or "")

    def _related(self, record: Record, fields: frozenset[str], body: Json, *, linked: bool) -> None:
        world, every = self._world, "*" in fields
        kind = BY_TYPE[record.kind]
        owner, domain = world.owner_key, world.domain_key
        if kind.taggable and (every or "tags" in fields):
            body["tags"] = labels.read(world.state, record.fqn)
        if record.owners and (every or owner in fields):
            body[owner] = self.owners(record.owners, linked=linked)
        if record.domains and (every or domain in fields or record.kind == "dataProduct"):
            body[domain] = self.domains(record.domains, linked=linked)
        shown = {
            "dataProducts": self.products(record.products, linked=linked),
            "followers": [],
            "votes": dict(_NO_VOTES),
        }
        for key, value in shown.items() if kind.votable else ():
            if (every or key in fields) and world.models.has(kind.model, key):
                body[key] = value
        self._observed(record, fields, body)

    def _observed(self, record: Record, fields: frozenset[str], body: Json) -> None:
        world, every = self._world, "*" in fields
        kind = BY_TYPE[record.kind]
        if kind.type in {"table", "database", "databaseSchema"} and "usageSummary" in fields:
            body["usageSummary"] = {"dailyStats": _USAGE, "date": "2024-01-01"}
        if kind.type == "pipeline" and (every or "pipelineStatus" in fields):
            self._status(record, body)
        if kind.type == "ingestionPipeline" and (every or "pipelineStatuses" in fields):
            runs = list(world.state.runs.get(record.fqn, {}).values())
            if runs:
                body["pipelineStatuses"] = runs[-1]

    def _status(self, record: Record, body: Json) -> None:
        statuses = self._world.state.statuses.get(record.fqn)
        if statuses:
            body["pipelineStatus"] = statuses[max(statuses)]

    def _column_tags(self, fields: frozenset[str]) -> bool:
        if "*" in fields:
            return True
        needs_columns = self._world.features.has("column_tags_need_columns")
        return "tags" in fields and ("columns" in fields or not needs_columns)

    def _columns(self, columns: list[Json], tags: bool) -> list[Json]:
        if not tags:
            return columns
        result = []
        for column in columns:
            one = {**column, "tags": labels.read(self._world.state, column["fullyQualifiedName"])}
            if one.get("children"):
                one["children"] = self._columns(one["children"], tags)
            result.append(one)
        return result
