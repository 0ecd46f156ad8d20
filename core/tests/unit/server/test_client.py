"""The calls to a server: pages that follow the bytes, and what 1.2's odd answers mean."""

from __future__ import annotations

import pytest

from metaglean.builtin.server import client
from metaglean.builtin.server.client import Server, by_name, classify, unknown_field, unknown_word
from metaglean.builtin.server.features import Features, parse_version, shown
from metaglean.errors import ItemError, NotFound
from metaglean.http import Bearer, Response, Verdict
from metaglean.records import Ref
from metaglean.run import Run
from metaglean_testkit import VirtualClock
from metaglean_testkit.openmetadata import FakeServer
from metaglean_testkit.openmetadata.wire import Answer


@pytest.fixture(scope="module", params=["1.2.0", "2.0.0"])
def shared_fake(request):
    with FakeServer(request.param) as server:
        yield server


@pytest.fixture
def fake(shared_fake):
    shared_fake.reset()
    return shared_fake


@pytest.fixture
def server(fake):
    run = Run(Ref("databaseService", ("s",)), clock=VirtualClock())
    session = run.session(
        "OpenMetadata", f"{fake.url}/v1/", auth=Bearer(fake.token), classify=classify
    )
    yield Server(session, Features(parse_version(fake.version)))
    run.close()


def users(fake, number, size=10):
    for one in range(number):
        name = f"user{one:04}"
        fake.call("PUT", "/users", {"name": name, "email": f"{name}@example.com",
                                    "description": "x" * size})  # fmt: skip


def limits(fake):
    return [
        int(part.partition("=")[2])
        for r in fake.requests
        for part in r.query.split("&")
        if part.startswith("limit=")
    ]


# -- listings -------------------------------------------------------------------------------------


def test_a_listing_has_all(fake, server):
    users(fake, 250)
    found = [one["name"] for one in server.listing("users")]
    assert len(found) == len(set(found))
    assert {f"user{one:04}" for one in range(250)} <= set(found)


def test_pages_follow_the_bytes(fake, server, monkeypatch):
    """However wide an entity is, a page holds about as many bytes."""
    users(fake, 120, size=1000)
    monkeypatch.setattr(client, "PAGE_BYTES", 20_000)
    monkeypatch.setattr(client, "FIRST_PAGE", 5)
    assert len(list(server.listing("users"))) >= 120
    first, *rest = limits(fake)
    assert first == 5
    assert rest
    assert all(10 <= one <= 25 for one in rest), rest
    fake.forget()
    monkeypatch.setattr(client, "PAGE_BYTES", 100)
    assert len(list(server.listing("users"))) >= 120
    assert set(limits(fake)[1:]) == {1}
    fake.forget()
    monkeypatch.setattr(client, "PAGE_BYTES", 10**9)
    assert len(list(server.listing("users"))) >= 120
    assert set(limits(fake)[1:]) == {client.LONGEST_PAGE}


def test_an_empty_listing(server):
    assert list(server.listing("pipelines")) == []


def test_a_page_that_fails_for_good_raises(fake, server, monkeypatch):
    """A listing that ends early would have core delete what it misses."""
    users(fake, 30)
    monkeypatch.setattr(client, "FIRST_PAGE", 5)
    fake.fail(500, path="^/users", nth=2)
    assert len(list(server.listing("users"))) >= 30, "tried again"
    fake.faults.clear()
    fake.fail(400, path="^/users", nth=2)
    with pytest.raises(ItemError):
        list(server.listing("users"))


@pytest.mark.parametrize("body", [[], "text", {}, {"data": None}, {"data": {}}, {"error": "x"}])
def test_what_is_no_listing_raises(fake, server, monkeypatch, body):
    monkeypatch.setattr(fake.app, "answer", lambda request: Answer.of(200, body))
    with pytest.raises(ItemError, match="a listing"):
        list(server.listing("users"))


def test_a_page_that_comes_again_raises(fake, server, monkeypatch):
    page = {"data": [{"name": "a"}], "paging": {"after": "same"}}
    monkeypatch.setattr(fake.app, "answer", lambda request: Answer.of(200, page))
    with pytest.raises(ItemError, match="again"):
        list(server.listing("users"))


# -- what isn't there -----------------------------------------------------------------------------


def test_a_path_or_verb_that_the_version_lacks(fake, server):
    """1.2 answers 500 for it; nothing is tried again."""
    with pytest.raises(NotFound):
        server.put("nothing/such", {})
    with pytest.raises(NotFound):
        server.put("tables/name/x", {})
    assert server.find("nothing/such") is None
    assert server.find("tables/name/x") is None
    assert len(fake.requests) == 4


def test_a_true_500_is_tried_again(fake, server):
    fake.fail(500, path="^/tables", times=2)
    server.get("tables")
    assert len(fake.requests) == 3


@pytest.mark.parametrize(
    ("status", "content", "verdict"),
    [
        (500, b'{"responseMessage":"An exception with message [HTTP 405 Method', Verdict.GONE),
        (500, b"An exception with message [HTTP 404 Not Found] was thrown", Verdict.GONE),
        (500, b"JsonPatch.Operation.TEST fails! Values are not equal", None),
        (404, b"HTTP 404 Not Found", None),
        (200, b"HTTP 404 Not Found", None),
    ],
)  # fmt: skip
def test_disguised(status, content, verdict):
    assert classify(Response(status, {}, content)) is verdict


def test_what_is_gone_is_deleted(fake, server):
    server.delete("tables/7f0e6f0a-0000-4000-8000-000000000000", hardDelete=False)


# -- patches --------------------------------------------------------------------------------------


def test_a_patch_is_sent_once(fake, server):
    """Whether it arrived only a read can tell."""
    server.get("tables", limit=1)
    fake.forget()
    fake.fail(503, method="PATCH")
    with pytest.raises(ItemError) as caught:
        server.patch("tables/1", [{"op": "add", "path": "/a", "value": 1}], 0.1)
    assert caught.value.status == 503
    fake.faults.clear()
    fake.fail(drop=True, method="PATCH")
    with pytest.raises(ItemError) as caught:
        server.patch("tables/1", [{"op": "add", "path": "/a", "value": 1}], 0.1)
    assert caught.value.status is None
    assert len(fake.requests) == 2


@pytest.mark.parametrize(("version", "named"), [((1, 9, 9), False), ((1, 10, 0), True)])
def test_the_version_goes_along_where_it_is_known(version, named):
    sent = []

    class Sessionlike:
        def request(self, method, path, **options):
            sent.append((method, path, options))
            return Response(200, {}, b'{"id": "1"}')

    server = Server(Sessionlike(), Features(version))
    operations = [{"op": "remove", "path": "/a"}]
    assert server.patch("tables/1", operations, 1.2) == {"id": "1"}
    server.patch("tables/1", operations, None)
    (_, _, first), (_, _, second) = sent
    assert first["headers"]["Content-Type"] == "application/json-patch+json"
    assert first["idempotent"] is False
    assert first["headers"].get("If-Match") == ('W/"1.2"' if named else None)
    assert "If-Match" not in second["headers"]


# -- words ----------------------------------------------------------------------------------------


def test_a_name_in_a_path():
    assert by_name('s."a.b/c".x y%') == "name/s.%22a.b%2Fc%22.x%20y%25"


@pytest.mark.parametrize(
    ("said", "key", "model"),
    [
        ('Unrecognized field "owners" (class org.openmetadata.schema.api.data.CreateTable), not…',
         "owners", "CreateTable"),
        ('Unrecognized field "x" (class CreateTable), not', "x", "CreateTable"),
        ('Unrecognized field "x-y" (class a.b.Column), not', "x-y", "Column"),
    ],
)  # fmt: skip
def test_an_unknown_field_in_the_servers_words(said, key, model):
    found = unknown_field(ItemError(f"OpenMetadata: PUT /tables answered 400: {said}", status=400))
    assert found == (key, model)
    assert unknown_field(ItemError("Invalid column name")) is None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Cannot construct instance of `org.openmetadata.schema.type.ColumnDataType`, problem: X",
         "ColumnDataType"),
        ("Cannot construct instance of `a.CreateDatabaseService$DatabaseServiceType`, problem: X",
         "DatabaseServiceType"),
        ("Invalid column name", None),
    ],
)  # fmt: skip
def test_an_unknown_word_in_the_servers_words(said, name):
    assert unknown_word(ItemError(f"OpenMetadata: PUT answered 400: {said}", status=400)) == name


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.2.0-SNAPSHOT", (1, 2, 0)),
        ("1.2", (1, 2, 0)),
        (" 2.0.7.1 ", (2, 0, 7)),
        ("1.10.3", (1, 10, 3)),
        ("v1.2", None),
        ("", None),
        ("main", None),
    ],
)
def test_a_version(text, version):
    assert parse_version(text) == version
    if version:
        assert parse_version(shown(version)) == version


def test_a_feature_that_turns_out_to_be_missing():
    features = Features((1, 10, 0))
    assert features.has("owners")
    assert features.lacks("owners")
    assert not features.lacks("owners"), "no news"
    assert not features.has("owners")
    assert not features.lacks("statusStopped"), "1.13's: known to be missing"


def test_what_is_assumed_of_an_untested_version():
    assert Features((1, 2, 5)).assumed() is None
    assert Features((1, 8, 0)).assumed() == ("1.8.0", "1.5")
    assert Features((3, 0, 0)).assumed() == ("3.0.0", "2.0")
