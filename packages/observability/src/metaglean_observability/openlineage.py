"""The observer `openlineage`: one event when a run begins and one when it ends.

The format is OpenLineage's, https://openlineage.io/spec/2-0-2/OpenLineage.json.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, SecretStr, model_validator

from metaglean import Bearer, Change, Config, ObservedRun, Observer, fqn, hookimpl
from metaglean_observability import VERSION

SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
PRODUCER = f"urn:metaglean:{VERSION}"
ENDINGS = {"success": "COMPLETE", "partialSuccess": "COMPLETE", "stopped": "ABORT"}
"""Event type by the run's status; every other one is FAIL."""
STATES = {"created": "CREATE", "restored": "CREATE", "updated": "ALTER", "deleted": "DROP"}


class OpenLineageConfig(Config):
    """Settings of the observer `openlineage`."""

    url: str | None = Field(
        None, description="Address of the system that takes the events, such as Marquez."
    )
    endpoint: str = Field("api/v1/lineage", description="The path below `url`.")
    api_key: SecretStr | None = Field(None, description="Sent as a bearer token.")
    path: str | None = Field(
        None, description="A file that the events are appended to, one a line, instead of a `url`."
    )
    namespace: str = Field("metaglean", min_length=1, description="Namespace of the job.")
    job_name: str | None = Field(
        None, min_length=1, description="Name of the job; by default the workflow's `serviceName`."
    )
    dataset_namespace: str | None = Field(
        None,
        min_length=1,
        description="Namespace of the datasets; by default the workflow's `serviceName`.",
    )
    max_datasets: int = Field(
        1000, ge=0, description="At most so many outputs are named in one event."
    )

    @model_validator(mode="after")
    def _one_target(self) -> OpenLineageConfig:
        if (self.url is None) == (self.path is None):
            raise ValueError("expected either url or path")
        return self


class OpenLineage(Observer):
    """Sends a START event, then COMPLETE, FAIL or ABORT with the tables that were written."""

    type: ClassVar[str] = "openlineage"
    Config = OpenLineageConfig

    def started(self, run: ObservedRun) -> None:
        config: OpenLineageConfig = self.config
        self._run = run
        self._outputs: dict[str, str] = {}
        if config.url:
            auth = Bearer(config.api_key.get_secret_value()) if config.api_key else None
            self._session = run.session("OpenLineage", config.url, auth)
        self._emit("START", run.started, {})

    def changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            table = change.ref.kind == "table" and not change.kind
            if table and change.action in STATES:
                name = fqn.build(change.ref.path[1:])
                if name in self._outputs or len(self._outputs) < self.config.max_datasets:
                    self._outputs[name] = STATES[change.action]

    def ended(self, report: Mapping[str, Any]) -> None:
        kind = ENDINGS.get(str(report.get("status")), "FAIL")
        facets: dict[str, Any] = {}
        if report.get("error"):
            facets["errorMessage"] = _facet(
                "1-0-1/ErrorMessageRunFacet",
                message=str(report["error"]),
                programmingLanguage="PYTHON",
            )
        self._emit(kind, self._run.started + float(report.get("seconds", 0.0)), facets)

    def _emit(self, kind: str, at: float, facets: Mapping[str, Any]) -> None:
        if self._run.dry_run:
            return  # nothing is written, so there is nothing to tell
        event = self._event(kind, at, facets)
        if self.config.path:
            with Path(self.config.path).open("a", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")
        else:
            self._session.post(self.config.endpoint, json=event, idempotent=True)

    def _event(self, kind: str, at: float, facets: Mapping[str, Any]) -> dict[str, Any]:
        config: OpenLineageConfig = self.config
        service = self._run.service.name
        engine = _facet(
            "1-1-1/ProcessingEngineRunFacet", version=VERSION, name="metaglean",
            openlineageAdapterVersion=VERSION,
        )  # fmt: skip
        job = _facet(
            "2-0-4/JobTypeJobFacet", processingType="BATCH", integration="METAGLEAN",
            jobType="METADATA_INGESTION",
        )  # fmt: skip
        return {
            "eventType": kind,
            "eventTime": datetime.fromtimestamp(at, timezone.utc).isoformat(
                timespec="milliseconds"
            ),
            "producer": PRODUCER,
            "schemaURL": EVENT,
            "run": {
                "runId": _run_id(self._run.id),
                "facets": {"processing_engine": engine, **facets},
            },
            "job": {
                "namespace": config.namespace,
                "name": config.job_name or service,
                "facets": {"jobType": job},
            },
            "inputs": [],
            "outputs": [
                _dataset(config.dataset_namespace or service, name, state)
                for name, state in self._outputs.items()
            ],
        }


def _dataset(namespace: str, name: str, state: str) -> dict[str, Any]:
    facet = _facet("1-0-1/LifecycleStateChangeDatasetFacet", lifecycleStateChange=state)
    return {"namespace": namespace, "name": name, "facets": {"lifecycleStateChange": facet}}


def _facet(schema: str, **fields: Any) -> dict[str, Any]:
    """`schema` is version and name of a facet of the specification."""
    name = schema.partition("/")[2]
    url = f"{SPEC}/facets/{schema}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **fields}


def _run_id(run_id: str) -> str:
    """OpenLineage wants a UUID: that of the run, or one made from a name."""
    try:
        return str(uuid.UUID(run_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"metaglean:{run_id}"))


@hookimpl
def register_observers() -> Iterable[type[Observer]]:
    return [OpenLineage]
