"""The fake OpenMetadata server, seen from the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ingest import Json, into_server
from sandbox import Certificates

SCRIPT = Path(__file__).resolve().parent / "fake_server.py"


class Counted(NamedTuple):
    """Requests since the last count, those that write, and what stands: live tables that have
    columns, and tags."""

    requests: int
    writes: int
    tables: int
    tags: int


class Server:
    """A running fake."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        facts = self._heard()
        self.target: Json = into_server(facts["url"], facts["token"])
        self._old_tags = 0

    def reset(self, latency: float = 0.0) -> None:
        """An empty server that waits so many seconds before each answer; counted anew."""
        self._ask("reset", latency=latency)
        self._old_tags = int(self._ask("stats")["tags"])

    def count(self) -> None:
        """Count anew."""
        self._ask("count")

    def stats(self) -> Counted:
        """What was counted; of the tags those that a server doesn't have at its start."""
        found = Counted(**self._ask("stats"))
        return found._replace(tags=found.tags - self._old_tags)

    def _ask(self, order: str, **more: Any) -> Json:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": order, **more}) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> Json:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fake OpenMetadata server has ended")
        return dict(json.loads(line))


@contextmanager
def fake(version: str, made: Certificates) -> Iterator[Server]:
    """A fake of this version over TLS, in a process of its own, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), version, str(made.server), str(made.key)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(process)
    finally:
        process.terminate()
        process.wait(timeout=30)
