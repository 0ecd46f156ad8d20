"""What the server refuses, as it says it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
#: What stands for a secret.
MASK = "*********"


class Refused(Exception):
    """An answer that is an error. `shape` is `code` (mapped by the server: `{code, message}`),
    `unmapped` (`{responseMessage}`, always 500), `unhandled` (both in one) or `text`."""

    def __init__(self, status: int, message: str, shape: str = "code") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.shape = shape

    def body(self) -> Json:
        """The JSON of the answer."""
        thrown = f"An exception with message [{self.message}] was thrown while processing request."
        if self.shape == "unmapped":
            return {"responseMessage": thrown}
        text = thrown if self.shape == "unhandled" else self.message
        return {"code": self.status, "message": text}


def bad(message: str) -> Refused:
    """400."""
    return Refused(400, message)


def missing(kind: str, key: str) -> Refused:
    """404 for an entity."""
    return Refused(404, f"{kind} instance for {key} not found")


def unmapped(message: str) -> Refused:
    """500: an exception that the server has no answer for."""
    return Refused(500, message, "unmapped")
