"""A gate on loopback between a sink and its server: it counts the calls, and spoils chosen ones."""

from __future__ import annotations

import http.client
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from metaglean_testkit.faults import TIMED_OUT, Answer, Request
from metaglean_testkit.proxy import FaultProxy

WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})
#: What may happen to a request: a status instead of an answer, or the connection dropped, before
#: the server has seen it; or, after it was carried out, no answer, half an answer, a 500, or an
#: answer that comes too late (where `metaglean_testkit.proxy.watching` watches).
BEFORE = ("429", "500", "503", "drop")
AFTER = ("drop after", "cut", "500 after", "late")
FAULTS = (*BEFORE, *AFTER[:3])
_PER_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})

Rule = Callable[[Request], str]


class Call(NamedTuple):
    """One call; `path` is decoded, below `/api/v1/` and without its query. `fault` is empty where
    it was answered by the server alone; `status` 0 where there was no answer."""

    method: str
    path: str
    status: int
    fault: str


class Gate:
    """A context manager. `rule` says what happens to a request: a word of `BEFORE` or `AFTER`, any
    status, or nothing (empty); `url` is what a workflow calls `hostPort`."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._address = (parts.hostname or "127.0.0.1", parts.port)
        self._proxy = FaultProxy(self._handle)
        self._threads = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self.rule: Rule = calm
        self.calls: list[Call] = []

    def __enter__(self) -> Gate:
        self._proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.stop()
        for connection in self._connections:
            connection.close()

    @property
    def url(self) -> str:
        return f"{self._proxy.url}/api"

    @property
    def faults(self) -> Counter[str]:
        return Counter(call.fault for call in self.calls if call.fault)

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.method in WRITES]

    def open(self) -> None:
        """No faults, and the calls so far forgotten."""
        self.rule = calm
        self.calls = []
        self._proxy.forget()

    def shut(self) -> None:
        """Connections are refused, and those that are open end."""
        self._proxy.stop()

    def shut_after(self, spared: int) -> None:
        """Shut once this many calls were let through."""
        if not spared:
            self.shut()
            return
        seen = 0

        def rule(_request: Request) -> str:
            nonlocal seen
            seen += 1
            if seen == spared + 1:
                threading.Thread(target=self.shut).start()
            return "drop" if seen > spared else ""

        self.rule = rule

    def reopen(self) -> None:
        """At another address."""
        self._proxy = FaultProxy(self._handle)
        self._proxy.__enter__()
        self.open()

    def _handle(self, request: Request) -> Answer:
        with self._lock:
            fault = self.rule(request)
        answer = _before(fault) if fault and fault not in AFTER else self._forward(request)
        if fault == "drop after":
            answer = Answer(0, cut="before")
        elif fault == "cut":
            answer = Answer(answer.status, answer.headers, answer.body, cut="inside")
        elif fault == "500 after":
            answer = _before("500")
        elif fault == "late":
            answer = Answer(504, {TIMED_OUT: "1"})
        with self._lock:
            self.calls.append(Call(request.method, path_of(request), answer.status, fault))
        return answer

    def _forward(self, request: Request) -> Answer:
        """The server's answer; where it doesn't answer, the connection is dropped."""
        for fresh in (False, True):
            connection = None if fresh else getattr(self._threads, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(*self._address, timeout=60)
                self._threads.connection = connection
                self._connections.append(connection)
            try:
                headers = {k: v for k, v in request.headers.items() if k.lower() not in _PER_HOP}
                headers["Accept-Encoding"] = "identity"
                connection.request(request.method, request.target, request.body or None, headers)
                response = connection.getresponse()
                return Answer(response.status, dict(response.getheaders()), response.read())
            except (http.client.HTTPException, OSError):
                connection.close()
                self._threads.connection = None
        return Answer(0, cut="before")


def calm(_request: Request) -> str:
    """Nothing happens."""
    return ""


def path_of(request: Request) -> str:
    return unquote(request.path).removeprefix("/api/v1/")


def at_random(share: float, seed: int, kinds: Iterable[str]) -> Rule:
    """This share of all requests, with these kinds in equal parts."""
    rng, chosen = random.Random(seed), tuple(kinds)

    def rule(_request: Request) -> str:
        return rng.choice(chosen) if rng.random() < share else ""

    return rule


def every(number: int, kind: str) -> Rule:
    """Each request whose number can be divided by this one."""
    seen = 0

    def rule(_request: Request) -> str:
        nonlocal seen
        seen += 1
        return kind if seen % number == 0 else ""

    return rule


def first(number: int, kind: str, *, spared: int = 0) -> Rule:
    """So many requests, after some that are spared."""
    seen = 0

    def rule(_request: Request) -> str:
        nonlocal seen
        seen += 1
        return kind if spared < seen <= spared + number else ""

    return rule


def to(method: str, path: str, kind: str) -> Rule:
    """All requests of this method whose path matches this expression from its start."""

    def rule(request: Request) -> str:
        return kind if request.method == method and re.match(path, path_of(request)) else ""

    return rule


def _before(fault: str) -> Answer:
    if fault == "drop":
        return Answer(0, cut="before")
    body = b'{"code": %s, "message": "the gate is shut"}' % fault.encode()
    return Answer(int(fault), {"Content-Type": "application/json"}, body)
