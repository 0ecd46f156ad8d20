"""Values that are no use as they are: placeholders of the docs and masked secrets; and which
values are secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from metaglean.config.document import Path
from metaglean.config.problems import Problems

_WHOLE = re.compile(r"\{[A-Za-z][\w -]*\}|<[A-Za-z][\w -]*>")
_WITHIN = re.compile(r"<[A-Za-z][\w -]*>")
MASKED = re.compile(r"\*{5,}")
SECRET_KEY = re.compile(
    r"token|password|passwd|secret|credential|api_?key|private_?key|authorization|extraheaders"
    r"|sslkey",
    re.IGNORECASE,
)
_DOCUMENTED = {"{bot_jwt_token}", "<password>", "<token>", "<access_token>", "<secret_token>"}
_INSTEAD = "write ${VARIABLE} or ${file:/path}, or the value itself"


def check_keys(data: Any, path: Path, problems: Problems) -> None:
    """Add an error for every key below `path` that is not text; a file has none."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if isinstance(key, str):
                check_keys(value, (*path, key), problems)
            else:
                what = f"the key {key!r} is not text"
                problems.error(path, what, "expected text: put the key in quotes", key=True)
    elif isinstance(data, list | tuple):
        for number, value in enumerate(data):
            check_keys(value, (*path, number), problems)


def check_values(data: Any, path: Path, problems: Problems, *, secret: bool = False) -> None:
    """Add an error for every placeholder and every masked secret below `path`.

    Braces count only around a whole value, as do angle brackets in a secret: a password may hold
    either. A placeholder that YAML read as a mapping (`{bot_jwt_token}` without quotes) counts too.
    """
    if isinstance(data, Mapping):
        word = _unquoted_placeholder(data)
        if word and path and not isinstance(path[-1], int):
            _placeholder(word, path, problems)
            return
        for key, value in data.items():
            hidden = secret or is_secret_key(key)
            check_values(value, (*path, key), problems, secret=hidden)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            check_values(value, (*path, number), problems, secret=secret)
    elif isinstance(data, str):
        _check_text(data, path, problems, secret)


def _check_text(text: str, path: Path, problems: Problems, secret: bool) -> None:
    if MASKED.fullmatch(text):
        problems.error(path, "the secret is masked", _INSTEAD)
    elif _WHOLE.fullmatch(text):
        known = not secret or text in _DOCUMENTED
        _placeholder(text if known else "this value", path, problems)
    elif not secret:
        match = _WITHIN.search(text)
        if match:
            _placeholder(match[0], path, problems)


def _placeholder(text: str, path: Path, problems: Problems) -> None:
    problems.error(path, f"{text} is a placeholder of the documentation", _INSTEAD)


def _unquoted_placeholder(data: Mapping[str, Any]) -> str:
    if len(data) != 1:
        return ""
    ((key, value),) = data.items()
    text = f"{{{key}}}"
    return text if value is None and text in _DOCUMENTED else ""


def is_placeholder(text: str) -> bool:
    """Whether the text stands in the documentation, so that it is no secret anywhere."""
    return text in _DOCUMENTED


def is_secret_key(key: str) -> bool:
    return bool(SECRET_KEY.search(key))


def written_secrets(data: Any, secret: bool = False) -> Iterator[str]:
    """The values below secret-like keys of raw configuration."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from written_secrets(value, secret or is_secret_key(str(key)))
    elif isinstance(data, list | tuple):
        for value in data:
            yield from written_secrets(value, secret)
    elif secret and isinstance(data, str) and data and data not in _DOCUMENTED:
        yield data


def model_secrets(value: Any) -> Iterator[str]:
    """Every SecretStr and SecretBytes inside of a settings object."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode("utf-8", "replace")
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from model_secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from model_secrets(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from model_secrets(item)
