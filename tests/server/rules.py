"""What a 1.2 server does with a client's requests: each line measured on a real one."""

from __future__ import annotations

from tests.server.rulebook import Rule
from tests.server.rules_changing import DELETIONS, PATCHES, PUTS
from tests.server.rules_creating import CREATION, VALIDATION
from tests.server.rules_flows import FLOWS, POISON
from tests.server.rules_reading import READING, SERVICES

#: Harmless ones: they play in a scratch service on any 1.2 server.
RULES: tuple[Rule, ...] = (
    *CREATION, *VALIDATION, *PUTS, *PATCHES, *DELETIONS, *READING, *SERVICES, *FLOWS,
)  # fmt: skip

__all__ = ["POISON", "RULES"]
