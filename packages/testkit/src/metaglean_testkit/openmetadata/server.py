"""The running fake: a port, its tokens, its counters, and the hands of a test."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import unquote

from metaglean_testkit.openmetadata import seed
from metaglean_testkit.openmetadata.app import App
from metaglean_testkit.openmetadata.errors import MASK, Json
from metaglean_testkit.openmetadata.faults import Fault
from metaglean_testkit.openmetadata.policy import Person
from metaglean_testkit.openmetadata.wire import Answer, Listener, Request
from metaglean_testkit.openmetadata.world import secret

HOST = "127.0.0.1"


class Logged(NamedTuple):
    """A request that was answered. `status` 0: the connection was broken. No secret stands here."""

    method: str
    path: str  # below /api/v1, decoded
    query: str
    status: int
    body: Any


class Snapshot(NamedTuple):
    """A state, taken with `FakeServer.snapshot`."""

    state: Json
    denied: frozenset[tuple[str, str]]


class FakeServer:
    """An OpenMetadata server on loopback that isn't one. A context manager, or `start`, `stop`.

    `version` picks the behaviour (1.1 to 2.x). `tls` is a pair of PEM files (certificate, key), or
    true: a certificate is made (with `trustme`, which must be installed). `latency` is waited
    before each answer (seconds). `port` 0 means any. `keep_bodies` false leaves the bodies out of
    `requests`, which saves memory in long runs.

    Raises `ValueError` for a version that is none, `OSError` for a port that is taken.
    """

    def __init__(
        self,
        version: str = "1.2.0",
        *,
        tls: bool | tuple[str, str] = False,
        latency: float = 0.0,
        port: int = 0,
        keep_bodies: bool = True,
    ) -> None:
        self.app = App(version)
        self.latency = latency
        self.keep_bodies = keep_bodies
        self.faults: list[Fault] = []
        self.requests: list[Logged] = []
        self.counts: Counter[str] = Counter()
        self._ended = 0  # connections of listeners that are closed
        self.token = self.app.world.bot_token = self.token_for(seed.BOT)
        self.admin_token = self.token_for(seed.ADMIN)
        self._port = port
        self._tls = tls
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._context: ssl.SSLContext | None = None
        self.ca_file: str | None = None
        self._listener: Listener | None = None
        self._lock = threading.Lock()
        self._new: Snapshot | None = None

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> FakeServer:
        """Listen."""
        if self._tls and self._context is None:
            self._make_context()
        self.up()
        self.app.world.base = self.url
        self._new = self.snapshot()
        return self

    def stop(self) -> None:
        """Stop listening, for good."""
        self.down()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def up(self) -> None:
        """Listen (again), on the same port."""
        if self._listener is not None:
            return
        listener = Listener((HOST, self._port), self._handle, self._context)
        self._listener = listener
        self._port = listener.server_address[1]
        threading.Thread(
            target=listener.serve_forever, args=(0.02,), name="openmetadata", daemon=True
        ).start()

    def down(self) -> None:
        """Refuse connections and end those that are open; the state stays."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._ended += listener.connections
            listener.shutdown()
            listener.server_close()
            listener.close_connections()

    def __enter__(self) -> FakeServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_context(self) -> None:
        if isinstance(self._tls, tuple):
            certificate, key = self._tls
            self.ca_file = certificate
        else:
            import trustme

            self._folder = tempfile.TemporaryDirectory(prefix="openmetadata-")
            folder = Path(self._folder.name)
            authority = trustme.CA()
            own = authority.issue_cert(HOST, "localhost")
            self.ca_file = str(folder / "ca.pem")
            authority.cert_pem.write_to_path(self.ca_file)
            certificate = key = str(folder / "server.pem")
            own.private_key_and_cert_chain_pem.write_to_path(certificate)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    # -- what it tells ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """What a workflow calls `hostPort`: it ends in `/api`."""
        return f"{'https' if self._tls else 'http'}://{HOST}:{self._port}/api"

    @property
    def connections(self) -> int:
        """How many were opened so far."""
        return self._ended + (0 if self._listener is None else self._listener.connections)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def version(self) -> str:
        """As `/system/version` gives it."""
        return self.app.world.version

    def forget(self) -> None:
        """Empty `requests` and `counts`."""
        with self._lock:
            self.requests.clear()
            self.counts.clear()

    # -- the state ------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The whole state, for `restore`."""
        with self.app.lock:
            denied = frozenset(self.app.world.policy.denied)
            return Snapshot(self.app.world.state.dump(), denied)

    def restore(self, snapshot: Snapshot) -> None:
        """The state as it was then."""
        with self.app.lock:
            self.app.world.state.load(snapshot.state)
            self.app.world.policy.denied = set(snapshot.denied)

    def reset(self) -> None:
        """The state as at the start; counters and faults gone."""
        assert self._new is not None, "the server was never started"
        self.restore(self._new)
        self.faults.clear()
        self.forget()

    # -- hands ------------------------------------------------------------------------------------

    def token_for(self, person: Person | str) -> str:
        """A token for a user (one that isn't there yet is a person without rights of an admin)."""
        if isinstance(person, str):
            person = Person(person, bot=False, admin=False)
        claims = {"sub": person.name, "isBot": person.bot}
        parts = ({"alg": "RS256", "typ": "JWT"}, claims)
        encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts]
        token = ".".join([*(one.rstrip("=") for one in encoded), secrets.token_urlsafe(32)])
        self.app.tokens[token] = person
        return token

    def revoke(self, token: str) -> None:
        """From now on the token is refused."""
        self.app.tokens.pop(token, None)

    def deny(self, operation: str, kind: str = "all") -> None:
        """A rule that denies the bot an operation: `Delete`, `Create`, `EditAll`, `ViewAll`,
        `EditDisplayName`, … (on one kind of entity: `table`, …)."""
        self.app.world.policy.denied.add((operation, kind))

    def allow(self, operation: str, kind: str = "all") -> None:
        """Take such a rule back."""
        self.app.world.policy.denied.discard((operation, kind))

    def unknow(self, model: str, key: str) -> None:
        """From now on a model (`CreateTable`, `Column`, …) doesn't know a key: a server that is
        older than its version says."""
        self.app.world.models.forget(model, key)

    def fail(self, status: int | None = None, **options: Any) -> Fault:
        """Make a fault (see `Fault`), in force until it is taken out of `faults`."""
        fault = Fault(status, **options)
        self.faults.append(fault)
        return fault

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """A request past the socket, as the administrator unless a token is given: the answer's
        JSON. `path` begins below `/api/v1`. Raises `AssertionError` where it is refused."""
        status, answer = self.ask(method, path, body, token=token)
        assert status < 400, f"{method} {path}: {status} {answer}"
        return answer

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        """As `call`, with the status and without the assertion. Not logged, no faults."""
        patch = "json-patch+json" if method == "PATCH" else "json"
        headers = {
            "authorization": f"Bearer {token or self.admin_token}",
            "content-type": f"application/{patch}",
        }
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.app.answer(Request(method, f"/api/v1{path}", headers, data))
        return answer.status, json.loads(answer.body) if answer.body else None

    # -- requests ---------------------------------------------------------------------------------

    def _handle(self, request: Request) -> Answer | None:
        path = unquote(request.path).removeprefix("/api/v1")
        with self._lock:
            struck = [fault for fault in self.faults if fault.strikes(request.method, path)]
        for seconds in (self.latency, *(fault.delay for fault in struck)):
            if seconds:
                time.sleep(seconds)
        fault = next((one for one in struck if one.status is not None or one.drop), None)
        answer: Answer | None = None
        if fault is None or fault.after:
            answer = self.app.answer(request)
        if fault is not None:
            answer = None if fault.drop else _spoiled(fault)
        cut = next((one.cut for one in struck if one.cut is not None), None)
        if answer is not None and cut is not None:
            answer = Answer(answer.status, answer.body, answer.headers, answer.content_type, cut)
        self._log(request, path, 0 if answer is None else answer.status)
        return answer

    def _log(self, request: Request, path: str, status: int) -> None:
        body = _harmless(request.body) if self.keep_bodies and request.body else None
        query = unquote(request.target.partition("?")[2])
        entry = Logged(request.method, path, query, status, body)
        with self._lock:
            self.requests.append(entry)
            self.counts[request.method] += 1
            self.counts["all"] += 1


def _spoiled(fault: Fault) -> Answer:
    assert fault.status is not None
    if fault.body is not None:
        return Answer(fault.status, fault.body, fault.headers)
    message: Json = {"code": fault.status, "message": "made by a fault"}
    return Answer.of(fault.status, message, fault.headers)


def _harmless(body: bytes) -> Any:
    try:
        return _without_secrets(json.loads(body))
    except ValueError:
        return body.decode("utf-8", "replace")


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(one, str) and secret(key) else _without_secrets(one)
            for key, one in value.items()
        }
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value
