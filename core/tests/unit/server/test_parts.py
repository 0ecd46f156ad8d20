"""Tables that are listed in parts are all tables, each once, whatever the server's order is."""

from __future__ import annotations

import pytest

from metaglean.builtin.server import parts
from metaglean.builtin.server.client import Server, classify
from metaglean.builtin.server.features import Features, parse_version
from metaglean.builtin.server.parts import tables_in_parts
from metaglean.errors import ItemError
from metaglean.http import Bearer
from metaglean.records import Ref
from metaglean.run import Run
from metaglean_testkit import VirtualClock
from metaglean_testkit.openmetadata import FakeServer, listing

SCHEMA = "s.d.x"
PARAMS = {"databaseSchema": SCHEMA, "include": "all", "fields": "owner,tags"}
ODD = ["é", "Z", "a b", "a.b", "ß", "\U0001f600", "ab%2F", "a/b", "10", "9", "A", "a"]
NAMES = sorted([*ODD, *(f"table {number:03}" for number in range(110))])


def filled(version):
    """A fake with these tables; one of them is soft-deleted."""
    fake = FakeServer(version)
    fake.start()
    service = {"name": "s", "serviceType": "CustomDatabase"}
    fake.call("PUT", "/services/databaseServices", service)
    fake.call("PUT", "/databases", {"name": "d", "service": "s"})
    fake.call("PUT", "/databaseSchemas", {"name": "x", "database": "s.d"})
    for name in NAMES:
        column = {"name": "a", "dataType": "INT", "description": "x" * (len(name) * 20)}
        body = {"name": name, "databaseSchema": SCHEMA, "columns": [column]}
        made = fake.call("PUT", "/tables", body)
    fake.call("DELETE", f"/tables/{made['id']}")
    return fake


@pytest.fixture(scope="module")
def old():
    with filled("1.2.0") as fake:
        yield fake


OPENED: list[Run] = []


@pytest.fixture
def fake(old):
    old.forget()
    yield old
    old.faults.clear()


@pytest.fixture(autouse=True)
def closed():
    yield
    while OPENED:
        OPENED.pop().close()


def server_of(fake):
    run = Run(Ref("databaseService", ("s",)), clock=VirtualClock())
    OPENED.append(run)
    session = run.session(
        "OpenMetadata", f"{fake.url}/v1/", auth=Bearer(fake.token), classify=classify
    )
    return Server(session, Features(parse_version(fake.version)))


def names_in(fake, workers=8):
    found = tables_in_parts(server_of(fake), SCHEMA, PARAMS, workers, lambda one: one["name"])
    return sorted(found)


def listings(fake):
    return [request for request in fake.requests if request.path == "/tables"]


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 60, 500])
def test_all_tables_come_once(fake, workers):
    assert names_in(fake, workers) == NAMES


def test_each_part_is_one_call(fake):
    assert names_in(fake) == NAMES
    assert len(listings(fake)) == 1 + parts.MOST
    assert len(fake.requests) == 1 + 1 + parts.MOST


def test_many_bytes_are_read_page_by_page(fake, monkeypatch):
    monkeypatch.setattr(parts, "IN_FLIGHT", 20_000)
    monkeypatch.setattr(parts, "LONG_PAGE", 10_000)
    assert names_in(fake) == NAMES
    assert sum("after" not in request.query for request in listings(fake)) == 2
    assert not [request for request in fake.requests if "databaseSchemas" in request.path]


@pytest.mark.parametrize("key", [str.casefold, lambda name: name[::-1], len])
def test_the_server_may_have_an_order_of_its_own(fake, monkeypatch, key):
    """As a database with another collation."""

    def placed(name):
        return f"{len(name):05}{name}" if key is len else f"{key(name)}\x00{name}"

    decode = listing._decode
    monkeypatch.setattr(listing, "_by_name", lambda one: (placed(str(one.body["name"])), ""))
    monkeypatch.setattr(
        listing, "_decode", lambda mark, *, stable: (placed(decode(mark, stable=stable)[0]), "")
    )
    assert names_in(fake) == NAMES


def test_tables_that_come_and_go_meanwhile(fake, monkeypatch):
    """The names that the schema tells only say where to begin: without one of them a part goes on
    to the end, and tables come twice."""
    told = [name for name in NAMES if name != "table 050"]
    monkeypatch.setattr(parts, "_names", lambda *_: sorted([*told, *(f"{n}~" for n in told)]))
    found = tables_in_parts(server_of(fake), SCHEMA, PARAMS, 8, lambda one: one["name"])
    assert set(found) == set(NAMES)


@pytest.mark.parametrize("status", [403, 404])
def test_where_the_schema_tells_nothing_one_part_is_read(fake, status):
    fake.fail(status, path="^/databaseSchemas")
    assert names_in(fake) == NAMES


@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_page_that_fails_for_good_raises(fake, nth):
    """Tables that are missed would be taken for new, or for gone."""
    fake.fail(400, path="^/tables", nth=nth)
    with pytest.raises(ItemError):
        names_in(fake)


def test_cursors_that_are_no_names_are_left_alone():
    with filled("2.0.0") as fake:
        fake.forget()
        found = tables_in_parts(
            server_of(fake), SCHEMA, {**PARAMS, "fields": "owners"}, 8, lambda one: one["name"]
        )
        assert sorted(found) == NAMES
        assert not [request for request in fake.requests if "databaseSchemas" in request.path]
