"""Sink and source `file`: records as JSON Lines.

The sink writes straight to its path, one whole line at a time: after a crash the file is valid up
to its last line. A new run replaces the file when its first record arrives, so that a run which
reads nothing keeps the old one. Inventories aren't records: they are not in the file, and what is
read back from it never deletes anything.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pydantic import Field, field_validator

from metaglean import Change, Config, Sink, Source, Step, fqn, hookimpl
from metaglean.errors import ConfigError, RunEndingError, RunError
from metaglean.options import DatabaseOptions
from metaglean.records import Record, Ref, Service, dump, load, moved

if TYPE_CHECKING:
    from metaglean import Run

LONGEST_LINE = 256 * 1024 * 1024  # bytes; more is no file of ours


class FileConfig(Config):
    """Settings of sink and source `file`."""

    path: str = Field(min_length=1, description="The file with one record a line (JSON Lines).")

    @field_validator("path")
    @classmethod
    def _no_stream(cls, path: str) -> str:
        if path == "-":
            raise ValueError("a file name is needed; to look at records use sink `console`")
        return path


class FileSink(Sink):
    """Writes every record; without a target to compare with, each counts as created."""

    type = "file"
    Config = FileConfig
    capabilities = frozenset({"plan"})

    def __init__(self, config: FileConfig) -> None:
        super().__init__(config)
        self.path = Path(config.path).expanduser()
        self.target = str(self.path)
        self._file: BinaryIO | None = None
        self._written_empty = False

    def open(self, run: Run) -> Iterator[Step]:
        if not self.path.absolute().parent.is_dir():
            raise ConfigError(f"{self.path}: there is no directory {self.path.absolute().parent}")
        if self.path.is_dir():
            raise ConfigError(f"{self.path} is a directory", "Give a file: `path: FILE`.")
        yield Step("file", True, str(self.path))

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        self._written_empty = False
        for record in records:
            line = b""
            with run.item(record.ref):
                line = dump(record).encode() + b"\n"
            if not line:
                continue
            if not run.dry_run:
                self._append(line)
            yield Change(record.ref, "created", kind=record.kind)
        self._written_empty = self._file is None and not run.dry_run

    def _append(self, line: bytes) -> None:
        """One write a line: nothing is left in a buffer when the process dies."""
        with _translated(self.path):
            if self._file is None:
                self._file = self.path.open("wb", buffering=0)
            while line:
                line = line[self._file.write(line) :]

    def close(self, status: str) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        elif status == "success" and self._written_empty:
            with _translated(self.path):
                self.path.write_bytes(b"")


class FileSource(Source):
    """Reads records back. What the file calls its service gets the name of the workflow's."""

    type = "file"
    Config = FileConfig
    Options = DatabaseOptions
    connection_types = ("File",)

    def __init__(self, config: FileConfig, options: DatabaseOptions, service: Ref) -> None:
        super().__init__(config, options, service)
        # Core writes the service; only the file knows what it is.
        first = self._first()
        if isinstance(first, Service):
            self.service_type = first.service_type  # type: ignore[misc]  # of this one instance

    def test_connection(self, run: Run) -> Iterator[Step]:
        with closing(self._lines()) as lines:
            empty = next(lines, None) is None
        if empty:
            yield Step("read the file", True, f"{self.config.path} is empty")
        elif self._first() is None:
            yield Step("read the file", False, f"{self.config.path}: line 1 is not a record")
        else:
            yield Step("read the file", True, str(self.config.path))

    def read(self, run: Run) -> Iterator[Record]:
        """A line that is no record is one problem with its number; the rest is read."""
        name: str | None = None
        with closing(self._lines()) as lines:
            for number, line in lines:
                try:
                    record = load(line)
                except ValueError as error:
                    run.problem(
                        f"line {number} is not a record: {_reason(error)}",
                        f"{self.config.path}:{number}",
                        hint="The other lines were read; write the file again for this one.",
                    )
                    continue
                if name is None:
                    name = service_of(record)
                moved = renamed(record, name, self.service.name) if name else record
                if _kept(moved, run) and not self._is_own_service(moved):
                    yield moved

    def _is_own_service(self, record: Record) -> bool:
        """Core has written it already, unless there is more to it than its type."""
        return record == Service(ref=self.service, service_type=self.service_type)

    def _first(self) -> Record | None:
        """The first record; None where there is none, for whatever reason (`read` says it)."""
        try:
            with closing(self._lines()) as lines:
                return load(next(lines)[1])
        except (StopIteration, ValueError, RunEndingError):
            return None

    def _lines(self) -> Generator[tuple[int, bytes], None, None]:
        path = Path(self.config.path).expanduser()
        with _translated(path), path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if line.strip():
                    yield number, line


def service_of(record: Record) -> str | None:
    """The name of the service that a record belongs to; None for tags and classifications."""
    return None if record.ref.kind in ("classification", "tag") else record.ref.path[0]


def renamed(record: Record, old: str, new: str) -> Record:
    """The record with service `old` called `new` in every ref of it."""
    if old == new:
        return record

    def move(ref: Ref) -> Ref:
        if ref.kind in ("classification", "tag") or ref.path[0] != old:
            return ref
        return Ref(ref.kind, (new, *ref.path[1:]))

    return moved(record, move)


def _kept(record: Record, run: Run) -> bool:
    """Whether the workflow's filter patterns keep the record and all that it lies in."""
    ref: Ref | None = record.ref
    while ref is not None:
        pattern = run.filters.pattern(ref.kind)
        name = fqn.build(ref.path) if run.filters.use_fqn else ref.name
        if pattern and not pattern.keeps(name):
            return False
        ref = ref.parent
    return True


def _reason(error: ValueError) -> str:
    """The first line that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join(lines[:3])[:200] if lines else type(error).__name__


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise ConfigError(f"{path}: {error.strerror}", "Check `path`.") from error
    except OSError as error:
        raise RunError(
            f"{path}: {error.strerror or error}", "What stands in the file is whole lines."
        ) from error


@hookimpl
def register_sinks() -> list[type[Sink]]:
    return [FileSink]


@hookimpl
def register_sources() -> list[type[Source]]:
    return [FileSource]
