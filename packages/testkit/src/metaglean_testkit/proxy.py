"""`FaultProxy`: stands between a source and the author's own API, and spoils chosen answers."""

from __future__ import annotations

import contextlib
import http.client
import io
import random
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

from metaglean_testkit.clock import VirtualClock
from metaglean_testkit.faults import TIMED_OUT, Answer, Fault, Request

Handler = Callable[[Request], Answer]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_PER_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
_CROWD = 8


@dataclass(frozen=True)
class Call:
    """One call of an undisturbed run: the request, its route, and the answer."""

    request: Request
    route: str
    answer: Answer


@dataclass
class Aim:
    """Spoils every answer to `request` (`once`: only the first), which follows `previous`.

    `detail` says that the call is one of many alike, for one item each.
    """

    fault: Fault
    request: Request
    previous: Answer | None = None
    once: bool = False
    detail: bool = False
    hits: int = 0


class FaultProxy:
    """A server on loopback in front of `upstream`; use it as a context manager.

    `upstream` is a base URL, a WSGI application, or a function from `Request` to `Answer`. `url` is
    the proxy's base URL, with the path of the upstream's. `calls` are those since `forget`.
    """

    def __init__(self, upstream: str | Wsgi | Handler, *, wsgi: bool = False) -> None:
        self._prefix = ""
        if isinstance(upstream, str):
            self._prefix = urlsplit(upstream).path.rstrip("/")
            self._answer: Handler = _Remote(upstream)
        elif wsgi:
            self._answer = _Local(upstream)  # type: ignore[arg-type]  # `wsgi` says which it is
        else:
            self._answer = upstream  # type: ignore[assignment]  # as above
        self.calls: list[Call] = []
        self.spoiled = 0
        self._aim: Aim | None = None
        self._at_random: tuple[int, float, Sequence[Fault]] | None = None
        self._asked: Counter[Request] = Counter()
        self._spared: Request | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}{self._prefix}"

    def __enter__(self) -> FaultProxy:
        self._server = _server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Listen no more: whoever asks is refused, at the same `url`. May be called twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _shut(connection)
        if isinstance(self._answer, _Remote):
            self._answer.close()

    def forget(self) -> None:
        """Drop the calls and faults so far: answers are passed on as they are."""
        with self._lock:
            self.calls = []
            self.spoiled = 0
            self._aim = self._at_random = None
            self._asked.clear()

    def aim(self, aim: Aim) -> None:
        """Spoil one call from now on."""
        self.forget()
        self._aim = aim

    def at_random(
        self,
        faults: Sequence[Fault],
        *,
        share: float = 0.1,
        seed: int = 0,
        spared: Request | None = None,
    ) -> None:
        """Spoil a share of all answers. What becomes of a call follows from the seed, the request
        and how often it came, so that equal seeds give equal faults, whatever the threads do.
        `spared` is answered well.
        """
        self.forget()
        self._at_random = (seed, share, faults)
        self._spared = spared

    def handle(self, request: Request) -> Answer:
        """The answer to one request, spoiled where it is due."""
        answer = self._answer(request)
        with self._lock:
            self.calls.append(Call(request, route_of(request), answer))
            fault, previous, seed = self._due(request)
            worse = fault.spoil(answer, previous, seed) if fault else None
            if worse is None:
                return answer
            self.spoiled += 1
            return worse

    def opened(self, connection: socket.socket) -> None:
        """A client connected; what is still open at the end is closed with the proxy."""
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def _due(self, request: Request) -> tuple[Fault | None, Answer | None, int]:
        aim = self._aim
        if aim and request == aim.request and not (aim.once and aim.hits):
            aim.hits += 1
            return aim.fault, aim.previous, len(request.target)
        if self._at_random and request != self._spared:
            seed, share, faults = self._at_random
            self._asked[request] += 1
            call = f"{request.method} {request.target} {request.body!r}"
            rng = random.Random(f"{seed} {self._asked[request]} {call}")
            if rng.random() < share:
                return rng.choice(faults), None, seed
        return None, None, 0


@contextlib.contextmanager
def watching(clock: VirtualClock) -> Iterator[None]:
    """Let `clock` know of all answers that clients in this process wait for, and turn those marked
    as timed out into read time-outs, which take the client's time-out on this clock."""
    genuine = http.client.HTTPConnection.getresponse

    def getresponse(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        with clock.busy():
            response = genuine(connection)
        if response.headers.get(TIMED_OUT):
            response.close()
            connection.close()
            waited = connection.timeout
            clock.sleep(float(waited) if isinstance(waited, (int, float)) else 60.0)
            raise TimeoutError("timed out")
        return response

    with mock.patch.object(http.client.HTTPConnection, "getresponse", getresponse):
        yield


def route_of(request: Request) -> str:
    """The kind of call: method and path, with segments that look like ids written as `*`."""
    segments = [unquote(segment) for segment in request.path.split("/")]
    plain = ["*" if _is_id(segment) else segment for segment in segments]
    return f"{request.method} {'/'.join(plain)}"


def _is_id(segment: str) -> bool:
    return bool(re.search(r"\d|[^\w.-]", segment)) and not re.fullmatch(r"v\d+", segment)


def by_route(calls: Iterable[Call]) -> dict[str, list[Call]]:
    """Distinct calls by route, in a fixed order: those of one path, the pages of a listing, as they
    came, the others by their path. Where many routes differ in their last segment only, that
    segment is an id, too."""
    distinct = {(c.request.method, c.request.target, c.request.body): c for c in calls}
    routes: dict[str, list[Call]] = {}
    for call in distinct.values():
        routes.setdefault(call.route, []).append(call)
    crowds: dict[str, list[str]] = {}
    for route in routes:
        crowds.setdefault(route.rpartition("/")[0], []).append(route)
    for base, crowd in crowds.items():
        if len(crowd) > _CROWD:
            routes[f"{base}/*"] = [call for route in crowd for call in routes.pop(route)]
    return {route: _ordered(routes[route]) for route in sorted(routes)}


def _ordered(calls: list[Call]) -> list[Call]:
    pages = len({call.request.path for call in calls}) == 1
    return calls if pages else sorted(calls, key=_order)


def _order(call: Call) -> tuple[list[tuple[int, str]], bytes]:
    """By target, its numbers as numbers (page 10 after page 2)."""
    parts = re.split(r"(\d+)", call.request.target)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts], call.request.body


class _Remote:
    """Passes requests on to a base URL, over a connection kept for each thread."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def __call__(self, request: Request) -> Answer:
        for again in (True, False):
            try:
                return self._once(request)
            except (http.client.HTTPException, OSError):
                self._local.connection = None
                if not again:
                    raise
        raise AssertionError("unreachable")

    def _once(self, request: Request) -> Answer:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
            self._local.connection = connection
            self._connections.append(connection)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _PER_HOP}
        headers["Accept-Encoding"] = "identity"
        connection.request(request.method, request.target, request.body or None, headers)
        response = connection.getresponse()
        body = response.read()
        kept = {k: v for k, v in response.getheaders() if k.lower() not in _PER_HOP}
        return Answer(response.status, kept, body)


class _Local:
    """Answers with a WSGI application, in this process."""

    def __init__(self, application: Wsgi) -> None:
        self._application = application

    def __call__(self, request: Request) -> Answer:
        path, _, query = request.target.partition("?")
        environ = {
            "REQUEST_METHOD": request.method, "SCRIPT_NAME": "", "PATH_INFO": unquote(path),
            "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body), "wsgi.errors": sys.stderr,
            "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(request.body)),
        }  # fmt: skip
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        started: list[Any] = []
        chunks = self._application(environ, lambda *args: started.append(args))
        body = b"".join(chunks)
        status, headers = started[0][:2]
        return Answer(int(status.split()[0]), dict(headers), body)


def _server(proxy: FaultProxy) -> ThreadingHTTPServer:
    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 65536

        def handle_one_request(self) -> None:
            with contextlib.suppress(ConnectionError, TimeoutError):
                super().handle_one_request()
                return
            self.close_connection = True

        def setup(self) -> None:
            super().setup()
            proxy.opened(self.connection)

        def finish(self) -> None:
            proxy.closed(self.connection)
            with contextlib.suppress(OSError):
                super().finish()

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._respond
            raise AttributeError(name)

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else b""
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            _send(self, proxy.handle(request))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's word
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    return Server(("127.0.0.1", 0), Connection)


def _send(connection: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Write an answer; one that is cut ends with a dropped connection."""
    if answer.cut == "before":
        _drop(connection)
        return
    connection.send_response(answer.status)
    for name, value in answer.headers.items():
        if name.lower() not in _PER_HOP:
            connection.send_header(name, value)
    connection.send_header("Content-Length", str(len(answer.body)))
    connection.end_headers()
    inside = answer.cut == "inside"
    if connection.command != "HEAD":
        connection.wfile.write(answer.body[: len(answer.body) // 2] if inside else answer.body)
    connection.wfile.flush()
    if inside:
        _drop(connection)


def _drop(connection: BaseHTTPRequestHandler) -> None:
    connection.close_connection = True
    _shut(connection.connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
