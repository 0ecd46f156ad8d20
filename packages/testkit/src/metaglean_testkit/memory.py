"""`MemorySink`: a target in memory, small enough to read and complete enough to test against."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from metaglean.components import Change, Sink
from metaglean.records import Entity, Record, Ref
from metaglean.run import Run
from metaglean.standing import Existing

_KEPT_WHEN_EMPTY = ("description", "display_name", "owners")


class MemorySink(Sink):
    """Keeps entities by ref in `standing` (and the refs of deleted ones in `gone`).

    It lasts as long as the object: give the same one to several runs.
    """

    type: ClassVar[str] = "memory"
    capabilities: ClassVar[frozenset[str]] = frozenset({"plan", "deletion"})

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.standing: dict[Ref, Entity] = {}
        self.others: list[Record] = []
        self.gone: set[Ref] = set()
        self._ids: dict[Ref, int] = {}
        self._next_id = itertools.count(1)

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        for ref, entity in list(self.standing.items()):
            if ref.kind == kind and ref.parent == scope:
                yield Existing(ref, self._ids[ref], entity.source_id, None, ref in self.gone)

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        for record in records:
            if isinstance(record, Entity):
                yield self._entity(record, run)
            else:
                if not run.dry_run:
                    self.others.append(record)
                yield Change(record.ref, "created", kind=record.kind)

    def delete(self, entities: Sequence[Existing], run: Run) -> Iterator[Change]:
        for entity in entities:
            if not run.dry_run:
                self.gone.add(entity.ref)
            yield Change(entity.ref, "deleted")

    def _entity(self, record: Entity, run: Run) -> Change:
        stored = self.standing.get(record.ref)
        merged, fields = (record, {}) if stored is None else _merge(stored, record)
        restored = record.ref in self.gone
        if not run.dry_run:
            self.standing[record.ref] = merged
            self._ids.setdefault(record.ref, next(self._next_id))
            self.gone.discard(record.ref)
        if stored is None:
            return Change(record.ref, "created")
        if restored:
            return Change(record.ref, "restored", fields)
        return Change(record.ref, "updated" if fields else "unchanged", fields)


def _merge(stored: Entity, read: Entity) -> tuple[Entity, dict[str, tuple[Any, Any]]]:
    """What was read replaces what stands; an empty text or owner list never does."""
    update = {
        name: getattr(read, name)
        for name in sorted(read.model_fields_set)
        if getattr(read, name) or name not in _KEPT_WHEN_EMPTY
    }
    only = update.pop("tags_of", None)
    if only is not None:  # labels of other classifications were not read
        others = [label for label in stored.tags if label.classification not in only]
        new = [label for label in read.tags if label not in others]
        update["tags"] = (*others, *new)
    fields = {
        name: (getattr(stored, name), value)
        for name, value in update.items()
        if getattr(stored, name) != value
    }
    return stored.model_copy(update=update), fields
