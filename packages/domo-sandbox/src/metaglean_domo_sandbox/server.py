"""The running sandbox: two ports on loopback, one for each plane of Domo's API."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

from metaglean_domo_sandbox.app import App, Settings
from metaglean_domo_sandbox.data import Tenant
from metaglean_domo_sandbox.faults import Fault, FaultPlan
from metaglean_domo_sandbox.model import Json
from metaglean_domo_sandbox.routing import INSTANCE, PUBLIC
from metaglean_domo_sandbox.stats import Logged, Stats
from metaglean_domo_sandbox.wire import PlaneServer

HOST = "127.0.0.1"


class Sandbox:
    """A Domo API server on loopback. Use it as a context manager, or call `start` and `stop`.

    `public_url` stands for `https://api.domo.com`, `instance_url` for `https://<name>.domo.com`.
    `faults` are rules or a plan of them; `rate_limit` is requests a second and plane, above it
    429 with `Retry-After: 1`; `tls` names a certificate and a key file (PEM). `ports` 0 means any.
    The remaining arguments are those of `Settings`, which may be changed while it runs.

    Raises `OSError` where a port is taken or the certificate can't be read.
    """

    def __init__(
        self,
        tenant: Tenant | None = None,
        *,
        faults: FaultPlan | Iterable[Fault] = (),
        latency_ms: float = 0,
        rate_limit: int | None = None,
        tls: tuple[str, str] | None = None,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",
        access_token: str = "sandbox-access-token",
        scopes: Iterable[str] = ("data", "user", "dashboard"),
        expires_in: int = 3599,
        refuse_sort: bool = False,
        shifting: bool = False,
        ports: tuple[int, int] = (0, 0),
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.settings = Settings(
            client_id,
            client_secret,
            access_token,
            frozenset(scopes),
            expires_in,
            latency_ms,
            refuse_sort,
            shifting,
        )
        self.tenant = tenant or Tenant.demo()
        clocks = {} if clock is None else {"clock": clock}
        self.app = App(self.tenant, self.settings, _plan(faults), rate_limit, **clocks)
        self._context: ssl.SSLContext | None = None
        if tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
        self._ports = dict(zip((PUBLIC, INSTANCE), ports, strict=True))
        self._servers: dict[str, PlaneServer] = {}

    # -- life ------------------------------------------------------------------------------

    def start(self) -> Sandbox:
        """Listen on both ports."""
        self.app.stopping.clear()
        self.open_plane(PUBLIC)
        try:
            self.open_plane(INSTANCE)
        except OSError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Close the ports and all connections; calls that are being answered are cut off."""
        self.app.stopping.set()
        for plane in list(self._servers):
            self.close_plane(plane)

    def open_plane(self, plane: str) -> None:
        """Listen for this plane, on the port it had before."""
        if plane in self._servers:
            return
        server = PlaneServer((HOST, self._ports[plane]), self.app, plane, self._context)
        self._ports[plane] = server.server_address[1]
        self._servers[plane] = server
        threading.Thread(
            target=server.serve_forever, args=(0.02,), name=f"domo-{plane}", daemon=True
        ).start()

    def close_plane(self, plane: str) -> None:
        """Stop listening for this plane: connections are refused, those that are open end."""
        server = self._servers.pop(plane, None)
        if server is not None:
            server.shutdown()
            server.server_close()
            server.close_connections()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- what it tells ---------------------------------------------------------------------

    @property
    def public_url(self) -> str:
        """Base URL of the public plane, without a slash at the end."""
        return self._url(PUBLIC)

    @property
    def instance_url(self) -> str:
        """Base URL of the instance plane; paths start with `/api`."""
        return self._url(INSTANCE)

    def _url(self, plane: str) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://{HOST}:{self._ports[plane]}"

    @property
    def stats(self) -> Stats:
        """The counters."""
        return self.app.stats

    @property
    def requests(self) -> list[Logged]:
        """What was answered, in order: method, path, status, plane, route; never a secret."""
        return list(self.app.stats.log)

    def connection(self) -> Json:
        """All that a client needs, credentials (made-up ones) included."""
        return {
            "public_url": self.public_url,
            "instance_url": self.instance_url,
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            "access_token": self.settings.access_token,
        }

    # -- what may change while it runs -----------------------------------------------------

    @property
    def faults(self) -> FaultPlan:
        """The plan in force."""
        return self.app.plan

    @faults.setter
    def faults(self, value: FaultPlan | Iterable[Fault]) -> None:
        self.app.plan = _plan(value)

    def limit_rate(self, per_second: int | None) -> None:
        """Limit the requests a second and plane; `None` lifts the limit."""
        self.app.limit_rate(per_second)

    def expire_tokens(self) -> None:
        """All tokens given out so far are refused from now on, as after their time."""
        self.app.expire_tokens()


def _plan(value: FaultPlan | Iterable[Fault]) -> FaultPlan:
    return value if isinstance(value, FaultPlan) else FaultPlan(tuple(value))
