"""A tiny JSON client of an OpenMetadata server: the tests' own, so that they judge the sink's."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode

TIMEOUT = 60.0


class ApiError(Exception):
    """An answer that is no success; `body` is its text."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path}: {status} {body}")
        self.status = status
        self.body = body


class Api:
    """`path` is what comes after `/api/v1/`; query parameters are keyword arguments.

    Each call gives the answer's JSON (None where there is none) and raises ApiError, or OSError
    where there is no answer.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, query)

    def put(self, path: str, body: Any, **query: Any) -> Any:
        return self.send("PUT", path, query, body)

    def post(self, path: str, body: Any, **query: Any) -> Any:
        return self.send("POST", path, query, body)

    def patch(self, path: str, operations: list[dict[str, Any]], **query: Any) -> Any:
        """A JSON Patch."""
        return self.send("PATCH", path, query, operations, "application/json-patch+json")

    def delete(self, path: str, **query: Any) -> Any:
        return self.send("DELETE", path, query)

    def by_name(self, collection: str, fqn: str, **query: Any) -> Any:
        """The entity of this qualified name; `by_name("tables", …, fields="owner,tags")`."""
        return self.get(f"{collection}/name/{quote(fqn, safe='')}", **query)

    def find(self, collection: str, fqn: str, **query: Any) -> Any:
        """As `by_name`; None where it isn't there."""
        try:
            return self.by_name(collection, fqn, **query)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def all(self, collection: str, **query: Any) -> list[Any]:
        """Every entity of a listing; `include="all"` for soft-deleted ones too."""
        found: list[Any] = []
        after: dict[str, str] = {}
        while True:
            page = self.get(collection, limit=1000, **query, **after)
            found += page["data"]
            if "after" not in page["paging"]:
                return found
            after = {"after": page["paging"]["after"]}

    def send(
        self,
        method: str,
        path: str,
        query: dict[str, Any],
        body: Any = None,
        media: str = "application/json",
    ) -> Any:
        words = {key: str(value).lower() if value in (True, False) else value
                 for key, value in query.items()}  # fmt: skip
        target = f"{self.url}/v1/{path}" + (f"?{urlencode(words)}" if words else "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = media
            data = json.dumps(body).encode()
        request = urllib.request.Request(target, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(method, path, error.code, error.read().decode()) from error
        return json.loads(text) if text else None
