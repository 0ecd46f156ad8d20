"""Cassettes (vcrpy): recorded answers, scrubbed before they are written.

`Authorization`, cookies and the like lose their value, and so do tokens in queries and in JSON or
form bodies, and every secret that was registered, wherever it stands. Requests are matched on
method, path and query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from vcr import VCR  # type: ignore[import-untyped]  # it ships no types

from metaglean_testkit.secrets import assert_no_secrets, forms

__all__ = ["MASK", "Scrubber", "assert_no_secrets", "cassette"]

MASK = "scrubbed"
MATCH_ON = ("method", "path", "query")
_HEADERS = re.compile(r"authorization|cookie|token|api-?key|secret|signature", re.IGNORECASE)
_NAMES = re.compile(
    r"token|secret|passw|pwd|api_?key|private_?key|signature|credential|assertion|jwt",
    re.IGNORECASE,
)
_PARAMETER = re.compile(
    r"([?&][\w.-]*(?:token|secret|passw|api_?key|signature)[\w.-]*=)[^&\s\"'<>\\]+", re.IGNORECASE
)
_NO_SECRET = re.compile(r"type$|expires|url$|^next", re.IGNORECASE)


class Scrubber:
    """Removes secrets from requests and responses; `secrets` are values known to be secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {form for secret in secrets if secret for form in forms(secret)}
        self._known = sorted(found, key=len, reverse=True)

    def request(self, request: Any) -> Any:
        """Vcrpy's `before_record_request`: also applied to what is looked up."""
        request.uri = self._uri(request.uri)
        request.headers = self._headers(dict(request.headers))
        if request.body:
            request.body = self.body(request.body)
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        """Vcrpy's `before_record_response`; a copy, because the caller still reads the original."""
        headers = self._headers(dict(response["headers"]))
        body = {**response["body"]}
        if body.get("string"):
            body["string"] = self.body(body["string"])
            length = str(len(body["string"]))
            headers = {
                key: [length] if key.lower() == "content-length" else value
                for key, value in headers.items()
            }
        return {**response, "headers": headers, "body": body}

    def body(self, body: bytes | str) -> bytes:
        """A JSON or form body without secrets; other text without the registered ones."""
        text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
        try:
            data = json.loads(text)
        except ValueError:
            if re.fullmatch(r"[\w.%+~-]+=[^\s]*", text):
                text = self._query(text)
        else:
            if isinstance(data, dict | list):
                cleaned = self._value(data)
                text = text if cleaned == data else json.dumps(cleaned)
        return self.text(text).encode("utf-8", "surrogateescape")

    def text(self, text: str) -> str:
        """`text` without the registered secrets, nor those of addresses in it."""
        for secret in self._known:
            text = text.replace(secret, MASK)
        return _PARAMETER.sub(rf"\1{MASK}", text)

    def _uri(self, uri: str) -> str:
        parts = urlsplit(uri)
        netloc = parts.netloc.rpartition("@")[2]
        return self.text(urlunsplit(parts._replace(netloc=netloc, query=self._query(parts.query))))

    def _query(self, query: str) -> str:
        pairs = parse_qsl(query, keep_blank_values=True)
        if not any(_secret_name(name) for name, _ in pairs):
            return query
        return urlencode([(n, MASK if _secret_name(n) else value) for n, value in pairs])

    def _headers(self, headers: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._header(value, hidden=bool(_HEADERS.search(name)))
            for name, value in headers.items()
        }

    def _header(self, value: Any, *, hidden: bool) -> Any:
        if isinstance(value, list):
            return [self._header(item, hidden=hidden) for item in value]
        return MASK if hidden else self.text(str(value))

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: MASK if _secret_name(key) and isinstance(item, str) else self._value(item)
                for key, item in value.items()
            }
        return [self._value(item) for item in value] if isinstance(value, list) else value


@contextmanager
def cassette(path: Path, *, secrets: Iterable[str] = (), record: str = "none") -> Iterator[Any]:
    """Play `path` (or record it: `record="once"`), scrubbed. Yields vcrpy's cassette.

    With the default a request that isn't on the cassette fails: nothing goes out by accident.
    """
    scrubber = Scrubber(secrets)
    recorder = VCR(
        record_mode=record,
        match_on=MATCH_ON,
        before_record_request=scrubber.request,
        before_record_response=scrubber.response,
        decode_compressed_response=True,
    )
    with recorder.use_cassette(str(path)) as opened:
        yield opened
    if path.exists():
        assert_no_secrets(path.parent, [secret for secret in secrets if len(secret) >= 6])


def _secret_name(name: str) -> bool:
    return bool(_NAMES.search(name)) and not _NO_SECRET.search(name)
