"""What a server can hold as a name, by its version, and the qualified names of what stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from unicodedata import category

from metaglean.builtin.server.features import Features
from metaglean.fqn import NameRules, decode, encode, quote
from metaglean.records import ANCESTORS, Ref

_SERVICES = frozenset({"databaseService", "pipelineService", "dashboardService"})
_OWN_LENGTH = {"table": 256, "column": 256}  # kinds whose limit is older than the general one
_LABEL_LENGTH = 64
_LOOSE_LENGTH = 256
# What names may hold besides word characters: tags and classifications before 1.5; services,
# dashboards and charts before 1.3. Word characters are Java's, which has no `²`, but marks.
_IN_LABELS = frozenset("' -.&()\u200c\u200d")
_IN_STRICT = _IN_LABELS | {"%"}
_WORD = frozenset("Lu Ll Lt Lm Lo Nl Nd Mn Mc Me Pc".split())
_HELD = re.compile("([>\t])")
_STRICT = _SERVICES | {"dashboard", "chart"}
_LABELS = frozenset({"tag", "classification"})
_MARK = 8


class ServerNames(NameRules):
    """OpenMetadata's rules: lengths and characters by kind and version (its JSON schemas).

    Tags and classifications have 2 to 64 of few characters before 1.5, most other kinds up to 128
    before 1.3; where a name doesn't fit, what is stored ends in a part of its digest, so that two
    names never meet in one, and the raw name is shown as displayName. Lengths are those of UTF-16
    (measured on 1.2): a character beyond the first plane counts as two.
    """

    def __init__(self, features: Features) -> None:
        super().__init__()
        self._loose = features.has("longNames")
        self._loose_labels = features.has("looseLabels")
        self._short = 256 if self._loose else 128
        self._tables = 256 if features.has("longTables") else 128

    def length(self, kind: str) -> int:
        """The most characters of a stored name."""
        if kind in _LABELS:
            return _LOOSE_LENGTH if self._loose_labels else _LABEL_LENGTH
        return self._tables if kind in _OWN_LENGTH else self._short

    def fit(self, kind: str, name: str, room: int = 0) -> str:
        """`name` cut so that its stored form leaves `room` characters."""
        if kind in _LABELS:
            return super().fit(kind, name, room)  # its stored form is short by itself
        longest = self.length(kind) - room
        fitted = super().fit(kind, name, self.max_length - longest)
        if kind not in _STRICT and fitted.isascii():
            return fitted
        while (over := _units(self.stored(kind, fitted)) - longest) > 0:
            shorter = len(encode(fitted)) - (over + 1) // 2
            fitted = super().fit(kind, name, self.max_length - shorter)
        return fitted

    def stored(self, kind: str, name: str) -> str:
        """The form in which the server keeps the raw name."""
        if kind in _LABELS:
            return _loose_label(name) if self._loose_labels else _stand_in(
                name, _IN_LABELS, _LABEL_LENGTH, 2
            )  # fmt: skip
        if kind in _STRICT and not self._loose:
            return _stand_in(name, _IN_STRICT, self.length(kind), 1)
        if kind in _SERVICES:
            return name
        return encode(name) if self._loose else _as_before(name)


def _as_before(name: str) -> str:
    """As OpenMetadata's ingestion before 1.3 stores it: `>` and tab, which servers hold, stay."""
    parts = _HELD.split(name) if _HELD.search(name) else [name]
    return "".join(part if _HELD.fullmatch(part) else encode(part) for part in parts)


def _stand_in(name: str, marks: frozenset[str], longest: int, shortest: int) -> str:
    """The name itself where it fits, else what is left of it and a part of its digest."""
    held = "".join(one if one in marks or category(one) in _WORD else "_" for one in name)
    if held == name and shortest <= _units(name) <= longest:
        return name
    return _marked(held, name, longest)


def _loose_label(name: str) -> str:
    """No name book looks at tags: here what can't be undone, or is too long, is marked."""
    stored = encode(name)
    fits = 0 < _units(stored) <= _LOOSE_LENGTH and decode(stored) == name
    return stored if fits else _marked(stored, name, _LOOSE_LENGTH)


def _marked(stored: str, name: str, longest: int) -> str:
    mark = blake2b(name.encode("utf-8", "replace"), digest_size=_MARK // 2).hexdigest()
    room = longest - _MARK - 1
    while (over := _units(stored) - room) > 0:
        stored = stored[: -((over + 1) // 2)]
    return f"{stored}_{mark}"


def _units(text: str) -> int:
    """The length in UTF-16."""
    return len(text) if text.isascii() else len(text) + sum(one > "\uffff" for one in text)


class QualifiedNames:
    """Ref → the qualified name on the server. What stands keeps the one that the server gave."""

    def __init__(self, names: NameRules) -> None:
        self._names = names
        self._given: dict[Ref, str] = {}

    def keep(self, ref: Ref, qualified: str) -> None:
        """Remember the server's own qualified name of a parent."""
        self._given[ref] = qualified

    def learn(self, ref: Ref, entity: Mapping[str, Any]) -> None:
        """The same from the entity as the server gives it."""
        if entity.get("fullyQualifiedName"):
            self.keep(ref, str(entity["fullyQualifiedName"]))

    def __call__(self, ref: Ref) -> str:
        """The qualified name of `ref`."""
        if ref in self._given:
            return self._given[ref]
        if ref.kind == "column":
            own = ref.path[len(ANCESTORS["table"]) + 1 :]
            columns = [quote(self._names.stored("column", name)) for name in own]
            return ".".join([self(Ref("table", ref.path[: -len(own)])), *columns])
        kinds = (*ANCESTORS.get(ref.kind, ()), ref.kind)
        if ref.kind in _LABELS or len(kinds) != len(ref.path):
            stored = (self._names.stored(ref.kind, name) for name in ref.path)
            return ".".join(quote(name) for name in stored)
        quoted = quote(self._names.stored(ref.kind, ref.name))
        parent = ref.parent
        return f"{self(parent)}.{quoted}" if parent else quoted
