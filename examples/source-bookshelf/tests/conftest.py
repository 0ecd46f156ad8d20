"""A Bookshelf API, small enough to read: paged shelves behind a bearer token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from metaglean_testkit import Answer, FaultProxy, Request

TITLES = (
    "Atlases", "Biographies", "Comics", "Drama", "Essays", "Fiction", "fiction", "Fiction",
    "Garden.Books", "History", "Illustrated", "Journals",
)  # fmt: skip


class BookshelfApi:
    """Called with a request it gives an answer; `shelves` is its data, `url` its address."""

    token = "canary-token-of-the-bookshelf"
    url = ""

    def __init__(self) -> None:
        self.shelves = {
            f"shelf-{number:04d}": {
                "id": f"shelf-{number:04d}",
                "name": title,
                "created": f"2024-01-{number + 1:02d}T00:00:00Z",
                "about": f"Books of the kind {title}.",
                "fields": [
                    {"name": "isbn", "type": "STRING"},
                    {"name": "title", "type": "STRING"},
                    {"name": "pages", "type": "INT"},
                ],
            }
            for number, title in enumerate(TITLES)
        }

    def __call__(self, request: Request) -> Answer:
        status, data = self.answer(request)
        return Answer(status, {"Content-Type": "application/json"}, json.dumps(data).encode())

    def answer(self, request: Request) -> tuple[int, object]:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"error": "invalid token"}
        if request.path == "/v1/shelves":
            query = parse_qs(request.target.partition("?")[2])
            offset, limit = (int(query.get(key, ["0"])[0]) for key in ("offset", "limit"))
            page = list(self.shelves.values())[offset : offset + limit]
            return 200, {"shelves": [{k: s[k] for k in ("id", "name", "created")} for s in page]}
        shelf = self.shelves.get(request.path.split("/")[3])
        if shelf is None:
            return 404, {"error": "no such shelf"}
        if request.path.endswith("/counts"):
            return 200, {"books": 40, "empty": {"isbn": 3, "title": 0}}
        return 200, shelf


@pytest.fixture
def api() -> Iterator[BookshelfApi]:
    api = BookshelfApi()
    with FaultProxy(api) as server:
        api.url = server.url
        yield api
