"""What a server can hold as a name, by its version, and the qualified names of what stands."""

from __future__ import annotations

import re
from hashlib import blake2b

from metaglean.builtin.server.features import Features
from metaglean.fqn import NameRules, encode, quote
from metaglean.records import ANCESTORS, Ref

_SERVICES = frozenset({"databaseService", "pipelineService", "dashboardService"})
_OWN_LENGTH = {"table": 256, "column": 256}  # kinds whose limit is older than the general one
_LABEL_LENGTH = 64
# Tags and classifications before 1.4; services, dashboards and charts before 1.3.
_NOT_IN_LABELS = re.compile(r"[^\w' \-.&()]")
_NOT_IN_STRICT = re.compile(r"[^\w' \-.&()%]")
_HELD = re.compile("([>\t])")
_STRICT = _SERVICES | {"dashboard", "chart"}
_LABELS = frozenset({"tag", "classification"})
_MARK = 8


class ServerNames(NameRules):
    """OpenMetadata's rules: lengths and characters by kind and version (its JSON schemas).

    Tags and classifications have 2 to 64 of few characters before 1.4, most other kinds up to 128
    before 1.3; where a name doesn't fit, what is stored ends in a part of its digest, so that two
    names never meet in one, and the raw name is shown as displayName.
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
            return 256 if self._loose_labels else _LABEL_LENGTH
        return self._tables if kind in _OWN_LENGTH else self._short

    def fit(self, kind: str, name: str, room: int = 0) -> str:
        """`name` cut so that its stored form leaves `room` characters."""
        if kind in _LABELS:
            return super().fit(kind, name, room)  # its stored form is short by itself
        return super().fit(kind, name, room + self.max_length - self.length(kind))

    def stored(self, kind: str, name: str) -> str:
        """The form in which the server keeps the raw name."""
        if kind in _LABELS and not self._loose_labels:
            return _stand_in(name, _NOT_IN_LABELS, _LABEL_LENGTH, 2)
        if kind in _STRICT and not self._loose:
            return _stand_in(name, _NOT_IN_STRICT, self.length(kind), 1)
        if kind in _SERVICES:
            return name
        return encode(name) if self._loose else _as_before(name)


def _as_before(name: str) -> str:
    """As OpenMetadata's ingestion before 1.3 stores it: `>` and tab, which servers hold, stay."""
    parts = _HELD.split(name) if _HELD.search(name) else [name]
    return "".join(part if _HELD.fullmatch(part) else encode(part) for part in parts)


def _stand_in(name: str, bad: re.Pattern[str], longest: int, shortest: int) -> str:
    """The name itself where it fits, else what is left of it and a part of its digest."""
    if shortest <= len(name) <= longest and not bad.search(name):
        return name
    mark = blake2b(name.encode("utf-8", "replace"), digest_size=_MARK // 2).hexdigest()
    return f"{bad.sub('_', name)[: longest - _MARK - 1]}_{mark}"


class QualifiedNames:
    """Ref → the qualified name on the server. What stands keeps the one that the server gave."""

    def __init__(self, names: NameRules) -> None:
        self._names = names
        self._given: dict[Ref, str] = {}

    def keep(self, ref: Ref, qualified: str) -> None:
        """Remember the server's own qualified name of a parent."""
        self._given[ref] = qualified

    def __call__(self, ref: Ref) -> str:
        """The qualified name of `ref`."""
        if ref in self._given:
            return self._given[ref]
        kinds = (*ANCESTORS.get(ref.kind, ()), ref.kind)
        if ref.kind in _LABELS or len(kinds) != len(ref.path):
            stored = (self._names.stored(ref.kind, name) for name in ref.path)
            return ".".join(quote(name) for name in stored)
        own = quote(self._names.stored(ref.kind, ref.name))
        parent = ref.parent
        return f"{self(parent)}.{own}" if parent else own
