"""The service on the server: created where it isn't there, never written again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from metaglean import Change
from metaglean.builtin.server.body import clean
from metaglean.builtin.server.client import Json, Server, unknown_word
from metaglean.builtin.server.names import QualifiedNames
from metaglean.builtin.server.wire import KINDS
from metaglean.errors import ItemError
from metaglean.fqn import NameRules
from metaglean.records import Ref, Service

if TYPE_CHECKING:
    from metaglean import Run

_CUSTOM = {
    "databaseService": "CustomDatabase",
    "pipelineService": "CustomPipeline",
    "dashboardService": "CustomDashboard",
}
_UNKNOWN_KEY = re.compile(r"unrecognized field: '([^']+)'")
_TRIES = 8


class Services:
    """The service of a run. Its body holds secrets in clear for bots: it is never logged.

    A PUT of a service that stands needs its connection, and replaces what is stored: so it is only
    sent with `overwrite` (`forceEntityOverwriting`). `store` says whether a connection is sent.
    """

    def __init__(
        self,
        server: Server,
        run: Run,
        names: NameRules,
        qualified: QualifiedNames,
        *,
        store: bool,
        overwrite: bool,
    ) -> None:
        self._server = server
        self._run = run
        self._names = names
        self._qualified = qualified
        self._store = store
        self._overwrite = overwrite
        self.ids: dict[Ref, str] = {}

    def write(self, record: Service) -> Change:
        """Create, restore, or leave it."""
        entity = self.find(record.ref)
        if entity is None:
            return self._create(record)
        self._keep(record.ref, entity)
        if entity.get("deleted"):
            return self._restore(record.ref, str(entity["id"]))
        overwrite = self._overwrite and bool(self._given())
        if overwrite and not self._run.dry_run:
            shown = entity.get("displayName")  # servers from 1.7 on clear it if it isn't sent
            self._put(record.model_copy(update={"display_name": shown}) if shown else record)
        return Change(record.ref, "updated" if overwrite else "unchanged")

    def find(self, ref: Ref) -> Json | None:
        """The service as it stands, soft-deleted or not."""
        return self._server.named(KINDS[ref.kind].collection, self._qualified(ref))

    def _restore(self, ref: Ref, entity_id: str) -> Change:
        if not self._run.dry_run:
            self._server.restore(KINDS[ref.kind].collection, entity_id)
        return Change(ref, "restored")

    def _create(self, record: Service) -> Change:
        if self._run.dry_run:
            return Change(record.ref, "created")
        try:
            entity = self._put(record)
        except ItemError as error:
            found = self.find(record.ref) if error.status == 409 else None
            if found is None:
                raise
            entity = found  # another run made it at the same moment
        self._keep(record.ref, entity)
        return Change(record.ref, "created")

    def _put(self, record: Service) -> Json:
        """PUT it; a service type or a connection key that the server lacks is left out."""
        kind, service_type = record.ref.kind, record.service_type
        config = self._connection(kind, service_type)
        for _ in range(_TRIES):
            body = self._body(record, service_type, config)
            try:
                answer = self._server.put(KINDS[kind].collection, body)
            except ItemError as error:
                key = _unknown_key(error, config or {})
                if unknown_word(error) and service_type != _CUSTOM[kind]:
                    service_type = _CUSTOM[kind]
                    config = {"type": service_type} if config else config
                    self._run.warn(
                        f"the server has no service type {record.service_type}: written as "
                        f"{service_type}"
                    )
                elif config and key:
                    config.pop(key)
                    self._run.warn(f"the server's connection has no {key}: left out")
                else:
                    raise
            else:
                return answer.body if isinstance(answer.body, dict) else {}
        raise ItemError(f"the server refuses the service {record.ref.name}")

    def _body(self, record: Service, service_type: str, config: Json | None) -> Json:
        ref = record.ref
        name = self._names.stored(ref.kind, ref.name)
        body: Json = {"name": name, "serviceType": service_type}
        if shown := record.display_name or (ref.name if name != ref.name else None):
            body["displayName"] = clean(shown)
        if config:
            body["connection"] = {"config": config}
        if record.description:
            body["description"] = clean(record.description)
        return body

    def _given(self) -> Mapping[str, Any] | None:
        """The connection that may be stored; a service that stands can't be written without."""
        return self._run.connection(self._server.features.version[:2]) if self._store else None

    def _connection(self, kind: str, service_type: str) -> Json | None:
        found = self._given()
        if found is None and not self._server.features.has("connectionOptional"):
            return {"type": _CUSTOM[kind] if service_type.startswith("Custom") else service_type}
        return dict(found) if found else None

    def _keep(self, ref: Ref, entity: Json) -> None:
        self._qualified.learn(ref, entity)
        if entity.get("id"):
            self.ids[ref] = str(entity["id"])


def _unknown_key(error: ItemError, config: Mapping[str, Any]) -> str | None:
    found = _UNKNOWN_KEY.search(error.message)
    return found[1] if found and found[1] in config else None
