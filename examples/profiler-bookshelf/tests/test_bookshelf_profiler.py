from __future__ import annotations

import json

import pytest
from metaglean_bookshelf import Bookshelf
from metaglean_bookshelf_profiler import BookshelfProfiler, column_profile

from metaglean_testkit import Answer, FaultProxy, ProfilerContract

TOKEN = "canary-token-of-the-bookshelf"
FIELDS = [{"name": "isbn", "type": "STRING"}, {"name": "pages", "type": "INT"}]


def bookshelf(request):
    """The part of the API that a profile needs: two shelves, one of them empty."""
    head = {"id": "shelf-1", "name": "Fiction", "created": "2024"}
    shelves = {"shelf-1": 40, "shelf-2": 0}
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        status, data = 401, {}
    elif request.path == "/v1/shelves":
        page = (
            [{**head, "id": i, "name": i} for i in shelves] if "offset=0" in request.target else []
        )
        status, data = 200, {"shelves": page}
    elif request.path.endswith("/counts"):
        books = shelves[request.path.split("/")[-2]]
        status, data = 200, {"books": books, "empty": {"isbn": books // 4, "pages": 0}}
    else:
        status, data = 200, {**head, "about": "Novels.", "fields": FIELDS}
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(data).encode())


class TestBookshelfProfiler(ProfilerContract):
    profiler_class = BookshelfProfiler
    source_class = Bookshelf

    @pytest.fixture
    def connection(self):
        with FaultProxy(bookshelf) as server:
            yield {"hostPort": server.url, "token": TOKEN}


def test_an_empty_shelf_has_no_proportion_of_nothing():
    assert column_profile("isbn", 0, 0).null_proportion == 0
