"""HTTP/1.1 on sockets: keep-alive, a thread a connection, one write an answer."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote

_LONGEST_LINE = 65_536
_MOST_HEADERS = 100
#: A connection on which nothing comes for so long (seconds) is closed.
IDLE = 120.0


@dataclass(frozen=True)
class Request:
    """One request. `target` is as sent, still encoded."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @cached_property
    def path(self) -> str:
        """The path, still encoded."""
        return self.target.partition("?")[0]

    @cached_property
    def parts(self) -> list[str]:
        """The path's segments, decoded one by one: a name may hold a slash."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters; of equal ones the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """One answer. `cut` sends so many bytes of the body and closes."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json"
    cut: int | None = None

    @classmethod
    def of(cls, status: int, data: Any, headers: dict[str, str] | None = None) -> Answer:
        """JSON."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode("utf-8", "surrogatepass"), headers or {})

    def render(self, *, close: bool) -> bytes:
        """The bytes, in one piece."""
        head = [f"HTTP/1.1 {self.status} Status", f"Content-Length: {len(self.body)}"]
        if self.content_type is not None:
            head.append(f"Content-Type: {self.content_type}")
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        if close:
            head.append("Connection: close")
        body = self.body if self.cut is None else self.body[: self.cut]
        return "\r\n".join((*head, "", "")).encode("latin-1") + body


#: Answers a request, or `None` to break the connection.
Handler = Callable[[Request], Answer | None]


def read_request(stream: BinaryIO) -> Request | None:
    """The next request; `None` at the end, and for what is no HTTP/1.1 request of ours."""
    parts = stream.readline(_LONGEST_LINE).decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        return None
    headers: dict[str, str] = {}
    for _ in range(_MOST_HEADERS):
        line = stream.readline(_LONGEST_LINE)
        if line in {b"\r\n", b"\n", b""}:
            break
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", ""):
        return Request(parts[0], parts[1], headers, _chunks(stream))
    length = int(headers.get("content-length") or 0)
    return Request(parts[0], parts[1], headers, stream.read(length) if length else b"")


def _chunks(stream: BinaryIO) -> bytes:
    found = bytearray()
    while size := int(stream.readline(_LONGEST_LINE).split(b";")[0] or b"0", 16):
        found += stream.read(size)
        stream.readline(_LONGEST_LINE)
    stream.readline(_LONGEST_LINE)
    return bytes(found)


class _Connection(socketserver.BaseRequestHandler):
    """One connection, until its end."""

    server: Listener

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            if isinstance(self.request, ssl.SSLSocket):
                self.request.do_handshake()
            self.server.count_connection()
            with self.request.makefile("rb", 65_536) as stream:
                while self._serve(stream):
                    pass

    def _serve(self, stream: BinaryIO) -> bool:
        request = read_request(stream)
        if request is None:
            return False
        answer = self.server.handler(request)
        if answer is None:
            linger = struct.pack("ii", 1, 0)  # a reset: the client sees a broken connection
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.server.broken.add(self.request)
            return False
        close = answer.cut is not None or request.headers.get("connection", "").lower() == "close"
        self.request.sendall(answer.render(close=close))
        return not close


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on one port."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], handler: Handler, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(address, _Connection)
        self.handler = handler
        self.tls = tls
        self.connections = 0
        self.broken: set[Any] = set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def count_connection(self) -> None:
        """One more was opened (after its handshake)."""
        with self._lock:
            self.connections += 1

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the handshake is left to the connection's own thread."""
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
        if request in self.broken:
            self.broken.discard(request)
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
