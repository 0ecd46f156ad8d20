"""From a request to an answer: who asks, which path, which entity."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from metaglean_testkit.openmetadata import bodies, bulk, lineage, listing, runs, seed, write
from metaglean_testkit.openmetadata.errors import Json, Refused, missing, unmapped
from metaglean_testkit.openmetadata.kinds import BY_COLLECTION, KINDS, Kind
from metaglean_testkit.openmetadata.policy import Person
from metaglean_testkit.openmetadata.store import Record
from metaglean_testkit.openmetadata.wire import Answer, Request
from metaglean_testkit.openmetadata.world import World

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PATCH = "application/json-patch+json"
_REVISION = "0000000000000000000000000000000000000000"


class App:
    """The server behind the socket. Calls come from many threads; the state takes one at a time."""

    def __init__(self, version: str, base: str = "http://127.0.0.1/api") -> None:
        self.world = World(version, base)
        self.lock = threading.RLock()
        self.tokens: dict[str, Person] = {}
        seed.plant(self.world)

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        try:
            with self.lock:
                status, body = self._answer(request)
        except Refused as problem:
            if problem.shape == "text":
                return Answer(problem.status, problem.message.encode(), content_type="text/plain")
            return Answer.of(problem.status, problem.body(), _headers(problem))
        if body is None:
            return Answer(status, b"", content_type=None)
        headers = {}
        if self.world.features.has("if_match") and isinstance(body, dict) and "version" in body:
            headers["ETag"] = f'W/"{body["version"]}"'
        return Answer.of(status, body, headers)

    def _answer(self, request: Request) -> tuple[int, Any]:
        if not request.path.startswith("/api/v1/"):
            raise self.no_path()
        path = request.parts[2:]
        if path == ["system", "version"] and request.method == "GET":
            return 200, {"version": self.world.version, "revision": _REVISION, "timestamp": 0}
        who = self._who(request)
        if path[0] == "permissions" and request.method == "GET":
            return 200, self._permissions(path[1:], who)
        if path[0] == "lineage":
            return self._lineage(request, path[1:], who)
        if path == ["users", "loggedInUser"] and request.method == "GET":
            found = self.world.state.find("user", who.name)
            assert found is not None
            return 200, self.world.views.entity(found, frozenset())
        for length in (2, 1):
            kind = BY_COLLECTION.get("/".join(path[:length]))
            if kind is not None and kind.type in {"domain", "dataProduct"}:
                kind = kind if self.world.features.has("domains") else None
            if kind is not None:
                return self._collection(request, kind, path[length:], who)
        raise self.no_path()

    # -- who, and what isn't there -----------------------------------------------------------

    def no_path(self) -> Refused:
        """A path that this version doesn't have."""
        if self.world.features.has("plain_errors"):
            return Refused(404, "HTTP 404 Not Found")
        return unmapped("HTTP 404 Not Found")

    def no_method(self) -> Refused:
        """A verb that this version doesn't have on a path."""
        if self.world.features.has("plain_errors"):
            return Refused(405, "HTTP 405 Method Not Allowed")
        return unmapped("HTTP 405 Method Not Allowed")

    def _who(self, request: Request) -> Person:
        header = request.headers.get("authorization", "")
        if not header.lower().startswith("bearer "):
            raise Refused(401, "Not Authorized! Token not present")
        found = self.tokens.get(header[7:].strip())
        if found is None:
            raise Refused(401, "Invalid token")
        return found

    def _permissions(self, path: list[str], who: Person) -> Json:
        if path:
            return self.world.policy.permissions(who, path[0])
        return {"data": [self.world.policy.permissions(who, kind.type) for kind in KINDS]}

    # -- collections ---------------------------------------------------------------------------

    def _collection(
        self, request: Request, kind: Kind, rest: list[str], who: Person
    ) -> tuple[int, Any]:
        if not rest:
            return self._whole(request, kind, who)
        special = self._special(request, kind, rest, who)
        if special is not None:
            return special
        if rest[0] == "name" and len(rest) == 2:
            return self._named(request, kind, rest[1], who)
        if not _ID.fullmatch(rest[0]):
            raise self.no_path()
        return self._by_id(request, kind, rest, who)

    def _whole(self, request: Request, kind: Kind, who: Person) -> tuple[int, Any]:
        if request.method == "GET":
            return 200, listing.listing(self.world, kind, request.query, who)
        if request.method == "PUT":
            body = bodies.checked(self.world, kind, self._json(request))
            status, entity = write.put(self.world, kind, body, who)
            return status, self._shown(kind, entity, who)
        if request.method == "POST":
            body = bodies.checked(self.world, kind, self._json(request))
            entity, _ = bodies.build(self.world, kind, body, who)
            if self.world.state.find(kind.type, entity["fullyQualifiedName"]) is not None:
                raise Refused(409, "Entity already exists")
            status, entity = write.put(self.world, kind, body, who)
            return status, self._shown(kind, entity, who)
        raise self.no_method()

    def _special(
        self, request: Request, kind: Kind, rest: list[str], who: Person
    ) -> tuple[int, Any] | None:
        has = self.world.features.has
        if kind.type in {"pipeline", "ingestionPipeline"}:
            found = self._runs(request, kind, rest, who)
            if found is not None:
                return found
        if rest == ["restore"] and request.method == "PUT":
            return 200, self._restore(kind, self._json(request), who)
        if rest == ["bulk"] and request.method == "PUT":
            if not has("bulk"):
                raise self.no_method()
            return bulk.put(self.world, kind, self._json(request), who, request.query)
        if rest == ["deleteStale"] and request.method == "DELETE" and has("delete_stale"):
            return 200, bulk.delete_stale(self.world, kind, self._json(request), who)
        return None

    def _runs(
        self, request: Request, kind: Kind, rest: list[str], who: Person
    ) -> tuple[int, Any] | None:
        if kind.type == "pipeline" and rest[1:2] == ["status"]:
            return self._status(request, rest)
        if kind.type == "ingestionPipeline" and rest[1:2] == ["pipelineStatus"]:
            return self._run(request, rest, who)
        if kind.type == "ingestionPipeline" and rest[0] in {"progress", "metrics", "logs"}:
            if not self.world.features.has("plain_errors"):
                raise self.no_path()
            return 200, None
        return None

    def _restore(self, kind: Kind, body: Any, who: Person) -> Json:
        self.world.models.check("RestoreEntity", body)
        found = self.world.state.get(kind.type, str(body.get("id")))
        if found is None:
            raise missing(kind.type, str(body.get("id")))
        self.world.policy.require(who, "EditAll", kind.type)
        return write.restore(self.world, found, who)

    def _named(self, request: Request, kind: Kind, fqn: str, who: Person) -> tuple[int, Any]:
        found = self.world.state.find(kind.type, fqn)
        if request.method == "GET":
            return 200, self._read(request, kind, found, fqn, who)
        if request.method == "DELETE":
            if found is None or found.deleted:
                raise missing(kind.type, fqn)
            hard = request.query.get("hardDelete") == "true"
            # 1.2 has no `recursive` here.
            recursive = self.world.features.has("plain_errors") and self._recursive(request)
            return 200, write.delete(self.world, found, who, recursive=recursive, hard=hard)
        if request.method == "PATCH" and self.world.features.has("plain_errors"):
            if found is None:
                raise missing(kind.type, fqn)
            return 200, self._patch(request, kind, found, who)
        raise self.no_method()

    def _by_id(self, request: Request, kind: Kind, rest: list[str], who: Person) -> tuple[int, Any]:
        found = self.world.state.get(kind.type, rest[0])
        if rest[1:2] == ["versions"] and request.method == "GET":
            if found is None:
                raise missing(kind.type, rest[0])
            return 200, self._versions(kind, found, rest[2:])
        if len(rest) > 1:
            raise self.no_path()
        if request.method == "GET":
            return 200, self._read(request, kind, found, rest[0], who)
        if found is None:
            raise missing(kind.type, rest[0])
        if request.method == "PATCH":
            return 200, self._patch(request, kind, found, who)
        if request.method == "DELETE":
            hard = request.query.get("hardDelete") == "true"
            recursive = self._recursive(request)
            return 200, write.delete(self.world, found, who, recursive=recursive, hard=hard)
        raise self.no_method()

    @staticmethod
    def _recursive(request: Request) -> bool:
        return request.query.get("recursive") == "true"

    def _read(
        self, request: Request, kind: Kind, found: Record | None, key: str, who: Person
    ) -> Json:
        fields = listing.fields_of(self.world, kind, request.query)
        include = listing.include_of(request.query)
        if found is None or not listing.visible(found, include):
            raise missing(kind.type, key)
        self.world.policy.require(who, "ViewAll", kind.type)
        return self.world.views.entity(found, fields, masked=not who.bot)

    def _patch(self, request: Request, kind: Kind, found: Record, who: Person) -> Json:
        if not request.headers.get("content-type", "").startswith(_PATCH):
            if self.world.features.has("plain_errors"):
                raise Refused(415, "HTTP 415 Unsupported Media Type")
            raise unmapped("HTTP 415 Unsupported Media Type")
        expected = request.headers.get("if-match")
        entity = write.patch(self.world, kind, found, self._json(request), who, expected)
        return self._shown(kind, entity, who)

    def _shown(self, kind: Kind, entity: Json, who: Person) -> Json:
        if "connection" in kind.kept and not who.bot:
            return {**entity, "connection": self.world.masked(entity)}
        return entity

    def _versions(self, kind: Kind, found: Record, rest: list[str]) -> Json:
        everything = frozenset({"*"})
        newest = self.world.views.entity(found, everything, linked=False)
        if not rest:
            texts = [json.dumps(newest, ensure_ascii=False), *found.history]
            return {"entityType": kind.type, "versions": texts}
        for entity in (newest, *map(json.loads, found.history)):
            if str(entity["version"]) == rest[0]:
                return dict(entity)
        raise missing(kind.type, f"{found.id} and version {rest[0]}")

    # -- statuses and lineage --------------------------------------------------------------------

    def _status(self, request: Request, rest: list[str]) -> tuple[int, Any]:
        if rest[2:] == ["bulk"] and request.method == "PUT":
            if not self.world.features.has("status_bulk"):
                raise self.no_method()
            record = runs.pipeline(self.world, "pipeline", rest[0])
            items = self._json(request)
            for item in items:
                self.world.models.check("PipelineStatus", item)
            for item in items:
                runs.put_status(self.world, record, item, bulk=True)
            return 200, self.world.views.entity(record, frozenset({"pipelineStatus"}))
        if len(rest) > 2:
            raise self.no_path()
        body = self._json(request) if request.method == "PUT" else None
        if body is not None:
            self.world.models.check("PipelineStatus", body)
        record = runs.pipeline(self.world, "pipeline", rest[0])
        if request.method == "PUT":
            return 200, runs.put_status(self.world, record, body)
        if request.method == "GET":
            return 200, runs.statuses(self.world, record, request.query)
        raise self.no_method()

    def _run(self, request: Request, rest: list[str], who: Person) -> tuple[int, Any]:
        body = self._json(request) if request.method == "PUT" else None
        if body is not None:
            self.world.models.check("IngestionPipelineStatus", body)
        record = runs.pipeline(self.world, "ingestionPipeline", rest[0])
        if request.method == "PUT" and len(rest) == 2:
            return 201, runs.put_run(self.world, record, body, who)
        if request.method == "GET" and len(rest) == 3:
            found = runs.run_of(self.world, record, rest[2])
            return (204, None) if found is None else (200, found)
        if request.method == "GET" and len(rest) == 2:
            data = list(self.world.state.runs.get(record.fqn, {}).values())
            return 200, {"data": data, "paging": {"total": len(data)}}
        raise self.no_method()

    def _lineage(self, request: Request, path: list[str], who: Person) -> tuple[int, Any]:
        method = request.method
        if not path and method == "PUT":
            self.world.policy.require(who, "EditLineage", "all")
            lineage.put(self.world, self._json(request), who.name)
            return 200, None
        if path[:1] == ["getLineageEdge"] and len(path) == 3 and method == "GET":
            if not self.world.features.has("lineage_by_name"):
                raise self.no_path()
            return 200, lineage.edge_of(self.world, path[1], path[2])
        if len(path) == 2 and method == "GET" and _ID.fullmatch(path[1]):
            return 200, self._graph(request, path[0], path[1], by_name=False)
        if len(path) == 3 and path[1] == "name" and method == "GET":
            return 200, self._graph(request, path[0], path[2], by_name=True)
        if len(path) == 4 and method == "DELETE":
            lineage.delete(self.world, path)
            return 200, None
        by_name = len(path) == 6 and path[1] == path[4] == "name"
        if by_name and method == "PUT" and self.world.features.has("lineage_by_name"):
            details = self._json(request) if request.body else None
            lineage.put_by_name(self.world, path, details, who.name)
            return 200, None
        raise self.no_path()

    def _graph(self, request: Request, kind: str, key: str, *, by_name: bool) -> Json:
        state = self.world.state
        found = state.find(kind, key) if by_name else state.get(kind, key)
        if found is None or found.deleted:
            raise missing(kind, key)
        return lineage.read(self.world, found, request.query)

    def _json(self, request: Request) -> Any:
        kind = request.headers.get("content-type", "")
        if "json" not in kind:
            raise unmapped("HTTP 415 Unsupported Media Type")
        try:
            return json.loads(request.body)
        except ValueError:
            raise Refused(400, "Unexpected end-of-input", "text") from None


def _headers(problem: Refused) -> dict[str, str]:
    if problem.status in {401, 403, 404, 409} and problem.shape == "code":
        return {"WWW-Authenticate": "om-auth"}
    return {}
