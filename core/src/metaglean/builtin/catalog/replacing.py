"""A file that takes the place of another one when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from metaglean.errors import ConfigError, RunError


@contextmanager
def replacing(target: Path, never: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `target` at the end, and only if all went well.
    The file `never` is not replaced.

    Raises ConfigError where `target` is no place for a file, RunError where it can't be written.
    """
    with ExitStack() as stack:
        try:
            part = _beside(target, never)
            stack.callback(part.unlink, missing_ok=True)
            with part.open("wb") as file:
                yield file
            part.replace(target.resolve())  # what a link names is replaced, not the link
        except OSError as error:
            raise RunError(f"{target} can't be written: {error.strerror or error}") from error


def _beside(target: Path, never: Path) -> Path:
    """Where a new `target` is written first."""
    if target.exists():
        if target.samefile(never):
            raise ConfigError(f"{target} is the catalog itself", "Name another file.")
        if not target.is_file():
            raise ConfigError(f"{target} is not a file", "Name a file to write.")
    target = target.resolve()
    return target.with_name(f".{target.name}.{os.getpid()}.part")
