"""What stood in one scope of the target when the run began: read once, held compactly.

Names, differences and deletions of a run all use this one reading; what wasn't in it is never
deleted, because an overlapping run may have made it. It costs about half a kilobyte an entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from metaglean.records import Ref


class Existing(NamedTuple):
    """One entity that stands in a sink's target when the run begins.

    `id` is the sink's own handle, given back to `Sink.delete`; `hash` whatever the sink wants to
    see again (16 bytes or a short string); `deleted` marks a soft-deleted one; `updated` (epoch
    seconds) decides between several holders of one `source_id`. A target that keeps no
    `source_id` gives the `source_url` instead, in which the source finds it.
    """

    ref: Ref
    id: Any
    source_id: str | None = None
    hash: Any = None
    deleted: bool = False
    updated: float = 0.0
    source_url: str | None = None


_Entry = tuple[object, str | None, object, bool, float]


class Standing:
    """The entities of one kind below one scope, by raw name and by `source_id`."""

    def __init__(self, kind: str, scope: Ref, existing: Iterable[Existing] = ()) -> None:
        self.kind = kind
        self.scope = scope
        self._entries: dict[str, _Entry] = {}
        self._names: dict[str, str] = {}
        for entity in existing:
            self._add(entity)

    def _add(self, entity: Existing) -> None:
        name = entity.ref.name
        self._entries[name] = (
            entity.id,
            entity.source_id,
            entity.hash,
            entity.deleted,
            entity.updated,
        )
        if entity.source_id is None:
            return
        holder = self._names.get(entity.source_id)
        # Of several holders of one id the live and newest counts.
        if holder is None or self._rank(holder) < self._rank(name):
            self._names[entity.source_id] = name

    def _rank(self, name: str) -> tuple[bool, float]:
        _, _, _, deleted, updated = self._entries[name]
        return (not deleted, updated)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Existing]:
        for name in self._entries:
            yield self._existing(name)

    def live(self) -> int:
        """How many stand that aren't soft-deleted."""
        return sum(not entry[3] for entry in self._entries.values())

    def get(self, name: str) -> Existing | None:
        """What stands under this raw name, soft-deleted or not."""
        return self._existing(name) if name in self._entries else None

    def name_of(self, source_id: str) -> str | None:
        """The raw name under which this id stands."""
        return self._names.get(source_id)

    def source_id_of(self, name: str) -> str | None:
        return self._entries[name][1]

    def names(self) -> Iterable[str]:
        return self._entries.keys()

    def _existing(self, name: str) -> Existing:
        ref = self.scope.child(self.kind, name)
        return Existing(ref, *self._entries[name])
