"""Faults hit what they are told to, and look as they should."""

from __future__ import annotations

import http.client
import json
import time

import pytest

from metaglean_domo_sandbox import Fault, FaultPlan, Sandbox
from metaglean_domo_sandbox.faults import KINDS, RateLimit
from metaglean_domo_sandbox.routing import Request

LIST = "/v1/datasets?limit=10&offset="


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *((k, int(k)) for k in ("401", "403", "404", "406", "429", "500", "502", "503")),
        ("403-rate", 403),
        ("400-wrapped", 400),
        ("wrong-instance", 403),
        ("html", 200),
    ],
)
def test_statuses(client, kind, status):
    client.public(LIST + "0")
    client.sandbox.faults = [Fault(kind)]
    reply = client.public(LIST + "0")
    assert reply.status == status
    is_html = kind in ("406", "html")
    assert reply.body.startswith(b"<!DOCTYPE" if is_html else b"{")
    assert ("WWW-Authenticate" in reply.headers) == (kind == "401")
    assert "Retry-After" not in reply.headers
    assert client.sandbox.stats.faults[kind] == 1


def test_html_bodies_and_retry_after(client):
    client.sandbox.faults = [Fault("503", html=True, retry_after=7)]
    reply = client.login()
    assert reply.body.startswith(b"<!DOCTYPE")
    assert reply.headers["Retry-After"] == "7"


def test_nth_route_target_plane_and_predicate_choose(client):
    client.public(LIST + "0")

    def statuses(*rules):
        client.sandbox.faults = rules
        calls = [client.public(f"{LIST}{i}0").status for i in range(3)]
        return [*calls, client.instance("/api/content/v2/users/me").status]

    assert statuses(Fault("500", nth=2)) == [200, 500, 200, 200]
    assert statuses(Fault("500", nth=(1, 3))) == [500, 200, 500, 200]
    assert statuses(Fault("500", target="offset=20")) == [200, 200, 500, 200]
    assert statuses(Fault("500", route="^me$")) == [200, 200, 200, 500]
    assert statuses(Fault("500", plane="instance")) == [200, 200, 200, 500]
    assert statuses(Fault("500", times=1)) == [500, 200, 200, 200]
    assert statuses(Fault("500", predicate=lambda r: r.query().get("offset") == "10"))[1] == 500
    assert statuses(Fault("500", nth=1), Fault("503", nth=2)) == [500, 503, 200, 200]


def test_a_dropped_connection_gives_no_answer(client):
    client.public(LIST + "0")
    client.sandbox.faults = [Fault("drop")]
    with pytest.raises(OSError):
        client.public(LIST + "0")
    assert client.sandbox.requests[-1].status == 0


def test_a_timeout_never_answers_and_stop_is_quick(tenant, client):
    client.public(LIST + "0")
    client.sandbox.faults = [Fault("timeout", seconds=60)]
    with pytest.raises(OSError):
        client.public(LIST + "0", timeout=0.1)
    start = time.monotonic()
    client.sandbox.stop()
    assert time.monotonic() - start < 1


def test_cut_json_has_the_right_length_and_short_bodies_not(client):
    client.public(LIST + "0")
    client.sandbox.faults = [Fault("cut-json", nth=1), Fault("short-body", nth=2)]
    reply = client.public(LIST + "0")
    assert int(reply.headers["Content-Length"]) == len(reply.body)
    with pytest.raises(ValueError):
        json.loads(reply.body)
    with pytest.raises(http.client.IncompleteRead):
        client.public(LIST + "0")


@pytest.mark.parametrize(("how", "status"), [("404", 404), ("mark", 200)])
def test_answers_about_what_is_gone_are_cut_as_well(client, how, status):
    tenant = client.sandbox.tenant
    gone = tenant.live()[0].id
    tenant.delete(gone, how=how)
    client.sandbox.faults = [Fault("cut-json", route="^dataset$")]
    reply = client.public(f"/v1/datasets/{gone}")
    assert reply.status == status
    with pytest.raises(ValueError):
        json.loads(reply.body)


def test_a_duplicate_page_is_the_one_before(client):
    first, second = client.public(LIST + "0").json, client.public(LIST + "10").json
    assert first != second
    client.sandbox.faults = [Fault("duplicate-page", target="offset=10")]
    assert client.public(LIST + "10").json == first


def test_a_plane_that_is_down_refuses_connections_and_comes_back(client):
    url = client.sandbox.instance_url
    client.sandbox.close_plane("instance")
    with pytest.raises(OSError):
        client.instance("/api/content/v2/users/me")
    assert client.public(LIST + "0").status == 200
    client.sandbox.open_plane("instance")
    assert client.sandbox.instance_url == url
    assert client.instance("/api/content/v2/users/me").status == 200


def test_random_faults_have_the_rate_and_repeat():
    plan = FaultPlan.at_random(0.3, seed=5)
    requests = [Request("public", "GET", "/v1/datasets") for _ in range(3000)]

    def kinds():
        return [fault.kind if (fault := plan.pick(r)) else "" for r in requests]

    first = kinds()
    plan.restart()
    assert kinds() == first
    for kind in ("429", "503", "drop"):
        assert 240 < first.count(kind) < 360
    plan.seed = 6
    plan.restart()
    assert kinds() != first


def test_unknown_kinds_and_keys_are_refused():
    with pytest.raises(ValueError, match="503"):
        Fault("teapot")
    with pytest.raises(ValueError, match="colour"):
        Fault.from_json({"kind": "503", "colour": "red"})
    assert Fault.from_json({"kind": "503", "nth": [1, 2]}).nth == (1, 2)
    assert len(KINDS) == 18


def test_the_rate_limit_allows_so_many_in_any_second():
    now = 0.0
    limit = RateLimit(2, lambda: now)
    assert [limit.allows() for _ in range(4)] == [True, True, False, False]
    now = 0.99
    assert not limit.allows()
    now = 1.0
    assert [limit.allows() for _ in range(3)] == [True, True, False]


def test_what_the_limit_refuses_is_429_with_retry_after(tenant, client):
    client.public(LIST + "0")
    client.sandbox.limit_rate(1)
    replies = [client.public(LIST + "0") for _ in range(2)]
    assert [r.status for r in replies] == [200, 429]
    assert replies[1].headers["Retry-After"] == "1"
    assert client.sandbox.stats.refusals == 1
    assert client.instance("/api/content/v2/users/me").status == 200
    with pytest.raises(ValueError, match="rate limit"):
        Sandbox(tenant, rate_limit=0)


def test_latency_is_waited_for(client):
    client.public(LIST + "0")
    client.sandbox.settings.latency_ms = 60
    start = time.monotonic()
    client.public(LIST + "0")
    assert time.monotonic() - start >= 0.06
