"""One exchange over a pooled connection, and the plain words for what can go wrong with it."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from urllib3 import PoolManager, ProxyManager, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    IncompleteRead,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import make_headers
from urllib3.util.ssl_match_hostname import CertificateError

from metaglean.http.environment import Proxies, authorities, tls_context
from metaglean.redaction import Redactor

__all__ = ["Answer", "Fault", "Pool", "Transport", "TransportError"]

_WIRE_LOG = logging.getLogger("urllib3.connectionpool")


class Fault(Enum):
    """How an exchange failed. REFUSED, NAME and PROXY: the system was not reached at all."""

    REFUSED = "refused"
    NAME = "name"
    PROXY = "proxy"
    PROXY_LOGIN = "proxy login"
    CERTIFICATE = "certificate"
    TLS = "tls"
    TIMEOUT = "time-out"
    DROPPED = "dropped"
    CUT = "cut"


class TransportError(Exception):
    """An exchange that ended without a whole answer; the message is in plain words."""

    def __init__(self, fault: Fault, words: str) -> None:
        super().__init__(words)
        self.fault = fault
        self.words = words


class Answer(NamedTuple):
    """What came back: `received` counts the bytes of the body on the wire."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    received: int


class Transport(Protocol):
    """What a session needs of the network; tests give their own."""

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: tuple[float, float],
    ) -> Answer:
        """Send and receive once. Raises TransportError."""

    def close(self) -> None:
        """Close all connections."""


class Pool:
    """Kept-alive connections, at most `connections` a host. Safe from any thread."""

    def __init__(
        self,
        connections: int,
        redactor: Redactor,
        verify: bool | str | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self._options: dict[str, Any] = {"num_pools": 8, "maxsize": connections, "block": True}
        self._proxies = Proxies(proxies)
        redactor.add(*self._proxies.secrets())
        authorities(verify)  # a missing file is told at once; reading it waits for the first https
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._managers: dict[str | None, PoolManager] = {}
        # url prefix -> the function that sends, and whether it wants the whole address
        self._routes: dict[str, tuple[Any, bool]] = {}
        # urllib3 writes every address, query included, into its debug log.
        self._filter = redactor.filter()
        _WIRE_LOG.addFilter(self._filter)

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: tuple[float, float],
    ) -> Answer:
        """Send and receive once. Raises TransportError."""
        slash = url.find("/", url.index("://") + 3)
        origin, target = (url, "/") if slash < 0 else (url[:slash], url[slash:])
        send, absolute = self._routes.get(origin) or self._route(origin)
        try:
            response = send(
                method,
                url if absolute else target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=Timeout(connect=timeout[0], read=timeout[1]),
                enforce_content_length=True,
            )
        except (HTTPError, OSError) as error:
            raise _translate(error, url, timeout) from error
        return Answer(response.status, response.headers, response.data, response.tell())

    def close(self) -> None:
        """Close all connections."""
        _WIRE_LOG.removeFilter(self._filter)
        for manager in self._managers.values():
            # urllib3 2 closes a pool that was taken out only once nobody holds it any more.
            for key in manager.pools.keys():  # noqa: SIM118 - its container can't be iterated
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
            manager.clear()
        self._routes.clear()

    def _route(self, origin: str) -> tuple[Any, bool]:
        parts = urlsplit(origin)
        proxy = self._proxies.lead_to(parts.scheme, parts.hostname or "", parts.port)
        with self._lock:
            if self._context is None and "https" in {parts.scheme, urlsplit(proxy or "").scheme}:
                self._context = tls_context(self._verify)
                for manager in self._managers.values():
                    manager.connection_pool_kw["ssl_context"] = self._context
            if proxy not in self._managers:
                self._managers[proxy] = self._manager(proxy)
            manager = self._managers[proxy]
            # A plain proxy wants the whole address, and the manager's own headers.
            absolute = proxy is not None and parts.scheme == "http"
            send = manager.urlopen if absolute else manager.connection_from_url(origin).urlopen
            return self._routes.setdefault(origin, (send, absolute))

    def _manager(self, proxy: str | None) -> PoolManager:
        if proxy is None:
            return PoolManager(ssl_context=self._context, **self._options)
        parts = urlsplit(proxy)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        return ProxyManager(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            proxy_headers=make_headers(proxy_basic_auth=login) if parts.username else None,
            proxy_ssl_context=self._context if parts.scheme == "https" else None,
            ssl_context=self._context,
            **self._options,
        )


def _translate(error: Exception, url: str, timeout: tuple[float, float]) -> TransportError:
    """The plain words for an exception of urllib3 or of a socket."""
    host = urlsplit(url).netloc
    causes = list(_causes(error))
    if isinstance(error, ProxyError):
        return _proxy(causes)
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None or isinstance(error, SSLError):
        unmatched = [cause for cause in causes if isinstance(cause, CertificateError)]
        return _tls(tls, host, str(unmatched[0]) if unmatched else "")
    unreached = _unreached(error, causes, host, timeout)
    if unreached is not None:
        return unreached
    if isinstance(error, (ReadTimeoutError, TimeoutError)):
        return TransportError(Fault.TIMEOUT, f"no answer within {timeout[1]:g} s")
    if any(isinstance(cause, (IncompleteRead, DecodeError)) for cause in causes):
        return TransportError(Fault.CUT, "the answer was cut off")
    return TransportError(Fault.DROPPED, f"the connection was dropped ({_words(causes[-1])})")


def _unreached(
    error: Exception, causes: list[BaseException], host: str, timeout: tuple[float, float]
) -> TransportError | None:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return TransportError(Fault.NAME, f"the name of {host} can't be resolved (DNS)")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return TransportError(Fault.REFUSED, f"{host} refuses the connection")
    # In urllib3 1.26 a failed connection is a ConnectTimeoutError as well.
    if isinstance(error, NewConnectionError):
        return TransportError(Fault.REFUSED, f"{host} can't be reached: {_words(causes[-1])}")
    if isinstance(error, ConnectTimeoutError):
        return TransportError(Fault.TIMEOUT, f"no connection to {host} within {timeout[0]:g} s")
    return None


def _proxy(causes: list[BaseException]) -> TransportError:
    said = " ".join(str(cause) for cause in causes)
    words = f"the proxy can't be used: {_words(causes[-1])}"
    if "Tunnel connection failed: 407" in said:
        return TransportError(Fault.PROXY_LOGIN, "the proxy refuses its user and password (407)")
    tunnel = next((str(cause) for cause in causes if "Tunnel" in str(cause)), "")
    if tunnel:
        return TransportError(Fault.PROXY, f"the proxy can't reach it: {tunnel.splitlines()[0]}")
    # urllib3 1.26 says ProxyError also where the connection broke after the request was sent.
    refused = any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in causes)
    return TransportError(Fault.PROXY if refused else Fault.DROPPED, words)


def _tls(error: ssl.SSLError | None, host: str, unmatched: str) -> TransportError:
    """`unmatched` is set where urllib3 itself found a certificate of another host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        unmatched = error.verify_message
    if unmatched:
        words = f"the certificate of {host} isn't trusted: {unmatched}"
        return TransportError(Fault.CERTIFICATE, words)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TransportError(Fault.DROPPED, "the connection was dropped (TLS)")
    reason = (error.reason if error else "") or "handshake failed"
    words = reason.replace("_", " ").lower()
    return TransportError(Fault.TLS, f"no TLS with {host}: {words}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those that it was made from, the innermost last."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        cause = queue.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            queue += [cause.__cause__, cause.__context__, *cause.args]
            queue.append(getattr(cause, "original_error", None))


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return (error.strerror or errno.errorcode.get(error.errno, type(error).__name__)).lower()
    text = str(error.args[0]) if error.args else ""
    return text or type(error).__name__
