"""What the last lines of a test run say about what it needs from outside (tests/conftest.py)."""

from __future__ import annotations

import pytest

SERVER = "OpenMetadata server"
BROWSER = "Browser"
SAID = {SERVER: pytest.StashKey[str](), BROWSER: pytest.StashKey[str]()}
