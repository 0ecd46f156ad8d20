"""Addresses, parameters, bodies, errors, connections, logs and counters of a session."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from metaglean.clock import SystemClock
from metaglean.errors import AccessDenied, ConfigError, ItemError, NotFound
from metaglean.http import Bearer, CredentialsRefused, Response, Session
from metaglean.http.transport import Answer

CANARY = "canary-0815-value"


class Echo:
    """A transport that answers with what it was sent."""

    def exchange(self, method, url, headers, body, timeout):
        self.last = (method, url, dict(headers), body, timeout)
        return Answer(200, {}, b"", 0)

    def close(self):
        self.closed = True


@pytest.fixture
def echo(connect):
    transport = Echo()

    def call(base="https://acme.test/api/", path="/v1/x", **options):
        session = connect(base, transport=transport)
        session.request(options.pop("method", "GET"), path, **options)
        return transport.last

    return call


@pytest.mark.parametrize(
    ("base", "path", "params", "url"),
    [
        ("acme.test", "v1/x", None, "https://acme.test/v1/x"),
        ("https://acme.test/api/", "/v1/x", {}, "https://acme.test/api/v1/x"),
        ("http://acme.test:81", "/x", {"a": 1, "b": None}, "http://acme.test:81/x?a=1"),
        ("https://a.test", "/x?y=1", {"a": [1, 2]}, "https://a.test/x?y=1&a=1&a=2"),
        ("https://a.test", "/x", {"t": True, "f": False}, "https://a.test/x?t=true&f=false"),
        ("https://a.test", "/x", [("a", "1"), ("a", "2")], "https://a.test/x?a=1&a=2"),
        ("https://a.test", "/x", {"q": "a b/ü&"}, "https://a.test/x?q=a+b%2F%C3%BC%26"),
        ("https://a.test", "/ä b/c%2Fd", None, "https://a.test/%C3%A4%20b/c%2Fd"),
        ("https://a.test", "https://other.test/x", None, "https://other.test/x"),
    ],
)
def test_urls(echo, base, path, params, url):
    assert echo(base, path, params=params)[1] == url


@pytest.mark.parametrize("base", ["", "ftp://acme.test", "https://", "https://acme.test:port"])
def test_bad_address(connect, base):
    with pytest.raises(ConfigError, match="address"):
        connect(base)


def test_login_in_the_address_is_basic(connect, redactor):
    transport = Echo()
    session = connect(f"https://me:{CANARY}@acme.test", transport=transport)
    session.get("/x")
    assert transport.last[1] == "https://acme.test/x"
    assert transport.last[2]["Authorization"].startswith("Basic ")
    assert session.base_url == "https://acme.test"
    assert redactor.clean(CANARY + transport.last[2]["Authorization"]) == "***Basic ***"


@pytest.mark.parametrize(
    ("options", "body", "kind"),
    [
        ({"json": {"a": "ü"}}, '{"a":"ü"}'.encode(), "application/json"),
        ({"json": []}, b"[]", "application/json"),
        ({"data": b"raw"}, b"raw", None),
        ({"data": "täxt"}, "täxt".encode(), None),
        ({"data": {"a": "b c"}}, b"a=b+c", "application/x-www-form-urlencoded"),
        ({}, None, None),
        (
            {"json": [], "headers": {"Content-Type": "application/json-patch+json"}},
            b"[]",
            "application/json-patch+json",
        ),
    ],
)
def test_bodies(echo, options, body, kind):
    _, _, headers, sent, _ = echo(method="POST", **options)
    assert sent == body
    assert headers.get("Content-Type") == kind


def test_verbs_and_defaults(serve, connect, reply):
    server = serve([reply({"ok": 1}, headers={"X-Total": "7"})])
    session = connect(server, headers={"X-Own": "1"})
    response = session.get("/x", params={"a": "b"})
    session.post("/x", json={"n": 1}, headers={"X-Own": "2"})
    session.put("/x", data=b"raw")
    assert (response.status, response.json(), response.headers["x-total"]) == (200, {"ok": 1}, "7")
    assert [r.method for r in server.requests] == ["GET", "POST", "PUT"]
    assert server.requests[0].query == {"a": "b"}
    assert server.requests[0].headers["x-own"] == "1"
    assert server.requests[0].headers["user-agent"] == "metaglean"
    assert server.requests[1].headers["x-own"] == "2"
    assert json.loads(server.requests[1].body) == {"n": 1}
    assert server.requests[2].body == b"raw"


def test_get_json_takes_parameters(serve, connect, reply):
    server = serve([reply([1])])
    assert connect(server).get_json("/x", path="p", limit=5) == [1]
    assert server.requests[0].query == {"path": "p", "limit": "5"}


def test_response_text_and_encoding(serve, connect, reply):
    latin = {"Content-Type": "text/plain; charset=ISO-8859-1"}
    zipped = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    server = serve([reply("ü".encode("latin-1"), headers=latin),
                    reply(gzip.compress(b'{"a": 1}'), headers=zipped)])  # fmt: skip
    session = connect(server)
    assert session.get("/x").text == "ü"
    assert session.get("/x").json() == {"a": 1}
    assert Response(200, {"Content-Type": "a/b; charset=nonsense"}, b"\xff").text == "�"


@pytest.mark.parametrize(
    ("status", "error", "hint"),
    [
        (404, NotFound, "deleted"),
        (410, NotFound, "deleted"),
        (403, AccessDenied, "scopes"),
        (401, CredentialsRefused, "expired"),
        (400, ItemError, "accept"),
        (409, ItemError, ""),
    ],
)
def test_errors_name_system_method_path_and_status(serve, connect, reply, status, error, hint):
    body = {"message": f"Nope\n because {CANARY}", "toe": "AB1"}
    server = serve([reply(body, status)])
    session = connect(server, auth=Bearer(CANARY))
    with pytest.raises(error) as caught:
        session.get("/v1/things/7", params={"secret": CANARY})
    message = str(caught.value)
    assert "Acme" in message
    assert "GET /v1/things/7 answered" in message
    assert str(status) in message
    assert "Nope because ***" in message
    assert CANARY not in message
    assert "?" not in message
    assert hint in caught.value.hint
    if isinstance(caught.value, ItemError):
        assert caught.value.status == status


def test_redirects_are_not_followed(serve, connect, reply):
    target = {"Location": f"https://elsewhere.test/login?token={CANARY}"}
    server = serve([reply(b"", 302, target)])
    session = connect(server, auth=Bearer("token-of-mine"))
    with pytest.raises(ItemError) as caught:
        session.get("/x")
    assert "elsewhere.test/login" in caught.value.hint
    assert CANARY not in caught.value.hint
    assert len(server.requests) == 1


def test_credentials_stay_at_home(serve, connect, reply):
    home, other = serve([reply({})]), serve([reply({})])
    session = connect(home, auth=Bearer(CANARY))
    session.get(f"{home.url}/x")
    session.get(f"{other.url}/x")
    session.get("/x", authenticated=False)
    assert "authorization" in home.requests[0].headers
    assert "authorization" not in other.requests[0].headers
    assert "authorization" not in home.requests[1].headers


def test_one_connection_for_many_calls(serve, connect, reply):
    server = serve([reply({"a": 1})])
    session = connect(server)
    for _ in range(20):
        session.get("/x")
    assert server.connections == 1


def test_at_most_workers_and_one_connections(serve, connect, reply):
    server = serve(lambda request: reply({"a": 1}, after=0.005))
    session = connect(server, workers=3)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: session.get(f"/{n}"), range(64)))
    assert 2 <= server.connections <= 4


def test_connection_stays_after_errors(serve, connect, reply):
    server = serve([reply({}), reply({}, 404), reply({}, 503), reply({})])
    session = connect(server)
    session.get("/x")
    with pytest.raises(NotFound):
        session.get("/x")
    session.get("/x")
    assert server.connections == 1


def test_counters(serve, connect, reply):
    server = serve([reply({"a": 1}), reply({}, 404), reply(b"", 503), reply({"a": 1})])
    session = connect(server)
    session.get("/x")
    with pytest.raises(NotFound):
        session.get("/x")
    session.get("/x")
    counts = session.stats.as_dict()
    assert counts.pop("waited_seconds") > 0
    assert counts == {
        "name": "Acme", "calls": 3, "retries": 1, "rate_limited": 0,
        "bytes_received": 2 * len('{"a": 1}') + 2, "failures": 1,
    }  # fmt: skip


def test_no_secret_in_any_log(serve, connect, reply, caplog, redactor):
    for name in (None, "metaglean"):
        caplog.set_level(logging.DEBUG, name)
    caplog.handler.addFilter(redactor.filter())
    server = serve([reply({}), reply(b"", 503), reply({}, 400)])
    session = connect(server, auth=Bearer(CANARY))
    session.get("/x", params={"api_token": "unregistered-canary", "limit": 5})
    with pytest.raises(ItemError):
        session.get(f"/x/{CANARY}", params={"q": CANARY}, headers={"X-Key": CANARY})
    assert "canary" not in caplog.text
    assert "Acme: GET http://127.0.0.1" in caplog.text
    assert "limit=5 200 in" in caplog.text


def test_log_lines_are_redacted_without_any_filter(serve, connect, reply, caplog):
    caplog.set_level(logging.DEBUG, "metaglean")
    session = connect(serve([reply({})]), auth=Bearer(CANARY))
    session.get(f"/x/{CANARY}", params={"q": CANARY, "password": "other-canary"})
    assert "canary" not in caplog.text
    assert sum("GET" in record.getMessage() for record in caplog.records) >= 1


def test_no_line_where_debug_is_off(serve, connect, reply):
    class Silent(logging.Logger):
        def debug(self, *args, **kwargs):
            raise AssertionError

    session = connect(serve([reply({})]), log=Silent("silent", logging.INFO))
    assert session.get("/x").status == 200


def test_stop_ends_waits_within_a_second(connect, clock):
    class Down(Echo):
        def exchange(self, *args):
            if hasattr(self, "session") and clock.monotonic() > 0:
                self.session.stop()
            return Answer(200 if not clock.slept else 503, {"Retry-After": "100"}, b"", 0)

    transport = Down()
    session = connect("https://acme.test", transport=transport)
    session.get("/x")
    clock.sleep(1)
    transport.session = session
    with pytest.raises(ItemError, match="stopped"):
        session.get("/x")
    assert clock.monotonic() <= 2.1
    with pytest.raises(ItemError, match="stopped"):
        session.get("/x")


def test_waking_the_clock_ends_waits_at_once(redactor):
    class Down(Echo):
        def exchange(self, *args):
            begun.set()
            return Answer(503, {"Retry-After": "15"}, b"", 0)

    begun = threading.Event()
    clock = SystemClock()
    session = Session("Acme", "https://acme.test", clock=clock, redactor=redactor, transport=Down())
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(session.get, "/x")
        begun.wait(5)
        clock.wake()
        with pytest.raises(ItemError, match="stopped"):
            call.result(timeout=2)


def test_close_closes_the_connections(connect):
    transport = Echo()
    session = connect("https://acme.test", transport=transport)
    session.close()
    assert transport.closed
    with pytest.raises(ItemError, match="stopped"):
        session.get("/x")
