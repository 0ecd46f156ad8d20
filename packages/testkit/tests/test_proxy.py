from __future__ import annotations

import http.client
import json
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import pytest

from metaglean_testkit import FAULTS, Aim, Answer, FaultProxy, Request, VirtualClock, watching
from metaglean_testkit.proxy import by_route, route_of

ITEMS = [{"name": "a", "id": 1}, {"name": "b", "id": 2}]


def api(request):
    body = {"path": request.path, "items": ITEMS, "sent": request.body.decode()}
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


@pytest.fixture
def proxy():
    with FaultProxy(api) as running:
        yield running


def get(proxy, target="/things?page=1", data=None):
    with urlopen(UrlRequest(proxy.url + target, data=data), timeout=5) as response:
        return response.status, response.read()


def spoiled(proxy, fault, target="/things?page=1"):
    proxy.forget()
    get(proxy, target)
    request = proxy.calls[0].request
    proxy.aim(Aim(FAULTS[fault], request, Answer(200, {}, b'["before"]')))
    return get(proxy, target)


def test_passes_on_what_it_is_not_asked_to_spoil(proxy):
    status, body = get(proxy, data=b"x=1")
    assert (status, json.loads(body)["sent"]) == (200, "x=1")
    assert [call.request.method for call in proxy.calls] == ["POST"]


def test_an_upstream_may_be_a_url(proxy):
    with FaultProxy(proxy.url + "/base") as second:
        assert second.url.endswith("/base")
        assert json.loads(get(second)[1])["path"] == "/base/things"


def test_an_upstream_may_be_a_wsgi_application():
    def application(environ, start_response):
        start_response("201 Created", [("X-Path", environ["PATH_INFO"])])
        return [environ["QUERY_STRING"].encode(), environ["wsgi.input"].read()]

    with FaultProxy(application, wsgi=True) as proxy:
        assert get(proxy, data=b"!") == (201, b"page=1!")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_statuses(proxy, status):
    with pytest.raises(HTTPError) as caught:
        spoiled(proxy, str(status))
    caught.value.close()
    assert caught.value.code == status
    assert caught.value.headers.get("Retry-After") is None


def test_rate_limit_with_retry_after(proxy):
    with pytest.raises(HTTPError) as caught:
        spoiled(proxy, "429-retry-after")
    caught.value.close()
    assert caught.value.headers["Retry-After"] == "2"


def test_dropped_and_truncated(proxy):
    with pytest.raises(http.client.RemoteDisconnected):
        spoiled(proxy, "dropped")
    with pytest.raises(http.client.IncompleteRead):
        spoiled(proxy, "truncated")


def test_time_out_takes_the_clients_patience_on_the_virtual_clock(proxy):
    clock = VirtualClock()
    proxy.aim(Aim(FAULTS["timeout"], Request("GET", "/slow")))
    with watching(clock), pytest.raises(TimeoutError):
        get(proxy, "/slow")
    assert clock.monotonic() == 5


def test_bodies(proxy):
    good = get(proxy)[1]
    assert spoiled(proxy, "empty-body")[1] == b""
    assert spoiled(proxy, "html")[1].startswith(b"<!doctype html>")
    assert spoiled(proxy, "duplicate-page")[1] == b'["before"]'
    cut = spoiled(proxy, "cut-json")[1]
    assert cut
    assert good.startswith(cut)
    with pytest.raises(ValueError):
        json.loads(cut)


def test_contents(proxy):
    nulls = json.loads(spoiled(proxy, "nulls")[1])
    assert all(None in item.values() for item in nulls["items"])
    names = json.loads(spoiled(proxy, "same-names")[1])
    assert {item["name"] for item in names["items"]} == {"twin"}
    retyped = json.loads(spoiled(proxy, "wrong-types")[1])
    assert retyped["items"] != ITEMS or retyped["path"] != "/things"


def test_once_is_once(proxy):
    proxy.aim(Aim(FAULTS["500"], Request("GET", "/x"), once=True))
    with pytest.raises(HTTPError) as caught:
        get(proxy, "/x")
    caught.value.close()
    assert get(proxy, "/x")[0] == 200
    assert proxy.spoiled == 1


def test_random_faults_follow_from_the_seed(proxy):
    def pattern(seed):
        proxy.at_random([FAULTS["500"]], share=0.3, seed=seed)
        result = []
        for number in range(40):
            try:
                get(proxy, f"/things/{number}")
            except HTTPError as error:
                error.close()
                result.append(number)
        return result

    first = pattern(1)
    assert pattern(1) == first != pattern(2)
    assert 3 < len(first) < 25


def test_routes():
    targets = [
        "/v1/users",
        "/v1/users/7",
        "/v1/users/7/tags?x=1",
        "/v1/t/3f0c9e8a-0000",
        "/v1/t/a b",
    ]
    routes = [route_of(Request("GET", target)) for target in targets]
    assert routes == [
        "GET /v1/users", "GET /v1/users/*", "GET /v1/users/*/tags",
        "GET /v1/t/*", "GET /v1/t/*",
    ]  # fmt: skip


def test_calls_are_grouped_and_ordered(proxy):
    for page in (10, 2, 1):
        get(proxy, f"/things?page={page}")
    for name in "lkjihgfedcba":
        get(proxy, f"/names/{name}")
    routes = by_route(proxy.calls)
    assert [call.request.target for call in routes["GET /things"]] == [
        "/things?page=10", "/things?page=2", "/things?page=1",
    ]  # fmt: skip
    assert [call.request.target[-1] for call in routes["GET /names/*"]] == list("abcdefghijkl")


def test_connections_are_kept_alive(proxy):
    host = urlsplit(proxy.url).netloc
    connection = http.client.HTTPConnection(host, timeout=5)
    for _ in range(3):
        connection.request("GET", "/x")
        assert connection.getresponse().read()
    connection.close()
