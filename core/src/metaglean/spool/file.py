"""The spool's file: JSON Lines, valid after a crash up to the last whole line.

The first line is the header (`spool`, `service`, …). A line is a record as the sink `file` writes
it, or one of ours: `inventory` (part of a listing, with the names that were given), `end` (how the
run ended), `pushed` (a `metaglean push` of it). It holds no connection and no setting.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from metaglean.errors import ConfigError
from metaglean.records import Ref

FORMAT = 1
LONGEST_LINE = 256 * 1024 * 1024  # bytes; more is no file of ours
PRIVATE = 0o600
RECORD = b'{"record"'
_CLOCKS = 1.0  # seconds by which the clocks of target and machine may differ
_HINT = "A spool is written by a run with `limits.spool`; give its path."


class Pushed(NamedTuple):
    """One earlier push: its time, in epoch seconds."""

    began: float
    ended: float

    def has(self, moment: float) -> bool:
        """Whether it went on at this moment of the target's clock."""
        return self.began - _CLOCKS <= moment <= self.ended + _CLOCKS


@dataclass
class Contents:
    """What a look at the whole file tells. `ended` is when its run ended, in epoch seconds: where
    the run was killed, the time of the file's last change, and `whole` is false."""

    service: Ref
    source: str
    started: float
    ended: float
    whole: bool = False
    records: int = 0
    pushes: list[Pushed] = field(default_factory=list)


class SpoolFile:
    """A spool that is being written, to `part`, beside the path that it gets once it is kept."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError where no file can be made there."""
        self._wanted = path
        self.part = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")
        if path.is_dir():
            raise ConfigError(f"limits.spool: {path} is a directory", "Give a file.")
        try:
            self._file = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        except OSError as error:
            raise ConfigError(
                f"limits.spool: {path}: {error.strerror}", "Give a file in a folder of yours."
            ) from error

    def line(self, data: Any) -> None:
        """Add one line of JSON. Raises OSError."""
        self.write(json.dumps(data).encode())

    def write(self, line: bytes) -> None:
        """Add one line: nothing of it is left in a buffer when the process dies."""
        rest = line + b"\n"
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def keep(self) -> Path:
        """Give it its name, or where that is taken the next free one (`spool-2.jsonl`)."""
        os.fsync(self._file)
        os.close(self._file)
        number = 1
        while True:
            name = self._wanted.stem + (f"-{number}" if number > 1 else "") + self._wanted.suffix
            path = self._wanted.with_name(name)
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
            except FileExistsError:
                number += 1
                continue
            self.part.replace(path)  # over our own empty file alone
            return path

    def discard(self) -> None:
        """Nothing of it is needed."""
        os.close(self._file)
        self.part.unlink(missing_ok=True)


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The whole lines with their numbers, counted from 1; half a line at the end is left out."""
    with path.open("rb") as file:
        number = 0
        while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
            number += 1
            if line.strip():
                yield number, line


def look(path: Path) -> Contents:
    """Read through a spool. Raises ConfigError for what is none, or of a newer Metaglean."""
    try:
        return _look(path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", _HINT) from error


def _look(path: Path) -> Contents:
    read = lines(path)
    contents = _header(path, next(read, (1, b""))[1])
    for number, line in read:
        if line.startswith(RECORD):
            contents.records += 1
            continue
        data = parsed(path, number, line)
        try:
            if "end" in data:
                contents.ended, contents.whole = float(data["end"]["at"]), True
            elif "pushed" in data:
                began, ended = (float(data["pushed"][key]) for key in Pushed._fields)
                contents.pushes.append(Pushed(began, ended))
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(path, number) from error
    if not contents.whole:
        contents.ended = path.stat().st_mtime
    return contents


def _header(path: Path, line: bytes) -> Contents:
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    found = data.get("spool") if isinstance(data, dict) else None
    if not isinstance(found, int):
        raise ConfigError(f"{path} is not a spool", _HINT)
    if found != FORMAT:
        by = data.get("metaglean", "another version")
        raise ConfigError(
            f"{path} was written by Metaglean {by}, in a form that this one does not know",
            "Send it with that version, or a newer one.",
        )
    try:
        kind, name = data["service"]
        return Contents(Ref(kind, (name,)), data["source"], float(data["started"]), 0.0)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, 1) from error


def parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """One line of ours. Raises ConfigError where it is damaged: without it the names of what
    follows can't be decided."""
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise _damaged(path, number)
    return data


def _damaged(path: Path, number: int) -> ConfigError:
    return ConfigError(f"{path}:{number} is damaged", "Run the workflow again instead.")
