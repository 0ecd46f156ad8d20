"""A double of an OpenMetadata server: it keeps what it is sent and answers with it.

Just as much as the peer's client needs for a metadata run, and nothing that costs time. A script of
its own: `python peer_server.py READY_FILE` writes its address there and serves until it is ended.
"""

from __future__ import annotations

import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# The keys of a body that name another entity, by its qualified name.
PARENTS = ("service", "database", "databaseSchema")
REFERENCE_TYPES = {"service": "databaseService"}
API = "/api/v1/"
Json = dict[str, Any]


class Double(ThreadingHTTPServer):
    """Entities by collection and qualified name."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.entities: dict[tuple[str, str], Json] = {}
        self.requests = 0

    def put(self, collection: str, body: Json) -> Json:
        """Keep one entity; returns it as a server shows it."""
        parents = [str(body[key]) for key in PARENTS if isinstance(body.get(key), str)]
        name = ".".join([*parents[-1:], body["name"]])
        shown: Json = {**body, "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{collection}/{name}"))}
        shown["fullyQualifiedName"] = name
        for key in PARENTS:
            if isinstance(body.get(key), str):
                shown[key] = _reference(key, body[key])
        self.entities[collection, name] = shown
        return shown


def _reference(key: str, name: str) -> Json:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}/{name}")),
        "type": REFERENCE_TYPES.get(key, key),
        "name": name.rpartition(".")[2],
        "fullyQualifiedName": name,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers by the shape of the path alone."""

    protocol_version = "HTTP/1.1"
    server: Double

    def do_GET(self) -> None:
        self._answer(*self._get(urlsplit(self.path).path.removeprefix(API)))

    def do_PUT(self) -> None:
        body = self._body()
        collection = urlsplit(self.path).path.removeprefix(API)
        if isinstance(body, list):
            collection = collection.removesuffix("/bulk")
            done = [self.server.put(collection, item) for item in body]
            passed = [{"request": item["fullyQualifiedName"], "status": 200} for item in done]
            counts = {"numberOfRowsProcessed": len(done), "numberOfRowsPassed": len(done)}
            self._answer(200, {"status": "success", **counts, "successRequest": passed})
        elif isinstance(body, dict) and "name" in body:
            self._answer(200, self.server.put(collection, body))
        else:
            self._answer(200, {})

    def do_DELETE(self) -> None:
        self._body()
        self._answer(200, {"status": "success", "dryRun": False})

    def do_POST(self) -> None:
        self._body()
        self._answer(200, {})

    def do_PATCH(self) -> None:
        self._body()
        self._answer(200, {})

    def _get(self, path: str) -> tuple[int, Json]:
        if path == "system/version":
            return 200, {"version": "2.0.7", "revision": "", "timestamp": 0}
        if path.startswith("services/testConnectionDefinitions/"):
            name = unquote(path.rpartition("/")[2])
            return 200, {"id": str(uuid.uuid4()), "name": name, "steps": []}
        if path.startswith("search/"):
            return 200, {"hits": {"total": {"value": 0}, "hits": []}}
        collection, by_name, name = path.partition("/name/")
        if by_name:
            found = self.server.entities.get((collection, unquote(name)))
            return (200, found) if found else (404, {"code": 404, "message": f"{name} not found"})
        return 200, {"data": [], "paging": {"total": 0}}

    def _body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return json.loads(data) if data else None

    def _answer(self, status: int, body: Json) -> None:
        self.server.requests += 1
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


def main() -> int:
    ready = Path(sys.argv[1])
    server = Double()
    draft = ready.with_suffix(".part")
    draft.write_text(f"http://127.0.0.1:{server.server_address[1]}/api", "utf-8")
    draft.replace(ready)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
