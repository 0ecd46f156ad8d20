"""What a server turns out not to know is left out for the rest of the run, with one warning."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metaglean.builtin.server.client import Json, Server, unknown_field
from metaglean.builtin.server.features import shown
from metaglean.builtin.server.words import Words
from metaglean.errors import AccessDenied, ItemError

if TYPE_CHECKING:
    from metaglean import Run

# A key that a server calls unknown → the feature that it then lacks.
_FEATURES = {
    "owners": "owners",
    "schemaDefinition": "schemaDefinition",
    "sourceHash": "sourceHash",
    "lifeCycle": "lifeCycle",
}
# The class of a part → the keys of the lists that hold such parts.
_PARTS = {
    "Column": ("columns", "children"),
    "Task": ("tasks",),
    "TagLabel": ("tags",),
    "TableConstraint": ("tableConstraints",),
}
_NO_TAG = re.compile(r"tag instance for (.+) not found")
_ENTITIES = frozenset({"Table", "Pipeline", "Database", "DatabaseSchema"})


class Adaptation:
    """What this run has learnt about its server; safe from any thread."""

    def __init__(self, server: Server, run: Run, words: Words) -> None:
        self.words = words
        self.fields_denied: set[str] = set()
        self._server = server
        self._run = run
        self._unknown: set[str] = set()
        self._gone: set[str] = set()  # tags that somebody deletes while the run goes on
        self._unknown_in_parts: dict[str, set[str]] = {}  # by the key of the list
        self._lock = threading.Lock()

    def learnt(self, error: ItemError) -> bool:
        """Whether this error says that something sent is unknown: it is left out from now on, and
        the call may be made again, a few times."""
        if gone := _NO_TAG.search(error.message) if error.status == 404 else None:
            return self._gone_now(gone[1])
        if error.status != 400:
            return False
        with self._lock:
            field = unknown_field(error)
            if field:
                return self._without(field.key, field.model)
            lacking = self.words.learn(error)
        if lacking and lacking.news:
            stand_in = self.words.known(lacking.words, lacking.word)
            self._warn(f"the server has no {lacking.words} {lacking.word}: {stand_in} is written")
        return lacking is not None

    def left_out(self, names: Iterable[str]) -> set[str]:
        """Which of these fields are not sent, because the server doesn't know or allow them."""
        return (self._unknown | self.fields_denied) & set(names)

    def denied(self, error: AccessDenied, operations: Iterable[Mapping[str, Any]]) -> bool:
        """A whole patch is refused where a policy denies this bot one of its fields
        (`DisplayName-Deny` from 1.9 on): go on without the displayName."""
        named = any(one["path"].endswith("/displayName") for one in operations)
        if not named or "DisplayName" not in error.message:
            return False
        with self._lock:
            news = "displayName" not in self.fields_denied
            self.fields_denied.add("displayName")
        if news:
            self._warn("the server's policy denies this bot displayName: left as it is")
        return True

    def pruned(self, body: Json) -> Json:
        """The body without what the server doesn't know."""
        if not self._unknown and not self._unknown_in_parts and not self._gone:
            return body
        return {
            key: self._without_parts(value, key)
            for key, value in body.items()
            if key not in self._unknown
        }

    def operations(self, operations: Iterable[Json]) -> list[Json]:
        """The operations without those on fields that the server doesn't know or allow."""
        left_out = self._unknown | self.fields_denied
        found = []
        for one in operations:
            steps = one["path"][1:].split("/")
            key, last = next(step for step in reversed(steps) if _is_key(step)), steps[-1]
            place = next((step for step in steps[-3::-1] if _is_key(step)), "")
            unknown = self._unknown_in_parts.get(place, set()) if len(steps) > 1 else left_out
            if last in unknown or self._is_gone(one.get("value")):
                continue
            value = self._without_parts(one["value"], key) if "value" in one else None
            found.append({**one, "value": value} if "value" in one else one)
        return found

    def _without(self, key: str, model: str) -> bool:
        """Leave a key of a class out; False where it can't be."""
        places = _PARTS.get(model, ())
        if key == "name" or not (places or model.startswith("Create") or model in _ENTITIES):
            return False
        feature = "" if places else _FEATURES.get(key, "")
        if feature and self._server.features.lacks(feature):
            self._warn(f"this server has no field {key}: written in its older form")
        elif not feature:
            unknown = [self._unknown_in_parts.setdefault(place, set()) for place in places]
            for keys in unknown or [self._unknown]:
                if key not in keys:
                    self._warn(f"this server has no field {key}: left out")
                    keys.add(key)
        return True

    def _without_parts(self, value: Any, place: str) -> Any:
        """The same value as it may stand at `place`, the key that it has."""
        if not self._unknown_in_parts and not self._gone:
            return value
        if isinstance(value, list):
            return [self._without_parts(one, place) for one in value if not self._is_gone(one)]
        if isinstance(value, dict):
            unknown = self._unknown_in_parts.get(place, ())
            return {
                key: self._without_parts(one, key)
                for key, one in value.items()
                if key not in unknown
            }
        return value

    def _gone_now(self, tag: str) -> bool:
        with self._lock:
            news = tag not in self._gone
            self._gone.add(tag)
        if news:
            self._run.problem(f"the tag {tag} is gone meanwhile: its labels are left out", tag)
        return True

    def _is_gone(self, value: Any) -> bool:
        return bool(self._gone) and isinstance(value, dict) and value.get("tagFQN") in self._gone

    def _warn(self, message: str) -> None:
        self._run.warn(f"{message} (server {shown(self._server.features.version)})")


def _is_key(step: str) -> bool:
    """Whether a step of a JSON pointer is a key, and no position."""
    return not step.isdigit() and step != "-"
