"""Calls to one system: pooled, retried, paced, authenticated, counted and redacted."""

from __future__ import annotations

import json as jsonlib
import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from metaglean.clock import Clock
from metaglean.errors import ConfigError
from metaglean.http.auth import Auth, Basic
from metaglean.http.caller import Call, Caller
from metaglean.http.rate import Governor
from metaglean.http.response import Response, Verdict
from metaglean.http.retry import Health
from metaglean.http.stats import SystemStats
from metaglean.http.transport import Pool, Transport
from metaglean.quota import Quota
from metaglean.redaction import Redactor

__all__ = ["Session"]

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_HEADERS = {
    "User-Agent": "metaglean",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
}
_UNSAFE = re.compile(r"[^!#$%&'()*+,\-./:;=?@\[\]_~0-9A-Za-z]")
_SAFE = "!#$%&'()*+,-./:;=?@[]_~"


class Session:
    """All calls to one system. Safe from any thread.

    `name` is the system's name in messages and in the report. `base_url` without a scheme is
    https; user and password in it are HTTP Basic. `workers` + 1 is the most connections a host.
    `verify` is None for the environment's certificate authorities (else certifi's), the path of a
    CA file, or False, which is unsafe and warned of. `proxies` (scheme -> URL) overrules the
    environment. `timeout` is (connect, read) in seconds. `requests_per_second` fixes the rate,
    which is otherwise found out; a `governor` is shared with other sessions. `quota` counts the
    requests, and says when there are no more. `classify` says what an answer means where its
    status doesn't: it gets each answer, and returns a `Verdict` or None.

    Calls raise NotFound (404, 410), AccessDenied (403), ItemError (other statuses, and spent
    retries), UnexpectedBody, CredentialsRefused, Unreachable and LimitReached (which end the run).
    Connection errors, 408, 425, 429 and 5xx are tried again for idempotent calls: at most 6
    attempts or 120 s.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        clock: Clock,
        redactor: Redactor,
        auth: Auth | None = None,
        workers: int = 8,
        stats: SystemStats | None = None,
        log: logging.Logger | None = None,
        verify: bool | str | None = None,
        proxies: Mapping[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        headers: Mapping[str, str] | None = None,
        requests_per_second: float | None = None,
        governor: Governor | None = None,
        quota: Quota | None = None,
        classify: Callable[[Response], Verdict | None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.redactor = redactor
        self.stats = stats or SystemStats(name)
        self.base_url, login = _address(name, base_url)
        log = log or logging.getLogger("metaglean")
        if verify is False:
            log.warning("%s: the server's certificate is NOT verified", name)
        self._headers = {**_HEADERS, **(headers or {})}
        rng = random.Random(name)  # jitter must differ between workers, not between runs
        self._transport = transport or Pool(workers + 1, redactor, verify, proxies)
        self._auth = auth or (Basic(*login) if login else None)
        self._caller = Caller(
            name,
            clock=clock,
            redactor=redactor,
            stats=self.stats,
            log=log,
            transport=self._transport,
            timeout=timeout,
            auth=self._auth,
            classify=classify,
            governor=governor or Governor(clock, requests_per_second),
            quota=quota,
            health=Health(name, urlsplit(self.base_url).netloc, clock, rng),
            rng=rng,
        )
        if self._auth:
            self._auth.attach(self)

    # -- calls ----------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        data: bytes | str | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        timeout: tuple[float, float] | None = None,
        authenticated: bool = True,
        expect_json: bool = False,
    ) -> Response:
        """Call the system and return its good (2xx) answer.

        `path` is below the base URL, its segments quoted by the caller; a whole address is taken
        too, and gets credentials only where it is of the same origin. In `params`, None is left
        out, booleans are `true` and `false`, lists repeat the name. `idempotent=True` marks a
        POST that may be sent twice (a query). A cut answer to an idempotent call is retried where
        its content type is JSON or, with `expect_json`, where it looks like JSON.
        """
        url = self._url(path, params)
        shown = self.redactor.url(url.removeprefix(self.base_url).partition("?")[0]) or "/"
        sent = dict(self._headers)
        body = _body(json, data, sent)
        if headers:
            sent.update(headers)
        call = Call(
            method=method,
            url=url,
            path=shown,
            where=f"{self.name}: {method} {shown}",
            headers=sent,
            body=body,
            idempotent=method in _IDEMPOTENT if idempotent is None else idempotent,
            authenticated=authenticated and self.owns(url),
            timeout=timeout,
            is_json=expect_json,
        )
        return self._caller.perform(call)

    def get(self, path: str, **options: Any) -> Response:
        """`request("GET", ...)`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """`request("POST", ...)`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """`request("PUT", ...)`."""
        return self.request("PUT", path, **options)

    def get_json(self, path: str, /, **params: Any) -> Any:
        """The parsed JSON of a GET. Raises UnexpectedBody where the answer is something else."""
        response = self.request("GET", path, params=params, expect_json=True)
        try:
            return response.parse()
        except ValueError as error:
            raise response.unexpected("JSON", self.redactor.url) from error

    def stop(self) -> None:
        """Send nothing any more; who waits stops within a second, or at once by
        `clock.wake()`."""
        self._caller.stopped = True

    def close(self) -> None:
        """Stop, and close all connections."""
        self.stop()
        self._transport.close()

    def owns(self, url: str) -> bool:
        """Whether a whole address is of this system: only there go its credentials."""
        if url.startswith(self.base_url + "/"):
            return True
        ours, other = urlsplit(self.base_url), urlsplit(url)
        return (ours.scheme, ours.netloc) == (other.scheme, other.netloc)

    def _url(self, path: str, params: Params | None) -> str:
        if not path.startswith(("https://", "http://")):
            path = f"{self.base_url}/{path.removeprefix('/')}"
        if _UNSAFE.search(path):
            path = quote(path, safe=_SAFE)
        query = _query(params) if params else ""
        return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _address(name: str, base_url: str) -> tuple[str, tuple[str, str] | None]:
    """The base URL without credentials and final slash, and the credentials."""
    url = base_url.strip() if "://" in base_url else f"https://{base_url.strip()}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ConfigError(
            f"{name}: the address is no http(s) address",
            "Write it as https://host or https://host:port/path.",
        )
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    netloc = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}", login if parts.username else None


def _query(params: Params) -> str:
    pairs = params.items() if isinstance(params, Mapping) else params
    flat: list[tuple[str, str]] = []
    for name, value in pairs:
        several = value if isinstance(value, (list, tuple, set, frozenset)) else (value,)
        flat += [(name, _plain(item)) for item in several if item is not None]
    return urlencode(flat)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(json: Any, data: bytes | str | Params | None, headers: dict[str, str]) -> bytes | None:
    """The body to send; sets its content type."""
    if json is not None:
        headers["Content-Type"] = "application/json"
        return jsonlib.dumps(json, separators=(",", ":"), ensure_ascii=False).encode()
    if data is None or isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return _query(data).encode()
