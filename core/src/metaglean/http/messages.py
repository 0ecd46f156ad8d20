"""The words of HTTP errors: which system, which call, which status, what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from metaglean.errors import AccessDenied, ItemError, NotFound
from metaglean.http.response import CredentialsRefused, Response, Verdict
from metaglean.http.transport import Fault, TransportError
from metaglean.redaction import Redactor

__all__ = ["failure", "fault_hint"]

# Where APIs put their own words.
_WORDS = (
    "message",
    "responseMessage",
    "error_description",
    "errorMessage",
    "detail",
    "title",
    "error",
)
_LONGEST = 200

_HINTS = {
    400: "The system doesn't accept the request.",
    403: "Look at the scopes, grants and sharing of the credentials' user.",
    404: "It was deleted meanwhile, or the address is wrong.",
    429: "Lower limits.requestsPerSecond or the number of threads.",
}

_FAULT_HINTS = {
    Fault.NAME: "Check the spelling of the host, and the network.",
    Fault.CERTIFICATE: (
        "Set REQUESTS_CA_BUNDLE or caFile to a PEM file with the authority that signed it."
    ),
    Fault.TLS: "Check that the host speaks https at this port.",
    Fault.PROXY_LOGIN: "Put user and password into the proxy's address.",
}


def fault_hint(error: TransportError) -> str:
    """What to do about a fault of the network."""
    return _FAULT_HINTS.get(error.fault, "")


def failure(response: Response, verdict: Verdict | None, redactor: Redactor) -> Exception:
    """The error for an answer that ends its call."""
    status = response.status
    message = f"{response.where} answered {_named(status)}"
    said = [redactor.url(text) for text in (response.note, _own_words(response)) if text]
    if said:
        message = f"{message}: {'; '.join(said)}"
    if verdict is Verdict.GONE:
        return NotFound(message, _HINTS[404], status=status)
    if verdict is Verdict.DENIED:
        return AccessDenied(message, _HINTS[403], status=status)
    if verdict is Verdict.UNAUTHENTICATED:
        system = response.where.partition(":")[0]
        return CredentialsRefused(
            f"{system} refuses the credentials: {message.removeprefix(system + ': ')}",
            "Check that they are right, not expired, and of this very system.",
        )
    return ItemError(message, _hint(response, verdict, redactor), status=status)


def _hint(response: Response, verdict: Verdict | None, redactor: Redactor) -> str:
    status = response.status
    if verdict is Verdict.RATE_LIMITED:
        return _HINTS[429]
    if 300 <= status < 400:
        place = redactor.url(response.headers.get("Location", "elsewhere"))
        return f"It redirects to {place}: redirects aren't followed, name the right address."
    if status >= 500:
        return "The fault is on the system's side: try again later, or ask those who run it."
    return _HINTS.get(status, "")


def _named(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _own_words(response: Response) -> str:
    """What the system says itself, in one short line; nothing where the body isn't JSON."""
    try:
        body: Any = response.parse()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    words = next((body[key] for key in _WORDS if isinstance(body.get(key), str)), "")
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
