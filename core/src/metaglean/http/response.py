"""An answer of a system, and what an API's author may say that it means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from metaglean.errors import ItemError, RemoteError

__all__ = ["CredentialsRefused", "Response", "UnexpectedBody", "Unreachable", "Verdict"]

_SHOWN = 120
# What a body with half a pair must hold: its escape, its bytes, or the zeros of another encoding.
_SIGNS = (b"\\ud", b"\\uD", b"\xed", b"\0")
# An escaped backslash and a whole pair are matched too, so that nothing inside of them is.
_HALF = re.compile(
    r"\\\\|\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}"
    r"|(\\u[Dd][89A-Fa-f][0-9A-Fa-f]{2}|[\ud800-\udfff])"
)


class Verdict(Enum):
    """What an answer means where its status says something else."""

    RETRY = "a passing fault: to be tried again"
    RATE_LIMITED = "too many requests, as 429"
    DENIED = "the item stands but may not be read, as 403"
    GONE = "the item is gone, as 404"
    UNAUTHENTICATED = "the credentials are refused or expired, as 401"


class UnexpectedBody(ItemError):
    """An answer whose body isn't what the API promises (no JSON, no list, ...)."""


class CredentialsRefused(RemoteError):
    """The system is there but refuses the credentials."""


class Unreachable(RemoteError):
    """The system can't be reached, or is away."""


class Response:
    """One answer, read whole.

    `status`, `headers` (names without regard to case), `content` (decoded bytes). `method` and
    `path` are those of the request, without query. A classifier may set `note`: it stands in the
    message of the error raised for this answer (a support id, the system's own words).
    """

    __slots__ = ("_parsed", "content", "headers", "method", "note", "path", "status", "where")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        *,
        method: str = "GET",
        path: str = "",
        where: str = "",
    ) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self.method = method
        self.path = path
        self.where = where
        self.note = ""
        self._parsed: tuple[Any] | None = None

    def __repr__(self) -> str:
        return f"<Response {self.status} {len(self.content)} bytes>"

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty where none was sent."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def wraps_404(self) -> bool:
        """Whether a 500 wraps a 404 or a 405: some servers answer so for an unknown path."""
        return self.status == 500 and (b"HTTP 404" in self.content or b"HTTP 405" in self.content)

    @property
    def text(self) -> str:
        """The body as text, by the charset sent, else UTF-8; what can't be read becomes U+FFFD."""
        _, _, charset = self.headers.get("Content-Type", "").lower().partition("charset=")
        charset = charset.partition(";")[0].strip(" \"'") or "utf-8"
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def parse(self) -> Any:
        """The body as JSON, parsed once. Half a surrogate pair, which an API that cuts its texts
        leaves and no encoding can write, becomes U+FFFD. Raises ValueError."""
        if self._parsed is None:
            try:
                self._parsed = (json.loads(_whole(self.content)),)
            except RecursionError as error:
                raise ValueError("nested too deep") from error
        return self._parsed[0]

    def json(self) -> Any:
        """The body as JSON. Raises UnexpectedBody, with what came instead."""
        try:
            return self.parse()
        except ValueError as error:
            raise self.unexpected("JSON") from error

    def unexpected(self, wanted: str, clean: Callable[[str], str] | None = None) -> UnexpectedBody:
        """The error that says what came instead of `wanted`."""
        begin = " ".join(self.text[: 4 * _SHOWN].split())
        begin = (clean(begin) if clean else begin)[:_SHOWN]
        kind = self.content_type or "no content type"
        shown = f"beginning with {begin!r}" if begin else "an empty body"
        return UnexpectedBody(
            f"{self.where or self.path} answered {self.status} with {kind}, {shown}, "
            f"instead of {wanted}",
            "Look whether the address is that of the API, and not of a login page or a proxy.",
            status=self.status,
        )


def _whole(content: bytes) -> bytes | str:
    """A JSON body without halves of surrogate pairs; as it is where it can't hold any."""
    if not any(sign in content for sign in _SIGNS):
        return content
    text = content.decode(json.detect_encoding(content), "surrogatepass")
    return _HALF.sub(lambda found: "\ufffd" if found[1] else found[0], text)
