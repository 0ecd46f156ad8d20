"""Secret values never leave: not in logs, not in messages, not in reports."""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "Redactor", "Secret"]

MASK = "***"

# Shorter values are everywhere in ordinary text: masking them would hide messages, not secrets.
_SHORTEST = 4

_TELLING = r"token|secret|passw|pwd|key|code|signature|credential|assertion|auth|jwt|sig\b"
_USERINFO = re.compile(r"(?<=://)[^/\s?#@]+@")
_PARAMETER = re.compile(
    rf"((?:^|[?&;])[^=&;?\s]*(?:{_TELLING})[^=&;?\s]*=)[^&;#\s\"'<>]+", re.IGNORECASE
)


class Secret(Mapping[str, Any]):
    """A mapping that holds secrets: it is read by key and never printed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = dict(data)

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"Secret({', '.join(self._data)})"


class Redactor:
    """Knows the secret values of one run and masks them in whatever is written.

    Every method may be called from any thread.
    """

    def __init__(self, *secrets: str | None) -> None:
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._ordered: tuple[str, ...] = ()
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Register secrets, also as they look URL-encoded, in JSON and in base64.

        Empty values and those of fewer than four characters are ignored.
        """
        forms: set[str] = set()
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                forms.update(_forms(secret))
        forms = {form for form in forms if len(form) >= _SHORTEST}
        if forms <= self._known:
            return
        with self._lock:
            self._known = self._known | forms
            # Longest first: of two secrets, one may be the beginning of the other.
            self._ordered = tuple(sorted(self._known, key=lambda form: (-len(form), form)))

    def clean(self, text: str) -> str:
        """`text` with every registered value replaced by `***`."""
        for secret in self._ordered:
            if secret in text:
                text = text.replace(secret, MASK)
        return text

    def clean_value(self, value: Any) -> Any:
        """A copy of JSON-like data (dicts, lists, tuples, strings, scalars) without secrets."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {self.clean_value(key): self.clean_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.clean_value(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self.clean_value(item) for item in value)
        return value

    def url(self, text: str) -> str:
        """`text` cleaned, and besides without credentials in URLs and in query parameters.

        A parameter is masked when its name says that it is secret (token, secret, password, key,
        code, signature, ...), whether its value is registered or not.
        """
        text = self.clean(text)
        if "://" in text:
            text = _USERINFO.sub(f"{MASK}@", text)
        return _PARAMETER.sub(rf"\1{MASK}", text) if "=" in text else text

    def filter(self) -> logging.Filter:
        """A filter for log handlers (and loggers) that cleans message, arguments and traceback."""
        return _LogFilter(self)


class _LogFilter(logging.Filter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # Arguments that don't fit: logging would print them raw to stderr.
            message = f"{record.msg} {record.args!r}"
            record.msg, record.args = message.replace("%", "%%"), ()
        cleaned = self._line(message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            traceback = self._line(record.exc_text)
            if traceback != record.exc_text:
                # Handlers that format the exception themselves must not get at the raw one.
                record.exc_text, record.exc_info = traceback, None
        if record.stack_info:
            record.stack_info = self._line(record.stack_info)
        return True

    def _line(self, text: str) -> str:
        return self._redactor.url(text) if "://" in text else self._redactor.clean(text)


def _forms(secret: str) -> set[str]:
    """The ways in which a secret may appear in text."""
    forms = {secret}
    if len(secret.strip()) >= _SHORTEST:
        forms.add(secret.strip())
    for form in tuple(forms):
        data = form.encode("utf-8", "surrogatepass")
        forms.add(quote(data, safe=""))
        forms.add(quote(data))
        forms.add(quote_plus(data))
        forms.add(json.dumps(form)[1:-1])
        forms.add(json.dumps(form, ensure_ascii=False)[1:-1])
        forms.add(repr(form)[1:-1])
        forms.add(base64.b64encode(data).decode())
        forms.add(base64.urlsafe_b64encode(data).decode())
    if "\n" in secret:
        # A key file is often quoted line by line.
        forms.update(line for line in secret.splitlines() if len(line) >= 16)
    return forms
