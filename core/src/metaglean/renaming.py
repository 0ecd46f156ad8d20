"""Renaming: one function from the source's refs to the target's, by rules of the workflow.

A source knows its own names only: its listings, its records and the ends of its lineage have them.
Everything behind it (processors, the sink, what stands, deletion) has the new ones. `plain` is the
pure function: the rules, applied level by level, each name once. A ref of another service, of
a service, classification or tag stays as it is. Where the name book gives another name than the
rules make (two that would be one, a name that stands), `give` tells it, and all that lies below
follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b

from metaglean import fqn
from metaglean.filters import compiled
from metaglean.records import Record, Ref, moved

Rule = tuple[str, str]
_MARK = 4  # bytes of the digest that tells two unlisted ones apart


class Renaming:
    """The rules of a run. `rules` are (expression, replacement) by kind; of a kind's, the first
    that matches the beginning of a name replaces what it matched. Without rules nothing changes.
    """

    def __init__(
        self, service: str = "", rules: Mapping[str, Iterable[Rule]] | None = None
    ) -> None:
        self._service = service
        self._rules = {
            kind: [(compiled(pattern), text) for pattern, text in found]
            for kind, found in (rules or {}).items()
        }
        self._given: dict[Ref, str] = {}
        self._claimed: dict[Ref, Ref] = {}
        self._before: dict[Ref, Ref] | None = None

    def remember(self) -> None:
        """Keep what `before` answers: a ref of each that gets another one."""
        self._before = {}

    def before(self, ref: Ref) -> Ref:
        """The source's ref of a target's, as far as it was remembered; else the same."""
        return (self._before or {}).get(ref, ref)

    def __bool__(self) -> bool:
        return any(self._rules.values())

    def concerns(self, kind: str) -> bool:
        """Whether there are rules for names of this kind."""
        return bool(self._rules.get(kind))

    def name(self, kind: str, name: str) -> str:
        """What the rules make of one name; a rule that would leave nothing of it is none."""
        for pattern, text in self._rules.get(kind, ()):
            found = pattern.match(name) if name else None
            if found:
                return f"{found.expand(text)}{name[found.end() :]}".strip() or name
        return name

    def plain(self, ref: Ref) -> Ref:
        """What the rules alone make of a ref."""
        return self._moved(ref, {})

    def __call__(self, ref: Ref) -> Ref:
        """The target's ref of a source's."""
        return self._moved(ref, self._given) if self._rules else ref

    def _moved(self, ref: Ref, given: Mapping[Ref, str]) -> Ref:
        parent = ref.parent
        if parent is None or ref.path[0] != self._service:
            return ref
        name = given.get(ref)
        if name is None:
            name = self.name(ref.kind, ref.name)
        return self._moved(parent, given).child(ref.kind, name)

    def give(self, ref: Ref, name: str) -> None:
        """The name book has its own name for this ref of the source."""
        if name != self.name(ref.kind, ref.name):
            self._given[ref] = name

    def claim(self, ref: Ref) -> bool:
        """Take the new name of a ref that no listing has named; False where another one has it, so
        that this one gets a name of its own (`name_<8 of a digest of the old one>`)."""
        new = self(ref)
        if self._claimed.setdefault(new, ref) == ref:
            return True
        digest = blake2b("\0".join(ref.path).encode("utf-8", "replace"), digest_size=_MARK)
        base = fqn.cut(new.name, fqn.MAX_NAME - 2 * _MARK - 1)
        self.give(ref, f"{base}_{digest.hexdigest()}")
        self._claimed[self(ref)] = ref
        return False

    def record(self, record: Record) -> Record:
        """The record with every ref in it renamed."""
        new = moved(record, self)
        if self._before is not None and new.ref != record.ref:
            self._before[new.ref] = record.ref
        return new
