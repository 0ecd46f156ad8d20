"""These tests run in the project's environment, and with official models in those of tox."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]


def _installed() -> bool:
    try:
        return bool(importlib.metadata.version("openmetadata-ingestion"))
    except importlib.metadata.PackageNotFoundError:
        return False


# What needs the official models runs where they are, and nothing else there.
collect_ignore = (
    ["test_validate_bodies.py", "test_record_bodies.py"]
    if _installed()
    else ["test_official_models.py"]
)
