"""What a server can do, by its version; overruled by what it answers."""

from __future__ import annotations

import re
from typing import NamedTuple

Version = tuple[int, int, int]

# Feature → the first version that has it, by the published models of OpenMetadata's clients;
# where servers were measured or read they are named in the documentation.
FIRST: dict[str, tuple[int, int]] = {
    "longTables": (1, 2),
    "connectionOptional": (1, 2),
    "lifeCycle": (1, 2),
    "lineageSource": (1, 2),
    "keepsDefinitions": (1, 2),
    "longNames": (1, 3),
    "sourceHash": (1, 3),
    "statusSteps": (1, 3),
    "lineageEdge": (1, 3),
    "taskOwner": (1, 3),
    "comparesAll": (1, 3),
    "schemaDefinition": (1, 4),
    "looseLabels": (1, 5),
    "owners": (1, 5),
    "pipelineState": (1, 7),
    "executionId": (1, 10),
    "ifMatch": (1, 10),
    "bulk": (1, 11),
    "statusBulk": (1, 12),
    "statusStopped": (1, 13),
}
# Proved: 1.2 on a real server, the others with the official models of their clients.
PROVED: tuple[tuple[int, int], ...] = ((1, 2), (1, 3), (1, 4), (1, 5), (2, 0))
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class Assumed(NamedTuple):
    """The proved version whose behaviour is assumed for another one."""

    version: str
    like: str


class Features:
    """The features of one server during one run."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self._lacking: set[str] = set()

    def has(self, feature: str) -> bool:
        """Whether the server has it."""
        return self.version[:2] >= FIRST[feature] and feature not in self._lacking

    def lacks(self, feature: str) -> bool:
        """The server answered that it doesn't have it; returns whether that is news."""
        news = self.has(feature)
        self._lacking.add(feature)
        return news

    def assumed(self) -> Assumed | None:
        """What is assumed for a version that nobody tested; None for a proved one."""
        if self.version[:2] in PROVED:
            return None
        like = max((one for one in PROVED if one < self.version[:2]), default=PROVED[0])
        return Assumed(shown(self.version), f"{like[0]}.{like[1]}")


def parse_version(text: str) -> Version | None:
    """`1.2.0-SNAPSHOT` → (1, 2, 0); None for what is no version."""
    found = _VERSION.match(text.strip())
    if not found:
        return None
    major, minor, patch = found.groups(default="0")
    return int(major), int(minor), int(patch)


def shown(version: Version) -> str:
    """`1.2.0`."""
    return ".".join(str(part) for part in version)
