"""Files that commands write: a report, and one whose content is replaced in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from metaglean.errors import ConfigError


def replace_content(path: Path, old: bytes, new: bytes) -> None:
    """Write `new` in the place of `old`: whoever reads the file sees one of the two, whole.

    A symbolic link stays, what it leads to is written; the mode is kept. Raises ConfigError where
    the file can't be written, or holds something else than `old` by now.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.read_bytes() != old:
            raise ConfigError(f"{path}: changed in the meantime", "Run it again.")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(new)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(target, name)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be written: {error.strerror or error}", "Nothing was changed."
        ) from error


def check_report(path: Path, workflow: Path) -> None:
    """Raises ConfigError where `--report` names no place for a file, or that of the workflow."""
    if path.exists() and path.samefile(workflow):
        raise ConfigError(f"--report {path} is the workflow itself", "Name another file.")
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(
            f"--report {path}: not a file that can be written",
            "Name a file in a directory that exists.",
        )


def write_report(path: Path, text: str) -> str:
    """Write it; where that fails, what to say. What it reports of is done by then."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"the report was not written: {path}: {error.strerror or type(error).__name__}"
    return ""
