"""Looks for secret values in whatever was written, in the forms in which they travel."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretBytes, SecretStr

SHORTEST = 6
"""A secret shorter than this is found in any text; the suites ask for a longer one."""

# What they log at DEBUG is the host's to switch on; our own level never reaches them.
_NOT_OURS = ("urllib3", "requests", "vcr", "asyncio")


def secrets_of(config: BaseModel) -> frozenset[str]:
    """The values of all SecretStr and SecretBytes inside of a settings object."""
    return frozenset(secret for secret in _secrets_in(config) if secret)


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode("utf-8", "replace")
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _secrets_in(part)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from _secrets_in(part)


def forms(secret: str) -> frozenset[str]:
    """A secret as it is, URL-encoded, and in base64."""
    data = secret.encode()
    return frozenset(
        {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            base64.b64encode(data).decode(),
            base64.urlsafe_b64encode(data).decode(),
        }
    )


def leaked(content: str | bytes, secrets: Iterable[str]) -> bool:
    """Whether any of the secrets stands in `content`."""
    text = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return any(form.encode() in text for secret in secrets for form in forms(secret))


def assert_unseen(content: str | bytes, secrets: Iterable[str], where: str) -> None:
    """Fail if a secret stands in `content`; the message says where, never what."""
    # An `assert` here would show the secret: pytest prints the values of a failing comparison.
    if leaked(content, secrets):
        raise AssertionError(f"a secret value stands in {where}")


def assert_no_secrets(directory: Path, secrets: Iterable[str]) -> None:
    """Fail if a secret stands in any file below `directory` (for cassettes, catalogs, outputs).

    Raises AssertionError that names the file; ValueError for a secret too short to look for.
    """
    wanted = tuple(secrets)
    for secret in wanted:
        if len(secret) < SHORTEST:
            raise ValueError(f"a secret of {len(secret)} characters can't be looked for")
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            assert_unseen(path.read_bytes(), wanted, str(path.relative_to(directory)))


class Log(logging.Handler):
    """Keeps what is logged, formatted with tracebacks.

    It takes no filter: a run redacts the handlers it finds, but a secret that a component logs
    would reach those of a host that came later.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self.lines: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def addFilter(self, filter: Any) -> None:  # noqa: A002, N802  # logging's own words
        """Not added: see the class."""

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(_NOT_OURS):
            self.lines.append(self.format(record))


@contextmanager
def logged() -> Iterator[Log]:
    """Everything logged inside, at DEBUG, by Metaglean, plugins and what they use."""
    root = logging.getLogger()
    log = Log()
    level = root.level
    root.handlers.insert(0, log)  # before one whose filter changes the record
    root.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        root.removeHandler(log)
        root.setLevel(level)
