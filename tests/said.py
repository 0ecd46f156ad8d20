"""What the last lines of a test run say about what it needs from outside (tests/conftest.py)."""

from __future__ import annotations

from typing import NoReturn

import pytest

SERVER = "OpenMetadata server"
BROWSER = "Browser"
SAID = {SERVER: pytest.StashKey[str](), BROWSER: pytest.StashKey[str]()}


def left_out(reason: str) -> NoReturn:
    """For a test that needs what has to be given from outside, and isn't there."""
    pytest.skip(reason)  # the reason stands in the last lines
