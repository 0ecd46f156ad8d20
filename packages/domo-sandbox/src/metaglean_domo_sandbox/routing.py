"""Requests, responses and the table of routes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from metaglean_domo_sandbox.model import Json, dumps

#: Where the control surface starts; Domo has nothing there.
CONTROL = "/__sandbox__/"
PUBLIC, INSTANCE = "public", "instance"
JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"


@dataclass(slots=True)
class Request:
    """One request. Header names are in lower case; `number` counts the requests of a server."""

    plane: str
    method: str
    path: str
    query_text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    number: int = 0
    route: str = ""
    override: dict[str, str] = field(default_factory=dict)

    def query(self) -> dict[str, str]:
        """The parameters, the last of several counts; a fault may have changed them."""
        values = parse_qs(self.query_text, keep_blank_values=True)
        return {**{k: v[-1] for k, v in values.items()}, **self.override}

    @property
    def target(self) -> str:
        """Path and query, without what could be a secret (a token call's query is left out)."""
        if not self.query_text or self.path == "/oauth/token":
            return self.path
        return f"{self.path}?{self.query_text}"


@dataclass(slots=True)
class Response:
    """One answer. `cut` sends only so many bytes of the body, `announce` another length."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    announce: int | None = None


class Answer(Exception):
    """Raised by handlers to answer at once with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


#: Called with the app, the request and the values of the pattern's `{}`.
Handler = Callable[..., Response]


class Route(NamedTuple):
    """`pattern` is a path in which `{}` stands for one segment, given to the handler in order.
    `scope` is the OAuth scope it needs; routes of the instance plane have none."""

    plane: str
    method: str
    pattern: str
    name: str
    handler: Handler
    scope: str = ""


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._table: dict[tuple[str, str, int], list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            key = (route.plane, route.method, route.pattern.count("/"))
            pattern = re.compile(re.escape(route.pattern).replace(r"\{\}", "([^/]+)"))
            self._table.setdefault(key, []).append((pattern, route))

    def find(self, request: Request) -> tuple[Route, tuple[str, ...]] | None:
        """The route and the values of its `{}`, or `None`."""
        key = (request.plane, request.method, request.path.count("/"))
        for pattern, route in self._table.get(key, ()):
            match = pattern.fullmatch(request.path)
            if match:
                return route, match.groups()
        return None


def ok(value: Any) -> Response:
    """200 with this value as JSON."""
    return Response(body=value if isinstance(value, bytes) else dumps(value))


def array(parts: Iterable[bytes], before: bytes = b"", after: bytes = b"") -> Response:
    """200 with a JSON array of values that are JSON already."""
    return Response(body=before + b"[" + b",".join(parts) + b"]" + after)


_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


def error(status: int, message: str, toe: str = "SANDBOX", **headers: str) -> Response:
    """An error as Domo words it; `toe` is the id that its support asks for."""
    body: Json = {
        "status": status,
        "statusReason": _REASONS.get(status, "Error"),
        "message": message,
        "toe": toe,
    }
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return Response(status, dumps(body), headers=named)


def html(status: int) -> Response:
    """A page of a proxy in front of the API."""
    title = f"{status} {_REASONS.get(status, 'OK')}"
    head = f"<!DOCTYPE html><html><head><title>{title}</title></head>"
    return Response(status, f"{head}<body><h1>{title}</h1></body></html>".encode(), HTML_TYPE)


def number(values: dict[str, str], name: str, default: int, most: int | None = None) -> int:
    """A whole number of the query; raises `Answer` with 400 where it is none or above `most`."""
    text = values.get(name, "")
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise Answer(error(400, f"{name} must be a number")) from None
    if value < 0 or (most is not None and value > most):
        raise Answer(error(400, f"{name} must be between 0 and {most}"))
    return value


def json_body(request: Request) -> Any:
    """The body of the request; raises `Answer` with 400 where it isn't JSON."""
    try:
        return json.loads(request.body)
    except ValueError:
        raise Answer(error(400, "Request body could not be deserialised")) from None
