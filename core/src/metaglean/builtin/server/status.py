"""The run's status, reported to the ingestion pipeline that the workflow names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from metaglean.builtin.server.client import Json, Server, by_name, unknown_word
from metaglean.builtin.server.lenient import Lenient
from metaglean.builtin.server.words import Words
from metaglean.errors import ItemError, MetagleanError, catching
from metaglean.fqn import split
from metaglean.records import Ref

if TYPE_CHECKING:
    from metaglean import Run

_COLLECTION = "services/ingestionPipelines"
_SOURCE_TYPES = {
    "databaseService": "DatabaseMetadata",
    "pipelineService": "PipelineMetadata",
    "dashboardService": "DashboardMetadata",
}
_PARTS = {"PipelineStatus": (), "StepSummary": ("status",)}
_STEPS = ("source", "processor", "sink", "deletion")
_MOST_FAILURES = 10
_SAME_MOMENT = 3  # attempts at a timestamp: a server keeps one run a millisecond


class StatusReporter:
    """Reports one run: queued and running at its start, how it ended at its end.

    It does nothing in a dry run, nor where the workflow names no ingestion pipeline. A pipeline
    that isn't there is made below `service` as soon as that stands: `service_id` gives its id, or
    None. Whatever the server refuses is one warning, and nothing more is reported.

    `reconnect` gives a connection for the end of a run that was told to stop: its own is closed to
    new calls by then.
    """

    def __init__(
        self,
        server: Server,
        run: Run,
        service: Ref,
        service_id: Callable[[], str | None],
        *,
        pipeline_type: str = "metadata",
        reconnect: Callable[[], Server] | None = None,
    ) -> None:
        self._run = run
        self._service = service
        self._service_id = service_id
        self._type = pipeline_type
        self._reconnect = reconnect
        self._fqn = "" if run.dry_run else run.ingestion_pipeline_fqn or ""
        self._path = ""
        self._started = round(run.started * 1000)
        self._timestamp = self._started
        self._stopped = server.features.has("statusStopped")
        self._connect(server)

    def start(self) -> None:
        """The run begins. May be called again, once the service stands; it reports once."""
        if self._fqn and not self._path:
            self._try(self._start)

    def finish(self, status: str) -> None:
        """The run has ended: `status` is success, partialSuccess, failed or stopped."""
        if not self._fqn:
            return
        if self._run.stopping and self._reconnect:
            self._try(lambda: self._connect(self._reconnect() if self._reconnect else self._server))
        self._try(lambda: self._finish(status))

    # -- the calls --------------------------------------------------------------------------------

    def _connect(self, server: Server) -> None:
        self._server = server
        lacking = [] if server.features.has("statusSteps") else [("PipelineStatus", "status")]
        self._lenient = Lenient(
            server,
            self._run,
            Words(server.features.version),
            parts=_PARTS,
            words={},
            lacking=lacking,
        )

    def _try(self, step: Callable[[], None]) -> None:
        """Do it; what goes wrong is one warning and the end of all reports."""
        error: BaseException | None
        try:
            with catching() as caught:
                step()
            error = caught.error
        except MetagleanError as ending:  # the server is away: others will notice, if it matters
            error = ending
        if error is not None:
            self._run.warn(
                f"the run's status can't be reported to {self._fqn}: {self._run.describe(error)}",
                hint="Look at ingestionPipelineFQN and at the bot's permissions, or leave it out.",
                feature="run status",
            )
            self._fqn = ""

    def _start(self) -> None:
        if not self._find():
            return
        known = self._known()
        if isinstance(known, dict) and isinstance(known.get("timestamp"), int):
            self._timestamp = known["timestamp"]  # whoever started this run has said so already
            self._started = known.get("startDate") or self._started
        else:
            self._put({"pipelineState": "queued"})
        self._put({"pipelineState": "running"})

    def _known(self) -> Any | None:
        """What the server knows of this run already."""
        try:
            return self._server.find(f"{self._path}/pipelineStatus/{quote(self._run.id, safe='')}")
        except ItemError as error:
            if error.status != 204:  # which means: nothing
                raise
            return None

    def _finish(self, status: str) -> None:
        if not self._path:
            self._start()
        if not self._path:
            raise ItemError("it isn't there, and neither is its service")
        body: Json = {
            "pipelineState": status if status != "stopped" or self._stopped else "failed",
            "endDate": round(self._run.clock.now() * 1000),
            "status": list(self._steps()),
        }
        try:
            self._put(body)
        except ItemError as error:
            if status != "stopped" or unknown_word(error) != "PipelineStatusType":
                raise
            self._put({**body, "pipelineState": "failed"})

    def _find(self) -> bool:
        """Find the ingestion pipeline, or make it; False while its service isn't there."""
        found = self._server.find(f"{_COLLECTION}/{by_name(self._fqn)}")
        if found is None:
            service, name = _parts(self._fqn)
            if service != self._service.name:
                raise ItemError(f"it isn't there, and is none of the service {self._service}")
            service_id = self._service_id()
            if not service_id:
                return False
            found = self._create(name, service_id)
        fqn = self._fqn
        if isinstance(found, dict):
            # The answer holds the token of the server's own bot, which may not be ours.
            self._run.redactor.add(*_tokens(found))
            fqn = str(found.get("fullyQualifiedName") or fqn)
        self._path = f"{_COLLECTION}/{quote(fqn, safe='')}"
        return True

    def _create(self, name: str, service_id: str) -> Any:
        kind = self._service.kind
        source = "Profiler" if self._type == "profiler" else _SOURCE_TYPES.get(kind)
        body = {
            "name": name,
            "pipelineType": self._type,
            "service": {"id": service_id, "type": kind},
            "sourceConfig": {"config": {"type": source or "DatabaseMetadata"}},
            "airflowConfig": {},
        }
        return self._server.put(_COLLECTION, body).body

    def _put(self, body: Json) -> None:
        for attempt in range(_SAME_MOMENT):
            moment = {"timestamp": self._timestamp, "startDate": self._started}
            try:
                self._lenient.put(
                    f"{self._path}/pipelineStatus", {"runId": self._run.id, **moment, **body}
                )
            except ItemError as error:
                if error.status != 409 or attempt == _SAME_MOMENT - 1:
                    raise
                self._timestamp += 1  # another run began in the same millisecond
            else:
                return

    # -- the steps --------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Json]:
        """A summary of each step that did, or said, anything."""
        report = self._run.report
        for step in _STEPS:
            whole = report.number("sink") - report.number("sink", what="deleted")
            counts = {
                "source": report.number("source", what="read"),
                "sink": whole - report.number("sink", what="updated"),
                "deletion": report.number("sink", what="deleted"),
            }
            summary: Json = {
                "records": counts.get(step, 0),
                "updated_records": report.number("sink", what="updated") if step == "sink" else 0,
                "filtered": report.number(step, what="filtered"),
                "warnings": report.warnings.in_stage(step),
                "errors": report.problems.in_stage(step),
            }
            if step in {"source", "sink"} or any(summary.values()):
                yield {"name": step, **summary, "failures": list(self._failures(step))}

    def _failures(self, step: str) -> Iterator[Json]:
        groups = [group for group in self._run.report.problems if group.stage == step]
        for group in groups[:_MOST_FAILURES]:
            name = group.items[0] if group.items else step
            more = f" ({group.count} alike)" if group.count > 1 else ""
            clean = self._run.redactor.url
            yield {"name": clean(name), "error": clean(f"{group.message}{more}")}


def _parts(fqn: str) -> tuple[str, str]:
    """The service and the name in the qualified name of an ingestion pipeline."""
    try:
        service, name = split(fqn)
    except ValueError as error:
        raise ItemError(f"it isn't there, and it is no SERVICE.NAME: {error}") from error
    return service, name


def _tokens(value: Any) -> Iterator[str]:
    """The secrets in a stored ingestion pipeline."""
    if isinstance(value, dict):
        for key, item in value.items():
            telling = key.lower().endswith(("token", "password", "secret"))
            if telling and isinstance(item, str) and item.strip("*"):
                yield item
            yield from _tokens(item)
    elif isinstance(value, list):
        for item in value:
            yield from _tokens(item)
