"""Sink `console`: one line a record, for looking."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from metaglean import Change, Sink, fqn, hookimpl
from metaglean.errors import RunError
from metaglean.records import Entity, Lineage, Pipeline, Record, Table
from metaglean.text import safe, write_line

if TYPE_CHECKING:
    from metaglean import Run


class ConsoleSink(Sink):
    """Prints to standard output and keeps nothing."""

    type = "console"
    capabilities = frozenset({"plan"})

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        for record in records:
            _print(line(record))
            yield Change(record.ref, "created", kind=record.kind)


def line(record: Record) -> str:
    """A record in one line: kind, qualified name, and how much there is of the rest."""
    return safe("  ".join([f"{record.kind:<15}", fqn.build(record.ref.path), *_details(record)]))


def _print(text: str) -> None:
    try:
        write_line(text, sys.stdout)
    except OSError as error:
        raise RunError(f"standard output: {error.strerror or error}") from error


def _details(record: Record) -> Iterator[str]:
    if isinstance(record, Lineage):
        yield f"→ {fqn.build(record.target.path)}"
    if isinstance(record, Table):
        yield record.table_type
        yield _many(len(record.columns), "column")
    if isinstance(record, Pipeline):
        yield _many(len(record.tasks), "task")
    if isinstance(record, Entity):
        if record.owners:
            yield "owners: " + ", ".join(o.email or o.name or o.type for o in record.owners)
        if record.tags:
            yield "tags: " + ", ".join(fqn.build((t.classification, t.name)) for t in record.tags)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@hookimpl
def register_sinks() -> list[type[Sink]]:
    return [ConsoleSink]
