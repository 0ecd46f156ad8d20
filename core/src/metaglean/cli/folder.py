"""The workflow files in a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from metaglean.config.document import MAX_BYTES, SUFFIXES, is_json, parse_document, read_text
from metaglean.errors import ConfigError

_PASSED_BY = {"node_modules", "__pycache__"}
_SOURCE = re.compile(r"""(?m)^[ \t]*["']?source["']?[ \t]*:""")


def candidates(folder: Path) -> Iterator[Path]:
    """The files below a folder that may be workflows by their name, in order.

    Left out are hidden files and folders, virtual environments, and what links lead to.
    """
    for top, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _PASSED_BY)
        for name in sorted(files):
            path = Path(top, name)
            if path.suffix.lower() in SUFFIXES and not name.startswith("."):
                yield path


def other_file(path: Path) -> str:
    """Why a file of a folder is no workflow; empty for one that is, or that is meant to be."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return f"larger than {MAX_BYTES} bytes"
        text = read_text(path)
    except (OSError, ConfigError):
        return ""  # it is told as an error
    try:
        data = parse_document(text, str(path), is_json=is_json(path)).data
    except ConfigError:
        # What is broken may be a workflow; templates and lists of documents are not.
        return "" if _SOURCE.search(text) else "no block `source`"
    return "" if isinstance(data.get("source"), Mapping) else "no block `source`"
