"""How a session proves who it is."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from metaglean.errors import ItemError
from metaglean.http.response import CredentialsRefused, Response, UnexpectedBody

if TYPE_CHECKING:
    from metaglean.http.session import Session

__all__ = ["Auth", "Basic", "Bearer", "ClientCredentials", "Header"]

_MARGIN = 60.0  # seconds before its end at which a token is renewed, at most a tenth of its life
_UNKNOWN_LIFE = 3600.0


class Auth:
    """Base of all ways to authenticate; an own one overrides what it needs."""

    def attach(self, session: Session) -> None:
        """Called once by the session: register secrets with `session.redactor` here."""

    def headers(self) -> Mapping[str, str]:
        """The headers that authenticate a request; asked for each one."""
        return {}

    def renew(self) -> bool:
        """Get new credentials after a refusal (401); False where there are none to get."""
        return False


class Header(Auth):
    """A fixed token in a header of its own."""

    def __init__(self, name: str, token: str) -> None:
        self._secrets: tuple[str, ...] = (token,)
        self._headers = {name: token}

    def attach(self, session: Session) -> None:
        """Register the token as a secret."""
        session.redactor.add(*self._secrets)

    def headers(self) -> Mapping[str, str]:
        """The token's header."""
        return self._headers


class Bearer(Header):
    """A fixed token as `Authorization: Bearer`."""

    def __init__(self, token: str) -> None:
        super().__init__("Authorization", f"Bearer {token}")
        self._secrets = (token,)


class Basic(Header):
    """User and password as HTTP Basic (UTF-8)."""

    def __init__(self, user: str, password: str) -> None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        super().__init__("Authorization", f"Basic {pair}")
        self._secrets = (pair, password)


class ClientCredentials(Auth):
    """OAuth 2 client credentials (RFC 6749, 4.4), renewed before they expire and once on 401.

    The token is asked for at the first request, with HTTP Basic, through the same session (its
    retries, rate and proxies). `settings` are the names of the two settings as users write them,
    for messages. `grant` is the last token answer without the token itself: scope, expires_in and
    whatever else the system says there. Errors: CredentialsRefused where the pair is refused.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        *,
        method: Literal["POST", "GET"] = "POST",
        settings: tuple[str, str] = ("clientId", "clientSecret"),
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._url = token_url
        self._basic = Basic(client_id, client_secret)
        self._form = {"grant_type": "client_credentials", **(extra or {})}
        if scope:
            self._form["scope"] = scope
        self._method = method
        self._settings = settings
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._current: Mapping[str, str] | None = None
        self._renew_at = 0.0
        self.grant: dict[str, Any] = {}

    def attach(self, session: Session) -> None:
        """Use the session for token requests."""
        self._session = session
        self._basic.attach(session)

    def headers(self) -> Mapping[str, str]:
        """The bearer header, with a token that is still good."""
        known = self._current
        return self._valid() or self._fetch(known)

    def renew(self) -> bool:
        """Get a new token, whatever the old one's life."""
        self._fetch(self._current)
        return True

    def _valid(self) -> Mapping[str, str] | None:
        current, session = self._current, self._session
        if current is None or session is None or session.clock.monotonic() >= self._renew_at:
            return None
        return current

    def _fetch(self, known: Mapping[str, str] | None) -> Mapping[str, str]:
        """A token newer than `known`: one thread asks, the others wait for its answer."""
        session = self._session
        if session is None:
            raise CredentialsRefused("client credentials were used without a session")
        with self._lock:
            current = self._current
            if current is not None and current is not known:
                return current
            asked = session.clock.monotonic()
            token, grant = self._ask(session)
            session.redactor.add(token)
            life = _seconds(grant.get("expires_in"))
            self.grant = grant
            self._renew_at = asked + life - min(_MARGIN, life / 10)
            self._current = {"Authorization": f"Bearer {token}"}
            return self._current

    def _ask(self, session: Session) -> tuple[str, dict[str, Any]]:
        form = self._form
        try:
            response = session.request(
                self._method,
                self._url,
                params=form if self._method == "GET" else None,
                data=form if self._method == "POST" else None,
                headers=self._basic.headers(),
                idempotent=True,
                authenticated=False,
            )
        except (CredentialsRefused, ItemError) as error:
            raise self._refusal(session, error) from error
        return self._token(session, response)

    def _refusal(self, session: Session, error: CredentialsRefused | ItemError) -> Exception:
        status = 401 if isinstance(error, CredentialsRefused) else error.status
        if status not in {400, 401, 403}:
            return error
        names = " or ".join(self._settings)
        asked = self._form.get("scope")
        scope = f", and that it owns the scope {asked!r}" if asked else ""
        return CredentialsRefused(
            f"{session.name} refuses {names}: the token request was answered {status}",
            f"Check {names}: the client must exist and its secret be its current one{scope}.",
        )

    def _token(self, session: Session, response: Response) -> tuple[str, dict[str, Any]]:
        try:
            body = response.json()
        except UnexpectedBody:
            body = None
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            raise CredentialsRefused(
                f"{session.name} gave no access token: the token request was answered "
                f"{response.status} without one",
                f"Check that the host is the right one for {' and '.join(self._settings)}.",
            )
        return token, {key: value for key, value in body.items() if key != "access_token"}


def _seconds(value: object) -> float:
    """`expires_in`, which some systems send as a string, or not at all."""
    try:
        life = float(value)  # type: ignore[arg-type]  # whatever JSON holds; that is the question
    except (TypeError, ValueError):
        return _UNKNOWN_LIFE
    return life if life > 0 else _UNKNOWN_LIFE
