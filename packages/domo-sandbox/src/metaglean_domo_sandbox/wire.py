"""HTTP/1.1 on sockets: keep-alive, a thread a connection, one write an answer.

The standard library's handler parses headers with the e-mail package, which costs more than all
the rest of a request; this one reads what an HTTP client of today sends, and nothing else.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

from metaglean_domo_sandbox.routing import CONTROL, Request, Response, error

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App

_LONGEST_LINE = 65_536
_MOST_HEADERS = 100
_LARGEST_BODY = 16 * 1024 * 1024
#: A connection on which nothing comes for so long (seconds) is closed.
IDLE = 120.0


class BadRequest(Exception):
    """What came in isn't a request that this server reads; the connection is closed after 400."""


def read_request(stream: BinaryIO, plane: str) -> Request | None:
    """The next request of a connection, or `None` at its end. Raises `BadRequest`."""
    line = stream.readline(_LONGEST_LINE)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("not an HTTP/1 request line")
    headers = _headers(stream)
    if "transfer-encoding" in headers:
        raise BadRequest("chunked bodies are not supported")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST_BODY:
        raise BadRequest("bad Content-Length")
    body = stream.read(int(length)) if length != "0" else b""
    if parts[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    path, _, query = parts[1].partition("?")
    return Request(plane, parts[0], unquote(path), query, headers, body)


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = stream.readline(_LONGEST_LINE)
        if line in (b"\r\n", b"\n", b""):
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raise BadRequest("too many headers")


def render(answer: Response, close: bool) -> bytes:
    """The bytes of an answer, in one piece."""
    length = len(answer.body) if answer.announce is None else answer.announce
    head = [
        f"HTTP/1.1 {answer.status} Sandbox",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {length}",
    ]
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    if close:
        head.append("Connection: close")
    body = answer.body if answer.cut is None else answer.body[: answer.cut]
    return "\r\n".join((*head, "", "")).encode("latin-1") + body


class _Connection(socketserver.BaseRequestHandler):
    """One connection, until its end."""

    server: PlaneServer
    counted = False

    def handle(self) -> None:
        """Serve requests until the client goes, or the answer says close."""
        app, plane = self.server.app, self.server.plane
        with contextlib.suppress(OSError):
            if isinstance(self.request, ssl.SSLSocket):
                self.request.do_handshake()
            # Closed here: an open stream would keep the socket open behind its own close.
            with self.request.makefile("rb", 65_536) as stream:
                while not app.stopping.is_set() and self._serve(stream, app, plane):
                    pass

    def _serve(self, stream: BinaryIO, app: App, plane: str) -> bool:
        try:
            request = read_request(stream, plane)
        except BadRequest as problem:
            self.request.sendall(render(error(400, str(problem)), close=True))
            return False
        if request is None:
            return False
        if not self.counted and not request.path.startswith(CONTROL):
            # Now, not on accepting: a look at the counters is no connection of the client's.
            self.counted = True
            app.stats.opened(plane)
        answer = app.handle(request)
        if answer is None:
            self._reset()
            return False
        close = answer.cut is not None or request.headers.get("connection", "").lower() == "close"
        self.request.sendall(render(answer, close))
        return not close

    def finish(self) -> None:
        """The connection is at its end."""
        if self.counted:
            self.server.app.stats.closed(self.server.plane)

    def _reset(self) -> None:
        """Make the coming close a reset, so that the client sees a broken connection."""
        linger = struct.pack("ii", 1, 0)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.server.hard_close.add(self.request)


class PlaneServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens for one plane."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], app: App, plane: str, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(address, _Connection)
        self.app = app
        self.plane = plane
        self.tls = tls
        #: Sockets to be closed without the polite shutdown.
        self.hard_close: set[Any] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the TLS handshake is left to the connection's thread, so that a client that
        doesn't shake hands holds up nobody."""
        connection, address = self.socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(IDLE)
        if self.tls is not None:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.discard(request)
        if request in self.hard_close:
            self.hard_close.discard(request)
            request.close()
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        """End what is open, also in the middle of an answer."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
