"""The side of `metaglean push`: the records of a spool as a run's stream.

Names are decided anew: each listing of the spool goes through the name book, over what stands now,
and every ref of every record follows. So a push leaves what the run would have left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaglean.components import Sink
from metaglean.errors import ConfigError
from metaglean.names import Listed
from metaglean.records import Entity, Lineage, Record, Ref, Table, load, moved
from metaglean.run import Run
from metaglean.spool.file import RECORD, Pushed, lines, look, parsed
from metaglean.spool.fitted import fitted

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig

_NEWER = "written by a later run than this spool's: left as it is"


class _Unnamed(Exception):
    """A ref whose entity got no name: what refers to it is not written."""


class Replay:
    """A spool that a workflow sends instead of reading its source.

    With `overwrite` also what a later run has written since is sent.
    """

    def __init__(self, path: Path, config: WorkflowConfig, *, overwrite: bool = False) -> None:
        """Raises ConfigError for what is no spool of this workflow's."""
        self.path = path
        self.contents = look(path)
        self._overwrite = overwrite
        self._moves: dict[Ref, str | None] = {}
        self._listed: list[list[Any]] = []
        self._skipped: set[Ref] = set()
        self._check(config)

    def _check(self, config: WorkflowConfig) -> None:
        wanted = (config.source_class.service_kind, config.service_name, config.source_class.type)
        found = (self.contents.service.kind, self.contents.service.name, self.contents.source)
        if found != wanted:
            raise ConfigError(
                f"{self.path} is a spool of the service {found[1]!r} ({found[2]}), the workflow's "
                f"is {wanted[1]!r} ({wanted[2]})",
                "Give the workflow that wrote it.",
            )

    def records(self, run: Run, sink: Sink) -> Iterator[Record]:
        """The records, under the names that they have in the target."""
        self.contents = look(self.path)  # an earlier run of this workflow may have pushed it
        self._moves, self._listed, self._skipped = {}, [], set()
        if not self.contents.whole:
            run.warn(
                "the run that wrote this spool was ended before its time, or goes on: what it read "
                "until then is sent"
            )
        for number, line in lines(self.path):
            if line.startswith(RECORD):
                record = self._record(number, line, run)
                if record is not None and not self._is_left(record, run, sink):
                    yield record
            elif line.startswith(b'{"inventory"'):
                self._inventory(parsed(self.path, number, line), run)

    def _record(self, number: int, line: bytes, run: Run) -> Record | None:
        try:
            record = load(line)
        except ValueError:
            run.problem(f"line {number} is damaged: not sent", f"{self.path}:{number}")
            return None
        if isinstance(record, Table):
            record = fitted(record, run.names)
        try:
            return moved(record, self._moved) if self._moves else record
        except _Unnamed:
            return None  # the listing has said so

    # -- names ----------------------------------------------------------------------------------

    def _inventory(self, part: dict[str, Any], run: Run) -> None:
        """One listing, once all of its parts are there: names are given as in a run."""
        self._listed += part["items"]
        if part["more"]:
            return
        rows, self._listed = self._listed, []
        about = part["inventory"]
        kind, scope = about["kind"], Ref(about["scope"][0], tuple(about["scope"][1:]))
        try:
            now = self._moved(scope)
        except _Unnamed:
            return
        listing = run.listing(kind, now, followed=about["followed"])
        for reason in about["incomplete"]:
            listing.incomplete(reason)
        for _ in listing.over(Listed(row[0], row[1], row[2]) for row in rows):
            pass
        for row, name in zip(rows, listing.given, strict=True):
            given = row[3] if len(row) > 3 else row[1]
            if given is not None and given != name:
                self._moves[scope.child(kind, given)] = name

    def _moved(self, ref: Ref) -> Ref:
        parent = ref.parent
        name = self._moves.get(ref, ref.name)
        if name is None:
            raise _Unnamed
        return self._moved(parent).child(ref.kind, name) if parent else ref

    # -- what a later run wrote -----------------------------------------------------------------

    def _is_left(self, record: Record, run: Run, sink: Sink) -> bool:
        """Whether a later run has written what the record is about."""
        if isinstance(record, Lineage):
            return record.target in self._skipped
        if self._overwrite or not isinstance(record, Entity):
            return False
        standing = run.standing(record.ref)
        if standing is None or self._is_ours(standing.updated):
            return False
        written = sink.last_written(standing)
        if written is not None and self._is_ours(written):
            return False
        self._skipped.add(record.ref)
        run.count(record.kind, "newer")
        run.warn(_NEWER, str(record.ref), hint="`--overwrite` sends such as well.")
        return True

    def _is_ours(self, moment: float) -> bool:
        """Whether what was written then was there before the spool, or is a push of it."""
        pushes = self.contents.pushes
        return moment <= self.contents.ended or any(one.has(moment) for one in pushes)

    def close(self, run: Run) -> None:
        """Note in the spool that it was pushed, so that another push knows its own writes."""
        wrote = run.report.number("sink") and not run.dry_run
        if self.contents.whole and wrote:
            note = {"pushed": Pushed(run.started, run.clock.now())._asdict()}
            with suppress(OSError), self.path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(note)}\n")
