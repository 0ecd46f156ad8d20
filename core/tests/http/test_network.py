"""TLS and proxies: what the environment says holds, and is read once."""

from __future__ import annotations

import base64
import gc
import logging
import select
import socket
import ssl
import threading
import warnings

import pytest
import trustme

from metaglean.errors import ConfigError
from metaglean.http import Unreachable
from metaglean.http.environment import Proxies

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ca")

    class Authority:
        good, other = folder / "good.pem", folder / "other.pem"
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    ca = trustme.CA()
    ca.cert_pem.write_to_path(Authority.good)
    trustme.CA().cert_pem.write_to_path(Authority.other)
    ca.issue_cert("127.0.0.1").configure_cert(Authority.server)
    Authority.wrong_name = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("other.test").configure_cert(Authority.wrong_name)
    return Authority


def test_explicit_ca_file_and_one_handshake(serve, connect, reply, authority):
    server = serve([reply({"a": 1})], authority.server)
    session = connect(server, verify=str(authority.good))
    for _ in range(10):
        assert session.get_json("/x") == {"a": 1}
    assert server.connections == 1


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_ca_of_the_environment(serve, connect, reply, authority, monkeypatch, name):
    monkeypatch.setenv(name, str(authority.good))
    server = serve([reply({})], authority.server)
    session = connect(server)
    assert session.get("/x").status == 200


def test_the_first_variable_wins_and_the_argument_before_it(
    serve, connect, reply, authority, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.good))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.other))
    server = serve([reply({})], authority.server)
    assert connect(server).get("/x").status == 200
    with pytest.raises(Unreachable):
        connect(server, verify=str(authority.other)).get("/x")


@pytest.mark.parametrize("known", [True, False])
def test_untrusted_certificate_is_not_retried(
    serve, connect, reply, authority, monkeypatch, clock, known
):
    if known:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.other))
    server = serve([reply({})], authority.server)
    session = connect(server)
    with pytest.raises(Unreachable, match=r"certificate of 127.0.0.1:.* isn't trusted") as caught:
        session.get("/x")
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert "caFile" in caught.value.hint
    assert clock.monotonic() == 0
    assert server.requests == []
    assert server.connections <= 1


def test_certificate_of_another_host(serve, connect, reply, authority):
    server = serve([reply({})], authority.wrong_name)
    with pytest.raises(Unreachable, match="isn't trusted"):
        connect(server, verify=str(authority.good)).get("/x")


def test_plain_server_behind_https(serve, connect, reply, authority, clock):
    server = serve([reply({})])
    session = connect(server.url.replace("http:", "https:"), verify=str(authority.good))
    with pytest.raises(Unreachable) as caught:
        session.get("/x")
    assert "TLS" in str(caught.value)


def test_verification_is_off_only_by_the_argument_and_says_so(
    serve, connect, reply, authority, caplog
):
    server = serve([reply({})], authority.server)
    with caplog.at_level(logging.WARNING):
        session = connect(server, verify=False)
    assert "NOT verified" in caplog.text
    assert session.get("/x").status == 200


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("name", ["missing.pem", f"{'x' * 5000}missing.pem"])
def test_missing_ca_file(connect, tmp_path, monkeypatch, explicit, name):
    path = str(tmp_path / name)
    if not explicit:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)
    with pytest.raises(ConfigError, match=r"missing\.pem.*doesn't exist"):
        connect("https://acme.test", verify=path if explicit else None)


def test_broken_ca_file(connect, tmp_path):
    path = tmp_path / "broken.pem"
    path.write_text("no certificate")
    with pytest.raises(ConfigError, match=r"broken\.pem.*can't be read"):
        connect("https://127.0.0.1:9", verify=str(path)).get("/x")


# -- proxies --------------------------------------------------------------------------------------


class Proxy:
    """A proxy on loopback: forwards CONNECT to where it is told, answers plain requests itself."""

    def __init__(self, target=None, login=None, status=b"200 OK"):
        self.target, self.login, self.status = target, login, status
        self.lines: list[str] = []
        self.logins: list[str] = []
        self._stopped = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                self._one(client)

    def _one(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        lines = head.decode().split("\r\n")
        self.lines.append(lines[0])
        self.logins += [line for line in lines if line.lower().startswith("proxy-authorization")]
        if not lines[0].startswith("CONNECT"):
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            return
        client.sendall(b"HTTP/1.1 " + self.status + b"\r\n\r\n")
        if self.status.startswith(b"200"):
            with socket.create_connection(("127.0.0.1", self.target)) as upstream:
                _copy(client, upstream, self._stopped)


def _copy(one, other, stopped):
    while not stopped.is_set():
        ready, _, _ = select.select([one, other], [], [], 0.02)
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


@pytest.fixture
def proxy():
    made = []

    def make(**options):
        made.append(Proxy(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_plain_proxy_of_the_environment(connect, proxy, monkeypatch, redactor, name):
    one = proxy()
    monkeypatch.delenv("REQUEST_METHOD", raising=False)
    monkeypatch.setenv(name, one.url.replace("//", "//me:canary-pw@"))
    session = connect("http://acme.test/api")
    monkeypatch.delenv(name)  # read once, when the session is made
    assert session.get_json("/x", a=1) == {}
    assert one.lines == ["GET http://acme.test/api/x?a=1 HTTP/1.1"]
    assert base64.b64encode(b"me:canary-pw").decode() in one.logins[0]
    assert redactor.clean("canary-pw") == "***"


def test_https_through_a_proxy(serve, connect, reply, authority, proxy, monkeypatch):
    server = serve([reply({"a": 1})], authority.server)
    one = proxy(target=server.port)
    monkeypatch.setenv("HTTPS_PROXY", one.url.replace("http://", "me:pw@"))
    session = connect(server, verify=str(authority.good))
    assert session.get_json("/x") == {"a": 1}
    assert session.get_json("/y") == {"a": 1}
    assert [line.rpartition(" ")[0] for line in one.lines] == [f"CONNECT 127.0.0.1:{server.port}"]
    assert len(one.logins) == 1


def test_explicit_proxies_overrule_the_environment(connect, proxy, monkeypatch):
    one, other = proxy(), proxy()
    monkeypatch.setenv("HTTP_PROXY", other.url)
    assert connect("http://acme.test", proxies={"http": one.url}).get("/x").status == 200
    assert one.lines
    assert other.lines == []


def test_no_proxy(serve, connect, reply, proxy, monkeypatch):
    one = proxy()
    server = serve([reply({})])
    monkeypatch.setenv("HTTP_PROXY", one.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    connect(server).get("/x")
    assert len(server.requests) == 1
    assert one.lines == []


@pytest.mark.parametrize(
    ("no", "host", "direct"),
    [
        ("acme.test", "acme.test", True),
        ("acme.test", "api.acme.test", True),
        (".acme.test, other.test", "api.acme.test", True),
        ("acme.test", "notacme.test", False),
        ("acme.test:8080", "acme.test", True),
        ("acme.test:81", "acme.test", False),
        ("*", "acme.test", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("", "acme.test", False),
    ],
)
def test_no_proxy_entries(no, host, direct):
    proxies = Proxies({"https": "proxy.test:3128", "no": no})
    found = proxies.lead_to("https", host, 8080)
    assert found == (None if direct else "http://proxy.test:3128")


def test_socks_is_refused(connect):
    session = connect("https://acme.test", proxies={"https": "socks5://127.0.0.1:9"})
    with pytest.raises(ConfigError, match="socks5"):
        session.get("/x")


def test_proxy_that_refuses_the_login(connect, proxy, authority, clock):
    one = proxy(status=b"407 Proxy Authentication Required")
    session = connect("https://acme.test", proxies={"https": one.url})
    with warnings.catch_warnings():
        # Python 3.10 leaves the socket of a refused tunnel to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(Unreachable, match="407"):
            session.get("/x")
        gc.collect()
    assert len(one.lines) == 1


def test_proxy_that_is_down(connect, free_port, clock):
    session = connect("http://acme.test", proxies={"http": f"http://127.0.0.1:{free_port}"})
    with pytest.raises(Unreachable, match="proxy can't be used"):
        session.get("/x")
    assert clock.monotonic() == pytest.approx(20, abs=0.1)


def test_close_closes_the_connections(serve, connect, reply):
    session = connect(serve([reply({"a": 1})]))
    session.get_json("/x")
    (manager,) = session._transport._managers.values()
    pool = manager.pools.get(next(iter(manager.pools.keys())))
    session.close()
    assert pool.pool is None
