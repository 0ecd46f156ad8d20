"""The REST API of one OpenMetadata server: JSON in, JSON out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from metaglean.builtin.server.features import Features
from metaglean.errors import ItemError, NotFound
from metaglean.http import Response, Verdict

if TYPE_CHECKING:
    from metaglean.http import Session

Json = dict[str, Any]

PAGE_BYTES = 4_000_000
FIRST_PAGE = 100
LONGEST_PAGE = 1000
_PATCH_TYPE = "application/json-patch+json"
_UNKNOWN = re.compile(r'Unrecognized field "([^"]+)" \(class (?:[\w.]*\.)?(\w+)\)')
_NO_FIELD = re.compile(r"Invalid field name (\w+)")
_MOST_FIELDS = 12
_NO_WORD = re.compile(
    r"Cannot construct instance of `?(?:[\w.]*[.$])?(\w+)`?(?:, problem: ([^\n]*))?"
)


class Answer(NamedTuple):
    """A good answer: its status, and its body as JSON (None where there was none)."""

    status: int
    body: Any


class Pages(NamedTuple):
    """Where a listing begins (a cursor), how long its first page is, and how many bytes its others
    have, about."""

    after: str | None
    first: int
    size: int


class UnknownField(NamedTuple):
    """What a server calls unknown: a key, and the simple name of the class that lacks it."""

    key: str
    model: str


class Server:
    """Calls to one server, safe from any thread.

    Raises what `metaglean.http.Session` raises; NotFound also where this version of the server
    lacks the path or verb (a 404, a 405, or the 500 by which 1.2 says so).
    """

    def __init__(self, session: Session, features: Features | None = None) -> None:
        self.session = session
        self.features = features or Features((0, 0, 0))
        self._refused: set[str] = set()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET."""
        response = self._get(path, params)
        try:
            return response.parse()
        except ValueError as error:
            raise response.unexpected("JSON", self.session.redactor.url) from error

    def _get(self, path: str, params: Mapping[str, Any]) -> Response:
        """A GET; what the server refuses in `fields` is not asked for any more."""
        for _ in range(_MOST_FIELDS):
            wanted = str(params.get("fields") or "").split(",")
            fields = ",".join(name for name in wanted if name not in self._refused) or None
            try:
                return self.session.get(path, params={**params, "fields": fields}, expect_json=True)
            except ItemError as error:
                found = _NO_FIELD.search(error.message) if error.status == 400 else None
                if not found or found[1] in self._refused or found[1] not in wanted:
                    raise
                self._refused.add(found[1])
                if found[1] == "sourceHash":
                    self.features.lacks("sourceHash")
        raise ItemError(f"{self.session.name}: {path} refuses what it is asked for", status=400)

    def find(self, path: str, **params: Any) -> Any | None:
        """The same, None where there is nothing (404)."""
        try:
            return self.get(path, **params)
        except NotFound:
            return None

    def named(self, collection: str, fqn: str) -> Json | None:
        """The entity of this qualified name, soft-deleted or not; None where there is none."""
        found = self.find(f"{collection}/{by_name(fqn)}", include="all")
        return found if isinstance(found, dict) else None

    def listing(self, path: str, pages: Pages | None = None, **params: Any) -> Iterator[Json]:
        """All entities of a paged listing.

        The size of a page follows the bytes received, because a server sends the columns of
        tables whether they are asked for or not. A page that fails raises.
        """
        after, limit, size = pages or Pages(None, FIRST_PAGE, PAGE_BYTES)
        seen: set[str] = set()
        while True:
            response = self._get(path, {**params, "limit": limit, "after": after})
            body = response.json()
            data = body.get("data") if isinstance(body, dict) else None
            if not isinstance(data, list):
                raise response.unexpected("a listing")
            each = len(response.content) / max(1, len(data))
            limit = max(1, min(LONGEST_PAGE, int(size / max(1.0, each))))
            after = (body.get("paging") or {}).get("after")
            del response, body
            data.reverse()
            while data:  # a page is let go as it is used, and gone before the next one comes
                yield data.pop()
            if not after:
                return
            if after in seen:
                raise ItemError(f"{self.session.name}: the listing {path} gives a page again")
            seen.add(after)

    def put(self, path: str, body: Any, **params: Any) -> Answer:
        """Create or update; sent again after faults, as PUT may be."""
        try:
            response = self.session.request("PUT", path, params=params, json=body)
        except ItemError as error:
            if error.status == 405:
                raise NotFound(error.message, error.hint, status=error.status) from error
            raise
        return Answer(response.status, response.json() if response.content else None)

    def restore(self, collection: str, entity_id: str) -> None:
        """Restore what is soft-deleted; that another run did it at the same moment is as good."""
        try:
            self.put(f"{collection}/restore", {"id": entity_id})
        except NotFound:
            return

    def patch(self, path: str, operations: Sequence[Mapping[str, Any]], version: Any) -> Json:
        """Apply a JSON patch, once: whether a lost answer meant success only a read can tell.

        `version` of the entity that the patch was made for; servers that know `If-Match` refuse
        the patch (412) where it is another one by now.
        """
        headers = {"Content-Type": _PATCH_TYPE}
        if version is not None and self.features.has("ifMatch"):
            headers["If-Match"] = f'W/"{version}"'
        response = self.session.request(
            "PATCH", path, json=list(operations), headers=headers, idempotent=False
        )
        body = response.json() if response.content else {}
        return body if isinstance(body, dict) else {}

    def delete(self, path: str, **params: Any) -> None:
        """Delete; that it is gone already is as good."""
        try:
            self.session.request("DELETE", path, params=params)
        except NotFound:
            return


def classify(response: Response) -> Verdict | None:
    """1.2 answers 500 for a path or verb that it doesn't have."""
    return Verdict.GONE if response.wraps_404 else None


def by_name(fqn: str) -> str:
    """The path segment of a qualified name: `name/…`, percent-encoded with nothing safe."""
    return f"name/{quote(fqn, safe='')}"


def unknown_field(error: ItemError) -> UnknownField | None:
    """The field that this error calls unknown, if it is about one."""
    found = _UNKNOWN.search(error.message)
    return UnknownField(found[1], found[2]) if found else None


def lacking_word(error: ItemError) -> tuple[str, str] | None:
    """The simple name of a closed list and the word that it lacks (empty where that isn't said), if
    the error is about one."""
    found = _NO_WORD.search(error.message)
    return (found[1], (found[2] or "").split(" at [")[0].strip()) if found else None


def unknown_word(error: ItemError) -> str | None:
    """The simple name of the closed list that lacks a word, if the error is about one."""
    found = lacking_word(error)
    return found[0] if found else None
