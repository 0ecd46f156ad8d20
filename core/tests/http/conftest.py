"""A clock that runs as fast as the machine, and a server on loopback that does what a test says."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from metaglean.http import Session
from metaglean.redaction import Redactor

# Only a fallback: how long the clock waits for a participant that is blocked outside of it.
_STALLED = 0.05


class VirtualClock:
    """Waiting costs no time. With participants (threads), time moves when all of them wait."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._seconds = 0.0
        self._sleepers: list[float] = []
        self._participants = 0
        self._woken = False
        self.slept: list[float] = []

    def now(self) -> float:
        return 1_700_000_000.0 + self._seconds

    def monotonic(self) -> float:
        return self._seconds

    def wake(self) -> None:
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    @contextmanager
    def participant(self) -> Iterator[None]:
        self.join()
        try:
            yield
        finally:
            self.leave()

    def join(self) -> None:
        with self._condition:
            self._participants += 1

    def leave(self) -> None:
        with self._condition:
            self._participants -= 1
            self._advance()

    def sleep(self, seconds: float) -> None:
        with self._condition:
            if self._woken or seconds <= 0:
                return
            self.slept.append(seconds)
            until = self._seconds + seconds
            self._sleepers.append(until)
            self._advance()
            while self._seconds < until and not self._woken:
                before = self._seconds
                if not self._condition.wait(_STALLED) and before == self._seconds:
                    self._advance(stalled=True)
            if until in self._sleepers:
                self._sleepers.remove(until)

    def _advance(self, *, stalled: bool = False) -> None:
        if self._sleepers and (stalled or len(self._sleepers) >= self._participants):
            self._seconds = max(self._seconds, min(self._sleepers))
            # Who is due no longer counts as asleep, even before its thread has run.
            self._sleepers = [until for until in self._sleepers if until > self._seconds]
            self._condition.notify_all()


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    number: int  # from 0, over all requests of the server


@dataclass
class Reply:
    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False  # close the connection without an answer
    cut: int | None = None  # send so many bytes only, and close
    short: bool = False  # with `cut`: say that this is all (a cut that HTTP doesn't show)
    after: float = 0.0


class Server:
    """`answer` is a list of replies (the last one repeats) or a function of the request."""

    def __init__(self, answer: Any, tls: ssl.SSLContext | None, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._answer = answer
        self._lock = threading.Lock()
        handler = type("Bound", (Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler, False)
        self._server.request_queue_size = 64
        self._server.daemon_threads = True
        self._server.server_bind()
        self._server.server_activate()
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def reply(self, request: Request) -> Reply:
        with self._lock:
            request.number = len(self.requests)
            self.requests.append(request)
            if callable(self._answer):
                reply = self._answer(request)
            else:
                reply = self._answer[min(request.number, len(self._answer) - 1)]
        return reply if isinstance(reply, Reply) else Reply(reply)

    def connected(self) -> None:
        with self._lock:
            self.connections += 1

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    owner: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.owner.connected()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        reply = self.owner.reply(
            Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
                0,
            )
        )
        if reply.after:
            time.sleep(reply.after)
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        if reply.drop:
            self._reset()
            return
        headers = dict(reply.headers)
        body = reply.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if reply.short:
            body, reply.cut = body[: reply.cut], None
        self.send_response_only(reply.status)
        headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if reply.cut is None else body[: reply.cut])
        self.wfile.flush()
        if reply.cut is not None:
            self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


for _method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
    setattr(Handler, f"do_{_method}", Handler._serve)


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Any, tls: ssl.SSLContext | None = None, port: int = 0) -> Server:
        servers.append(Server(answer, tls, port))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def connect(clock: VirtualClock, redactor: Redactor) -> Iterator[Callable[..., Session]]:
    sessions: list[Session] = []

    def make(target: Server | str, **options: Any) -> Session:
        url = target if isinstance(target, str) else target.url
        options = {"clock": clock, "redactor": redactor, "timeout": (1.0, 0.5), **options}
        sessions.append(Session(options.pop("name", "Acme"), url, **options))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
