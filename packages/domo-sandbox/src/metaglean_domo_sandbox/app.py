"""The application: checks credentials, injects faults, finds the handler, counts."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from metaglean_domo_sandbox import faults as f
from metaglean_domo_sandbox.areas import ROUTES
from metaglean_domo_sandbox.control import control
from metaglean_domo_sandbox.data import Tenant
from metaglean_domo_sandbox.model import dumps
from metaglean_domo_sandbox.routing import (
    CONTROL,
    INSTANCE,
    PUBLIC,
    Answer,
    Request,
    Response,
    Route,
    Router,
    error,
)
from metaglean_domo_sandbox.stats import Logged, Stats

#: A route and the values of its path.
Found = tuple[Route, tuple[str, ...]] | None

_UNAUTHORISED = "UnauthorizedException: Full authentication is required to access this resource"


@dataclass(slots=True)
class Settings:
    """How the server behaves. All may be changed while it runs.

    `scopes` are those the client owns: a token gets the asked ones that are among them.
    `refuse_sort` answers 400 to a sorted listing; `shifting` moves one dataset to the front of the
    unsorted listing at each page, so that pages repeat some and miss others.
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    access_token: str = "sandbox-access-token"
    scopes: frozenset[str] = frozenset({"data", "user", "dashboard"})
    expires_in: int = 3599
    latency_ms: float = 0.0
    refuse_sort: bool = False
    shifting: bool = False


class App:
    """What the server's connections call; thread-safe."""

    def __init__(
        self,
        tenant: Tenant,
        settings: Settings,
        plan: f.FaultPlan,
        rate_limit: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tenant = tenant
        self.original = tenant.copy()
        self.settings = settings
        self.stats = Stats()
        self.plan = plan
        self.clock = clock
        #: Set when the server stops: it ends what sleeps.
        self.stopping = threading.Event()
        #: Unsorted pages served, see `Settings.shifting`.
        self.shifts = 0
        self._router = Router(ROUTES)
        self._tokens: dict[str, tuple[float, frozenset[str]]] = {}
        self._limits: dict[str, f.RateLimit] = {}
        self._lock = threading.Lock()
        self._count = 0
        self.limit_rate(rate_limit)

    def limit_rate(self, per_second: int | None) -> None:
        """Limit each plane to so many requests in any second; `None` lifts the limit."""
        if per_second is not None and per_second < 1:
            raise ValueError("a rate limit is at least 1 request a second")
        planes = () if per_second is None else (PUBLIC, INSTANCE)
        self._limits = {plane: f.RateLimit(per_second or 1) for plane in planes}

    # -- tokens ----------------------------------------------------------------------------

    def issue(self, scopes: frozenset[str]) -> str:
        """A new token, of the form of a JWT; its signature means nothing."""
        with self._lock:
            self._count += 1
            number = self._count
        expires = self.clock() + self.settings.expires_in
        claims = {
            "exp": int(expires),
            "customer": self.tenant.customer,
            "userId": 101,
            "scope": sorted(scopes),
            "jti": f"sandbox-{number}",
        }
        parts = [_base64(dumps({"alg": "RS256", "typ": "JWT"})), _base64(dumps(claims))]
        signature = _base64(hashlib.sha256(".".join(parts).encode()).digest())
        token = ".".join((*parts, signature))
        self._tokens[token] = (expires, scopes)
        return token

    def expire_tokens(self) -> None:
        """All tokens given out so far are refused from now on."""
        self._tokens = {token: (0.0, scopes) for token, (_, scopes) in self._tokens.items()}

    # -- one request -----------------------------------------------------------------------

    def handle(self, request: Request) -> Response | None:
        """The answer, or `None` for dropping the connection."""
        if request.path.startswith(CONTROL):
            return control(self, request)
        found = self._router.find(request)
        request.route = found[0].name if found else "unknown"
        try:
            answer = self._answer(request, found)
        except Answer as ending:
            answer = ending.response
        status = 0 if answer is None else answer.status
        self.stats.answered(
            Logged(request.method, request.target, status, request.plane, request.route)
        )
        return answer

    def _answer(self, request: Request, found: Found) -> Response | None:
        if self.settings.latency_ms:
            self.stopping.wait(self.settings.latency_ms / 1000)
        limit = self._limits.get(request.plane)
        if limit is not None and not limit.allows():
            self.stats.refused()
            return error(429, "Too many requests", Retry_After="1")
        fault = self.plan.pick(request)
        if fault is None:
            return self._serve(request, found)
        self.stats.fault(fault.kind)
        if fault.kind in ("timeout", "slow"):
            self.stopping.wait(fault.seconds)
        if fault.kind in ("timeout", "drop"):
            return None
        if fault.kind == "duplicate-page":
            f.redirect_page(request)
        replacement = f.instead(fault)
        return replacement or f.damage(fault, self._refusal_or(request, found))

    def _refusal_or(self, request: Request, found: Found) -> Response:
        """The real answer, also where a handler raised it."""
        try:
            return self._serve(request, found)
        except Answer as ending:
            return ending.response

    def _serve(self, request: Request, found: Found) -> Response:
        self._check_credentials(request, found[0].scope if found else "")
        if found is None:
            return error(404, "Not Found")
        return found[0].handler(self, request, *found[1])

    def _check_credentials(self, request: Request, scope: str) -> None:
        if request.plane == PUBLIC:
            if "x-domo-developer-token" in request.headers:
                self._violation("The developer token belongs to the instance, not to this host")
            if request.path != "/oauth/token":
                self._check_bearer(request, scope)
            return
        if "authorization" in request.headers:
            self._violation("The bearer token belongs to the API host, not to the instance")
        given = request.headers.get("x-domo-developer-token")
        if given != self.settings.access_token:
            raise Answer(error(401, _UNAUTHORISED))

    def _check_bearer(self, request: Request, scope: str) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        known = self._tokens.get(token.strip())
        if kind.lower() != "bearer" or known is None:
            challenge = 'Bearer error="invalid_token", error_description="Cannot convert token"'
            raise Answer(error(401, _UNAUTHORISED, WWW_Authenticate=challenge))
        expires, scopes = known
        if self.clock() >= expires:
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
            text = f"An error occurred while attempting to decode the Jwt: Jwt expired at {when}"
            challenge = f'Bearer error="invalid_token", error_description="{text}"'
            raise Answer(error(401, "Unauthorized", WWW_Authenticate=challenge))
        if scope and scope not in scopes:
            raise Answer(error(403, "Access denied"))

    def _violation(self, message: str) -> None:
        self.stats.violated()
        raise Answer(error(400, message))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
