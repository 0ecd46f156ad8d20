"""One server's state together with what its version makes of it."""

from __future__ import annotations

from typing import Any

from metaglean_testkit.openmetadata.columns import without_tags
from metaglean_testkit.openmetadata.errors import MASK, Json
from metaglean_testkit.openmetadata.features import Features
from metaglean_testkit.openmetadata.kinds import BY_TYPE, Kind
from metaglean_testkit.openmetadata.models import Models
from metaglean_testkit.openmetadata.policy import Policy
from metaglean_testkit.openmetadata.store import Record, State
from metaglean_testkit.openmetadata.views import Views

_SECRETS = ("secret", "password", "token", "privatekey", "credentials")
_NEVER_STORED = frozenset(
    "href owner owners domain domains dataProducts tags followers votes usageSummary service "
    "database databaseSchema classification databaseSchemas tables pipelineStatus "
    "pipelineStatuses joins".split()
)


class World:
    """What every part of the server works on."""

    def __init__(self, version: str, base: str) -> None:
        self.features = Features.of(version)
        self.version = ".".join(map(str, self.features.version))
        self.models = Models(self.features.version)
        self.state = State()
        self.policy = Policy()
        self.base = base
        self.bot_token = ""
        self.views = Views(self)
        has = self.models.has
        self.owner_key = "owners" if has("CreateTable", "owners") else "owner"
        self.domain_key = "domains" if has("CreateTable", "domains") else "domain"
        self.definition_key = (
            "schemaDefinition" if has("CreateTable", "schemaDefinition") else "viewDefinition"
        )

    def kind_of(self, record: Record) -> Kind:
        """The kind of an entity."""
        return BY_TYPE[record.kind]

    def stored(self, kind: Kind, entity: Json) -> Json:
        """What of an answer's entity is stored as its own JSON."""
        body = {
            key: value
            for key, value in entity.items()
            if key not in _NEVER_STORED and value is not None
        }
        if "serviceType" not in kind.kept:
            body.pop("serviceType", None)
        if body.get("columns"):
            body["columns"] = without_tags(body["columns"])
        if body.get("tasks"):
            body["tasks"] = without_tags(body["tasks"])
        return body

    def masked(self, service: Json) -> Any:
        """A service's connection as a person sees it."""
        return _mask(service.get("connection"))


def secret(key: str) -> bool:
    """Whether a configuration's key holds a secret."""
    return any(word in key.lower() for word in _SECRETS)


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(one, str) and secret(key) else _mask(one)
            for key, one in value.items()
        }
    return [_mask(one) for one in value] if isinstance(value, list) else value
