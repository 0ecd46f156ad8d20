"""Creates many entities in one call, where the server has `PUT /<coll>/bulk` (1.11 on)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from metaglean import Change
from metaglean.builtin.server.client import Json, Server
from metaglean.builtin.server.names import QualifiedNames
from metaglean.builtin.server.wire import KINDS
from metaglean.builtin.server.writer import Job, Writer
from metaglean.errors import ItemError, NotFound

if TYPE_CHECKING:
    from metaglean import Run


class Bulk:
    """Sends new entities together; a row that fails is sent again by itself, so that it fails, or
    is adapted to the server, like any other."""

    def __init__(self, server: Server, run: Run, writer: Writer, qualified: QualifiedNames) -> None:
        self._server = server
        self._run = run
        self._writer = writer
        self._qualified = qualified

    def write(self, jobs: Sequence[Job]) -> list[Change]:
        """The changes; jobs that fail are problems."""
        failed: set[int] = set(range(len(jobs)))
        if len(jobs) > 1 and not self._run.dry_run and self._server.features.has("bulk"):
            failed = self._sent(jobs)
        changes = []
        for number, job in enumerate(jobs):
            if number not in failed:
                changes.append(Change(job.ref, "created"))
                continue
            with self._run.item(job.ref):
                changes.append(self._writer.write(job))
        return changes

    def _sent(self, jobs: Sequence[Job]) -> set[int]:
        """The positions of those that were not stored."""
        path = f"{KINDS[jobs[0].ref.kind].collection}/bulk"
        everything = set(range(len(jobs)))
        try:
            answer = self._server.put(path, [self._writer.body(job) for job in jobs])
        except NotFound:
            if self._server.features.lacks("bulk"):
                self._run.log.info("the server has no bulk call: entities are sent one by one")
            return everything
        except ItemError as error:
            self._run.log.debug("a bulk call failed: %s", self._run.describe(error))
            return everything
        body = answer.body if isinstance(answer.body, dict) else {}
        failed = list(body.get("failedRequest") or ())
        if not failed and body.get("numberOfRowsPassed") != len(jobs):
            return everything
        return self._positions(jobs, failed)

    def _positions(self, jobs: Sequence[Job], failed: Sequence[Any]) -> set[int]:
        """Which jobs the failed rows are: each names its entity, or holds the body."""
        if not failed:
            return set()
        by_name = {self._qualified(job.ref): number for number, job in enumerate(jobs)}
        by_body = {self._writer.body(job)["name"]: number for number, job in enumerate(jobs)}
        found = set()
        for row in failed:
            request: str | Json | None = row.get("request") if isinstance(row, dict) else None
            if isinstance(request, dict):
                number = by_body.get(str(request.get("name")))
            else:
                number = by_name.get(str(request))
            if number is None:
                return set(range(len(jobs)))
            found.add(number)
        return found
