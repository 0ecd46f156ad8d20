"""Sockets: keep-alive, TLS, counting, broken requests, the control surface, the command line."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest
import trustme

from metaglean_domo_sandbox import Sandbox, Tenant
from metaglean_domo_sandbox.cli import parser


def raw(sandbox, data):
    place = urllib.parse.urlsplit(sandbox.public_url)
    with socket.create_connection((place.hostname, place.port), timeout=5) as link:
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: link.recv(4096), b""))


def test_a_connection_serves_many_requests_and_is_counted_once(client):
    place = urllib.parse.urlsplit(client.sandbox.instance_url)
    link = http.client.HTTPConnection(place.hostname, place.port)
    headers = {"X-DOMO-Developer-Token": "sandbox-access-token"}
    for _ in range(3):
        link.request("GET", "/api/content/v2/users/me", headers=headers)
        assert link.getresponse().read()
    stats = client.sandbox.stats.as_json()
    link.close()
    assert stats["connections"] == {"public": 0, "instance": 1}
    assert stats["max_connections"]["instance"] == 1
    assert stats["routes"] == {"me": 3}


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    ],
)
def test_what_is_no_request_is_400_and_the_end(sandbox, data):
    answer = raw(sandbox, data)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in answer


def test_old_clients_get_their_connection_closed(sandbox):
    assert raw(sandbox, b"GET /v1/datasets HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 401")


def test_tls(tmp_path, tenant):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(cert))
    issued.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with Sandbox(tenant, tls=(str(cert), str(key))) as sandbox:
        assert sandbox.public_url.startswith("https://127.0.0.1:")
        url = sandbox.public_url + "/__sandbox__/stats"
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            assert json.load(answer)["requests"] == 0
        # One that never shakes hands holds up nobody.
        place = urllib.parse.urlsplit(url)
        with (
            socket.create_connection((place.hostname, place.port)),
            urllib.request.urlopen(url, context=context, timeout=5) as answer,
        ):
            assert answer.status == 200


def test_a_taken_port_is_an_error_and_frees_the_other(tenant):
    with Sandbox(tenant) as first:
        taken = urllib.parse.urlsplit(first.instance_url).port
        second = Sandbox(tenant, ports=(0, taken))
        with pytest.raises(OSError):
            second.start()
        with pytest.raises(OSError):
            urllib.request.urlopen(second.public_url, timeout=1)


def test_control_counts_steers_and_resets(client, tenant):
    (orders,) = tenant.by_name("orders")
    path = f"/v1/datasets/{orders.id}"
    assert client.public(path).status == 200
    stats = client.control("stats").json
    assert stats["routes"] == {"dataset": 1, "token": 1}
    assert stats["connections"]["public"] == 2
    assert client.control("requests").json[-1][:3] == ["GET", path, 200]
    rules = {"rules": [{"kind": "503", "route": "^dataset$", "times": 1}], "latency_ms": 1}
    assert client.control("faults", rules).status == 200
    assert [client.public(path).status for _ in range(2)] == [503, 200]
    changes = [{"op": "rename", "dataset": orders.id, "name": "x"}]
    assert client.control("mutate", changes).status == 200
    assert client.public(path).json["name"] == "x"
    assert client.control("reset", {"data": True, "faults": True}).status == 200
    assert client.public(path).json["name"] == "orders"
    assert client.control("stats").json["requests"] == 1
    assert client.sandbox.settings.latency_ms == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"rules": [{"kind": "teapot"}]}),
        ("faults", {"colour": "red"}),
        ("mutate", {"op": "copy"}),
        ("mutate", {"op": "rename", "dataset": "unknown", "name": "x"}),
        ("mutate", {"op": "rename", "colour": "red"}),
        ("mutate", b"{"),
    ],
)
def test_mistakes_on_the_control_surface_are_400_and_explained(client, path, body):
    reply = client.control(path, body)
    assert (reply.status, bool(reply.json["message"])) == (400, True)


def test_control_knows_no_other_names(client):
    assert client.control("nonsense").status == 404
    assert client.control("faults", {"rate": 1.0, "rate_limit": 100}).status == 200
    assert client.sandbox.faults.rules


def test_the_log_keeps_no_secret(client):
    client.login(method="GET")
    client.public("/v1/datasets?limit=1")
    text = json.dumps([list(e) for e in client.sandbox.requests])
    assert "sandbox-secret" not in text
    assert "bearer" not in text.lower()
    assert "/v1/datasets?limit=1" in text


def start(tmp_path, *arguments):
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "metaglean_domo_sandbox", "--ready-file", str(ready)]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 20
    while not ready.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    return process, ready


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal(tmp_path, number):
    process, ready = start(tmp_path, "--datasets", "120", "--columns", "3")
    with process:
        facts = json.loads(ready.read_text())
        with urllib.request.urlopen(
            facts["public_url"] + "/__sandbox__/stats", timeout=5
        ) as answer:
            assert json.load(answer)["datasets"] == facts["datasets"] == 120
        process.send_signal(number)
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "not Domo" in output
    assert "never checked against a live tenant" in output
    assert facts["instance_url"] in output
    assert not ready.exists()


def test_print_env_is_for_a_shell(tmp_path):
    process, ready = start(tmp_path, "--print-env")
    with process:
        facts = json.loads(ready.read_text())
        process.terminate()
        output, _ = process.communicate(timeout=10)
    assert f"export DOMO_API_HOST={facts['public_url']}" in output
    assert all(line.startswith("export ") for line in output.splitlines())


def test_what_cannot_start_is_one_line_and_code_2(tmp_path):
    command = [sys.executable, "-m", "metaglean_domo_sandbox", "--tls", "no.pem", "no.pem"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=20, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_help_has_examples_and_bad_shares_are_refused(capsys):
    assert "examples:" in parser().format_help()
    with pytest.raises(SystemExit):
        parser().parse_args(["--fault-rate", "2"])
    assert "between 0 and 1" in capsys.readouterr().err


def test_large_tenants_start_quickly():
    start_time = time.process_time()
    with Sandbox(Tenant.scale(20_000, columns=20)):
        assert time.process_time() - start_time < 5
