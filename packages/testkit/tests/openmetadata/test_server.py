"""The fake as a server: sockets, faults, counters, state."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from metaglean_testkit.openmetadata import FakeServer, Fault

TABLE = {"name": "t", "databaseSchema": "s.d.d", "columns": [{"name": "a", "dataType": "INT"}]}


def ask(server, path="/tables", method="GET", body=None, token=None, **options):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token or server.token}"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = Request(f"{server.url}/v1{path}", data, headers, method=method)
    try:
        with urlopen(request, timeout=5, **options) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


def test_one_connection_takes_many_requests(old):
    connection = http.client.HTTPConnection("127.0.0.1", old.port, timeout=5)
    before = old.connections
    with contextlib.closing(connection):
        for _ in range(3):
            connection.request("GET", "/api/v1/system/version")
            answer = connection.getresponse()
            assert json.loads(answer.read())["version"] == "1.2.0"
        connection.request("GET", "/api/v1/system/version", headers={"Connection": "close"})
        assert connection.getresponse().getheader("Connection") == "close"
    assert old.connections == before + 1


def test_chunked_bodies_are_read(old):
    connection = http.client.HTTPConnection("127.0.0.1", old.port, timeout=5)
    headers = {"Authorization": f"Bearer {old.token}", "Content-Type": "application/json"}
    text = json.dumps(TABLE).encode()
    with contextlib.closing(connection):
        parts = iter([text[:10], text[10:]])
        connection.request("PUT", "/api/v1/tables", parts, headers, encode_chunked=True)
        assert connection.getresponse().status == 201


def test_what_is_no_json_is_refused_in_plain_text(old):
    connection = http.client.HTTPConnection("127.0.0.1", old.port, timeout=5)
    headers = {"Authorization": f"Bearer {old.token}", "Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request("PUT", "/api/v1/tables", '{"name": "t"', headers)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Content-Type")) == (400, "text/plain")
        assert answer.read() == b"Unexpected end-of-input"


def test_a_missing_token_is_told_from_a_bad_one(old):
    connection = http.client.HTTPConnection("127.0.0.1", old.port, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/tables")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("WWW-Authenticate")) == (401, "om-auth")
        assert json.loads(answer.read())["message"] == "Not Authorized! Token not present"


def test_tls_with_a_certificate_of_its_own():
    with FakeServer(tls=True) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        assert ask(server, "/system/version", context=context)[0] == 200
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(server, "/system/version")
    with pytest.raises(URLError):
        ask(server, "/system/version", context=context)


def test_latency_is_waited(old):
    old.latency = 0.05
    try:
        start = time.monotonic()
        ask(old)
        assert time.monotonic() - start >= 0.05
    finally:
        old.latency = 0


def test_requests_are_counted_and_kept_without_secrets(old):
    config = {"type": "DomoDatabase", "clientId": "c", "secretToken": "a-secret-word"}
    service = {"name": "x", "serviceType": "DomoDatabase", "connection": {"config": config}}
    assert ask(old, "/services/databaseServices", "PUT", service)[0] == 201
    assert ask(old, "/tables?limit=3")[0] == 200
    first, second = old.requests
    assert first[:4] == ("PUT", "/services/databaseServices", "", 201)
    assert first.body["connection"]["config"] == {**config, "secretToken": "*********"}
    assert second == ("GET", "/tables", "limit=3", 200, None)
    assert old.counts == {"PUT": 1, "GET": 1, "all": 2}
    shown = repr(old.requests)
    assert "a-secret-word" not in shown
    assert old.token not in shown


def test_bodies_needn_t_be_kept():
    with FakeServer(keep_bodies=False) as server:
        ask(server, "/classifications", "PUT", {"name": "ab", "description": "d"})
        assert server.requests[0].body is None


def test_a_fault_strikes_where_it_is_aimed(old):
    old.fail(503, method="PUT", path="^/tables", nth=2)
    answers = [ask(old, "/tables", "PUT", {**TABLE, "name": f"n{n}"})[0] for n in range(3)]
    assert answers == [201, 503, 201]
    assert ask(old, "/tables/name/s.d.d.n1")[0] == 404
    old.faults[:] = [Fault(500, every=3)]
    assert [ask(old)[0] for _ in range(6)] == [200, 200, 500, 200, 200, 500]
    old.faults[:] = [Fault(429, times=1, headers={"Retry-After": "1"})]
    assert [ask(old)[0] for _ in range(2)] == [429, 200]


def test_a_lost_answer_may_have_been_carried_out(old):
    old.fail(502, after=True, times=1)
    assert ask(old, "/tables", "PUT", TABLE)[0] == 502
    assert ask(old, "/tables/name/s.d.d.t")[0] == 200


def test_dropped_and_cut_answers(old):
    old.faults[:] = [Fault(drop=True, times=1), Fault(cut=10, nth=2)]
    with pytest.raises((URLError, ConnectionError)):
        ask(old)
    assert old.requests[0].status == 0
    with pytest.raises(http.client.IncompleteRead):
        ask(old)
    assert ask(old)[0] == 200


def test_down_refuses_and_up_answers_as_before(old):
    ask(old, "/tables", "PUT", TABLE)
    url = old.url
    old.down()
    with pytest.raises(URLError):
        ask(old)
    old.up()
    assert old.url == url
    assert ask(old, "/tables/name/s.d.d.t")[0] == 200


def test_the_state_can_be_taken_back(old):
    before = old.snapshot()
    old.deny("Delete")
    ask(old, "/tables", "PUT", TABLE)
    old.restore(before)
    assert ask(old, "/tables/name/s.d.d.t")[0] == 404
    assert ask(old, "/tables", "PUT", TABLE)[0] == 201
    old.restore(before)
    assert ask(old, "/tables", "PUT", TABLE)[0] == 201


def test_reset_leaves_a_new_server():
    with FakeServer() as server:
        ask(server, "/classifications", "PUT", {"name": "ab", "description": "d"})
        server.fail(500)
        server.reset()
        assert ask(server, "/classifications/name/ab")[0] == 404
        assert len(server.requests) == 1


def test_tokens(old):
    assert ask(old, "/users/loggedInUser")[1]["name"] == "ingestion-bot"
    assert ask(old, "/users/loggedInUser", token=old.admin_token)[1]["isAdmin"] is True
    ann = old.token_for("ann")
    assert ask(old, "/users/loggedInUser", token=ann)[1]["name"] == "ann"
    old.revoke(ann)
    assert ask(old, "/users/loggedInUser", token=ann) == (
        401,
        {"code": 401, "message": "Invalid token"},
    )


def test_a_policy_denies_the_bot_alone(old):
    _, table = ask(old, "/tables", "PUT", TABLE)
    old.deny("Delete", "table")
    status, answer = ask(old, f"/tables/{table['id']}", "DELETE")
    assert status == 403
    assert answer["message"].startswith("Principal: CatalogPrincipal{name='ingestion-bot'}")
    shown = {
        one["operation"]: one["access"] for one in ask(old, "/permissions/table")[1]["permissions"]
    }
    assert shown["Delete"] == "deny"
    assert shown["Create"] == "allow"
    assert ask(old, f"/tables/{table['id']}", "DELETE", token=old.admin_token)[0] == 200
    old.allow("Delete", "table")
    assert ask(old, "/permissions/table")[1]["permissions"][1]["access"] == "allow"


def test_equal_puts_at_once_make_one_table(old):
    answers = []

    def put():
        answers.append(ask(old, "/tables", "PUT", TABLE)[0])

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 7 + [201]


def test_a_key_can_be_made_unknown():
    with FakeServer("1.2") as server:
        server.unknow("CreateTable", "sourceUrl")
        status, answer = ask(server, "/tables", "PUT", {**TABLE, "sourceUrl": "x"})
        assert status == 400
        assert 'Unrecognized field "sourceUrl"' in answer["message"]
        assert "18 known properties" in answer["message"]


def test_the_command_serves_until_its_input_ends():
    command = [sys.executable, "-m", "metaglean_testkit.openmetadata", "--version", "2.0"]
    with subprocess.Popen(
        [*command, "--port", "0", "--stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        said = json.loads(process.stdout.readline())
        with urlopen(f"{said['url']}/v1/system/version", timeout=5) as answer:
            assert json.loads(answer.read())["version"] == "2.0.0"
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.parametrize("version", ["two", "", "v1.2"])
def test_a_version_is_a_number(version):
    with pytest.raises(ValueError, match="is no version"):
        FakeServer(version)
