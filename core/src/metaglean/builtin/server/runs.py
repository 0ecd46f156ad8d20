"""Runs of pipelines: only those that differ from what stands are sent."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from metaglean import Change
from metaglean.builtin.server.client import Json, Server, by_name
from metaglean.builtin.server.lenient import Lenient
from metaglean.builtin.server.resolver import COLLECTIONS, Resolver
from metaglean.builtin.server.words import Words
from metaglean.errors import ItemError
from metaglean.records import PipelineRun, TaskRun

if TYPE_CHECKING:
    from metaglean import Run

_BULK = 100
# The fields of records → the server's keys.
_RUN = {
    "execution_status": "executionStatus",
    "execution_id": "executionId",
    "end_time": "endTime",
}
_TASK = {
    "execution_status": "executionStatus",
    "start_time": "startTime",
    "end_time": "endTime",
    "log_link": "logLink",
}
_PARTS = {"PipelineStatus": (), "Status": ("taskStatus",)}
_LEFT_OUT = {
    "pipelines": "pipeline runs left out: their pipeline is not on the server",
    "tasks": "task runs left out: their pipeline has no such task",
    "repeated": "pipeline runs left out: a later one has the same timestamp",
}
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


class RunWriter:
    """Writes the runs of one pipeline at a time; safe from any thread.

    What is left out (tasks that the pipeline doesn't have, runs of a pipeline that isn't there) is
    counted in `left_out`, and `report` warns of it.
    """

    def __init__(
        self, server: Server, resolver: Resolver, run: Run, words: Words | None = None
    ) -> None:
        self._server = server
        self._resolver = resolver
        self._run = run
        lists = words or Words(server.features.version)
        self._lenient = Lenient(
            server,
            run,
            lists,
            parts=_PARTS,
            words={"executionStatus": lambda word: lists.known("executionStatus", word)},
            lacking=()
            if server.features.has("executionId")
            else (("PipelineStatus", "executionId"), ("PipelineStatus", "endTime")),
        )
        self._counting = threading.Lock()
        self.left_out: Counter[str] = Counter()

    def write(
        self, records: Sequence[PipelineRun], tasks: Collection[str] | None = None
    ) -> list[Change]:
        """One change a record, in their order, without those that fail (they are problems).

        All records are of one pipeline. `tasks` are the names of its tasks, asked for where they
        aren't given.
        """
        changes: list[Change] = []
        if records:
            with self._run.item(records[0].ref):
                changes = self._write(records, tasks)
        return changes

    def _write(self, records: Sequence[PipelineRun], tasks: Collection[str] | None) -> list[Change]:
        ref = records[0].ref
        pipeline = self._resolver.find(ref)
        if pipeline is not None and pipeline.id and tasks is None:
            tasks = self._tasks(pipeline.fqn)
        if pipeline is None or (pipeline.id and tasks is None):
            self._count("pipelines", len(records))
            return [Change(ref, "skipped", kind=PipelineRun.KIND) for _ in records]
        last = {record.timestamp: record for record in records}
        self._count("repeated", len(records) - len(last))
        stored = self._stored(pipeline.fqn, last) if pipeline.id else {}
        changes: dict[int, Change] = {}
        differing: dict[int, Json] = {}
        for timestamp, record in last.items():
            before = stored.get(timestamp)
            body = self._body(record, before, tasks)
            changes[timestamp], differs = _compared(record, before, self._lenient.fit(body))
            if differs:
                differing[timestamp] = body
        failed = self._send(pipeline.fqn, last, differing)
        skipped = Change(ref, "skipped", kind=PipelineRun.KIND)
        return [
            changes[record.timestamp] if last[record.timestamp] is record else skipped
            for record in records
            if record.timestamp not in failed
        ]

    def report(self) -> None:
        """Warn of what was left out so far, once each."""
        for what, number in sorted(self.left_out.items()):
            self._run.warn(f"{number} {_LEFT_OUT[what]}")
        self.left_out.clear()

    def _count(self, what: str, number: int) -> None:
        if number:
            with self._counting:
                self.left_out[what] += number

    # -- what stands ------------------------------------------------------------------------------

    def _tasks(self, fqn: str) -> set[str] | None:
        """The names of a pipeline's tasks, None where it isn't there."""
        path = f"{COLLECTIONS['pipeline']}/{by_name(fqn)}"
        entity = self._server.find(path, fields="tasks")
        if not isinstance(entity, dict):
            return None
        return {str(task.get("name")) for task in entity.get("tasks") or ()}

    def _stored(self, fqn: str, timestamps: Collection[int]) -> dict[int, Json]:
        """The runs that stand between the oldest and the newest timestamp, both included."""
        body = self._server.get(_path(fqn), startTs=min(timestamps), endTs=max(timestamps))
        data = body.get("data") if isinstance(body, dict) else None
        return {
            one["timestamp"]: one for one in data or () if isinstance(one.get("timestamp"), int)
        }

    # -- what is sent -----------------------------------------------------------------------------

    def _body(
        self, record: PipelineRun, stored: Json | None, tasks: Collection[str] | None
    ) -> Json:
        """What stands with what the record says in it. A server needs `taskStatus`, also empty."""
        stored = stored or {}
        body = _with(record, _RUN, stored) | {"timestamp": record.timestamp}
        before = {row.get("name"): row for row in stored.get("taskStatus") or ()}
        if "task_status" not in record.model_fields_set:
            return body | {"taskStatus": list(before.values())}
        known = [one for one in record.task_status if tasks is None or one.name in tasks]
        self._count("tasks", len(record.task_status) - len(known))
        return body | {"taskStatus": [_task(one, before.get(one.name, {})) for one in known]}

    def _send(
        self, fqn: str, records: Mapping[int, PipelineRun], bodies: Mapping[int, Json]
    ) -> set[int]:
        """Send them; returns the timestamps of those that failed."""
        if self._run.dry_run or not bodies:
            return set()
        failed: set[int] = set()
        timestamps = sorted(bodies)
        for start in range(0, len(timestamps), _BULK):
            part = timestamps[start : start + _BULK]
            if self._in_bulk(fqn, [bodies[timestamp] for timestamp in part]):
                continue
            for timestamp in part:
                failed.add(timestamp)
                with self._run.item(records[timestamp].ref):
                    self._lenient.put(_path(fqn), bodies[timestamp])
                    failed.discard(timestamp)
        return failed

    def _in_bulk(self, fqn: str, bodies: list[Json]) -> bool:
        """Whether all arrived in one call. Those of a call that fails are sent one by one, which is
        as good (a run replaces itself) and shows which one it is."""
        if len(bodies) == 1 or not self._server.features.has("statusBulk"):
            return False
        try:
            answer = self._lenient.put(f"{_path(fqn)}/bulk", bodies)
        except ItemError as error:
            if error.status in {404, 405, 500}:
                self._server.features.lacks("statusBulk")
            return False
        outcome = answer.body.get("status") if isinstance(answer.body, dict) else None
        return outcome in {None, "success"}


def _path(fqn: str) -> str:
    return f"{COLLECTIONS['pipeline']}/{quote(fqn, safe='')}/status"


def _with(
    record: PipelineRun | TaskRun, keys: Mapping[str, str], stored: Mapping[str, Any]
) -> Json:
    """A stored object with what the record read in it."""
    body = dict(stored)
    for field, key in keys.items():
        if field in record.model_fields_set:
            body[key] = getattr(record, field)
    return {key: value for key, value in body.items() if value is not None}


def _task(record: TaskRun, stored: Json) -> Json:
    row = _with(record, _TASK, stored) | {"name": record.name}
    if "logLink" in row:  # a server takes URIs only
        row["logLink"] = quote(
            _STRAY_PERCENT.sub("%25", row["logLink"]), safe="%;/?:@&=+$,-_.!~*'()#"
        )
    return row


def _compared(record: PipelineRun, stored: Json | None, body: Json) -> tuple[Change, bool]:
    """The change from what stands to what would be sent, and whether there is one."""
    if stored is None:
        return Change(record.ref, "created", kind=PipelineRun.KIND), True
    fields: dict[str, tuple[Any, Any]] = {}
    for field, key in {**_RUN, "task_status": "taskStatus"}.items():
        old, new = stored.get(key), body.get(key)
        if (_sorted(old) != _sorted(new)) if key == "taskStatus" else old != new:
            fields[field] = (old, new)
    action: Any = "updated" if fields else "unchanged"
    return Change(record.ref, action, fields, kind=PipelineRun.KIND), bool(fields)


def _sorted(rows: Any) -> list[str]:
    """Task rows in an order of their own, without what is null."""
    cleaned = ({key: row[key] for key in sorted(row) if row[key] is not None} for row in rows or ())
    return sorted(map(repr, cleaned))
