"""What the last line of a test run says about the OpenMetadata server (tests/conftest.py)."""

from __future__ import annotations

import pytest

SERVER = "OpenMetadata server"
SAID = pytest.StashKey[str]()
