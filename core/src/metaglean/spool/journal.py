"""The run's side of the spool: all that passes is kept until the sink is known to have stayed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaglean.components import Change, Sink, Source
from metaglean.errors import Interrupted, MetagleanError, RemoteError, Spooled, catching
from metaglean.listing import Listing
from metaglean.names import Listed
from metaglean.records import Record, dump
from metaglean.run import Run
from metaglean.spool.file import FORMAT, SpoolFile

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig
    from metaglean.standing import Existing

ROWS = 500


class Direct:
    """A run without a spool: a sink that is away ends it."""

    def begin(self, run: Run, source: Source) -> None:
        """The source is known; nothing was read yet."""

    @contextmanager
    def sink_away(self) -> Iterator[None]:
        """Around what is asked of the sink before the source is read."""
        yield

    def needs_sink(self) -> None:
        """Something can't be had but from the sink. Raises RemoteError where it is away."""

    def write(self, sink: Sink, records: Iterator[Record], run: Run) -> Iterator[Change]:
        """Have the sink write the records."""
        return sink.write(records, run)

    def minded(self, error: BaseException | None) -> BaseException | None:
        """What of an error of the sink's `close` counts."""
        return error

    def finish(self) -> None:
        """The run is over."""


class Journal(Direct):
    """Writes down what the source lists and the sink is given.

    The sink is away once it raises RemoteError, in `open`, `existing` or `write`: from then on it
    is left alone, the source is read to its end, and the file is kept; else it is removed. As
    names were then given without knowing what stands, the listings are in the file too, and a push
    gives names anew.
    """

    def __init__(self, path: Path, command: Callable[[Path], str]) -> None:
        """`command` gives the command that sends a spool."""
        self._path = path
        self._command = command
        self._file: SpoolFile | None = None
        self._records = 0
        self._run: Run | None = None
        self._broken = ""
        self.away: RemoteError | None = None

    def begin(self, run: Run, source: Source) -> None:
        """Raises ConfigError where no file can be made."""
        self._run = run
        self._file = SpoolFile(self._path)
        self._line(
            {
                "spool": FORMAT,
                "metaglean": version("metaglean-core"),
                "service": [run.service.kind, run.service.name],
                "source": type(source).type,
                "run": run.id,
                "started": run.started,
            }
        )

    # -- the sink -------------------------------------------------------------------------------

    def needs_sink(self) -> None:
        if self.away:
            raise self.away

    @contextmanager
    def sink_away(self) -> Iterator[None]:
        try:
            yield
        except RemoteError as error:
            self._went(error)

    def write(self, sink: Sink, records: Iterator[Record], run: Run) -> Iterator[Change]:
        if not self.away:
            with self.sink_away():
                yield from sink.write(self._passing(records, run), run)
        if self.away:
            self._tell(run, self.away)
            for record in records:
                self._record(record, run)
                if self._broken:
                    break
            kept = self._kept(run, self.away)
            raise Interrupted(run.signal) if run.signal else kept

    def minded(self, error: BaseException | None) -> BaseException | None:
        return None if self.away and isinstance(error, RemoteError) else error

    def _passing(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        """The records for the sink; their end once it is away, as names may be wrong from there."""
        for record in records:
            self._record(record, run)
            if self.away:
                return
            yield record

    def _went(self, error: RemoteError) -> None:
        self.away = self.away or error

    def _tell(self, run: Run, error: RemoteError) -> None:
        run.warn(
            f"the sink is away: {error.message}; what is read goes to the spool",
            hint=error.hint,
            feature="sink",
        )

    # -- what the run shows (`metaglean.listing.Recorder`) ----------------------------------------

    def stood(self, ask: Callable[[], Iterable[Existing]], run: Run) -> Iterator[Existing]:
        """What stands in a scope, as far as it can be read. Asked for by the source's listing, the
        sink may be away; a sink that asks itself must know it."""
        if self.away:
            return
        if not run.reading():
            yield from ask()
            return
        with self.sink_away():
            yield from ask()

    def listed(self, listing: Listing, items: Sequence[Listed], ages: Sequence[Any]) -> None:
        """One inventory, and the names that were given."""
        about = {
            "kind": listing.kind,
            "scope": [listing.target.kind, *listing.target.path],
            "followed": listing.followed,
            "incomplete": list(listing.failures),
        }
        rows = [
            [item.id, item.name, _age(age), *([] if name == item.name else [name])]
            for item, age, name in zip(items, ages, listing.given, strict=True)
        ]
        for first in range(0, max(1, len(rows)), ROWS):
            part = rows[first : first + ROWS]
            self._line({"inventory": about, "items": part, "more": first + ROWS < len(rows)})

    # -- the file -------------------------------------------------------------------------------

    def _record(self, record: Record, run: Run) -> None:
        if self._file is None or self._broken:
            return
        line = b""
        with catching() as caught:
            line = dump(record).encode()
        if line:
            self._try(lambda file: file.write(line))
            self._records += 1
        elif caught.error:  # the sink may well be able to write it
            tell = run.problem if self.away else run.warn
            tell(f"can't be kept in the spool: {run.describe(caught.error)}", str(record.ref))

    def _line(self, data: Any) -> None:
        if self._file and not self._broken:
            self._try(lambda file: file.line(data))

    def _try(self, write: Callable[[SpoolFile], object]) -> None:
        """A spool that can't be written costs nothing while the sink is there."""
        assert self._file
        try:
            write(self._file)
        except OSError as error:
            self._broken = error.strerror or type(error).__name__
            if self._run:
                self._run.warn(f"the spool can't be written: {self._broken}", feature="spool")

    def _kept(self, run: Run, away: RemoteError) -> MetagleanError:
        """Give the file its name; what is to be told, which is that the sink is away where even
        this fails."""
        if self._broken or not self._records:
            return away
        self._line({"end": {"at": run.clock.now(), "records": self._records}})
        file, self._file = self._file, None
        assert file
        try:
            path = file.keep()
        except OSError as error:
            told = f"the spool can't get its name ({error.strerror}): it is {file.part}"
            run.warn(told, hint=f"Send it later: {self._command(file.part)}", feature="spool")
            return away
        command = self._command(path)
        run.report.spool = {"path": str(path), "records": self._records, "command": command}
        return Spooled(
            f"the sink was away ({away.message}): {self._records} records are in {path}",
            f"Send them later: {command}",
        )

    def finish(self) -> None:
        """Keep the file where it is needed and nobody has yet, else remove it."""
        if self._file and self.away and self._run:
            self._kept(self._run, self.away)
        if self._file:
            self._file.discard()
            self._file = None


def spool_of(config: WorkflowConfig, *, needed: bool = True) -> Direct:
    """Where the records of one run go while its sink is away."""
    path = config.limits.spool
    if path is None or not needed:
        return Direct()
    workflow = shlex.quote(config.path or "WORKFLOW")
    return Journal(
        Path(path).expanduser(),
        lambda spool: f"metaglean push {shlex.quote(str(spool))} -c {workflow}",
    )


def _age(age: Any) -> Any:
    """As the name book sorts them: numbers as they are, all else as text."""
    return age if age is None or isinstance(age, int | float) else str(age)
