"""The observer `opentelemetry`: spans and metrics of a run, sent to a collector by OTLP over HTTP.

OpenTelemetry's own encoder makes the messages; they are sent by `metaglean.http`, which masks
secrets, obeys proxies and retries as in the rest of a run, and says nothing on standard error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import unquote

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from pydantic import Field, SecretStr

from metaglean import Change, Config, Notice, ObservedRun, Observer, Phase, hookimpl
from metaglean_observability import VERSION
from metaglean_observability.metrics import Metrics
from metaglean_observability.spans import Spans

ENDPOINT = "http://localhost:4318"
_SECRET = re.compile("auth|key|token|secret|password", re.IGNORECASE)
_PROTOBUF = {"Content-Type": "application/x-protobuf", "Accept": "application/x-protobuf"}


class OpenTelemetryConfig(Config):
    """Settings of the observer `opentelemetry`."""

    endpoint: str | None = Field(
        None,
        description="Address of the collector's OTLP receiver for HTTP; by default that of "
        f"`OTEL_EXPORTER_OTLP_ENDPOINT`, else {ENDPOINT}.",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="More headers for every call, besides those of `OTEL_EXPORTER_OTLP_HEADERS`.",
    )
    service_name: str | None = Field(
        None, description="`service.name`; by default `OTEL_SERVICE_NAME`, else metaglean."
    )
    attributes: dict[str, str] = Field(
        default_factory=dict,
        description="More attributes of the resource, besides `OTEL_RESOURCE_ATTRIBUTES`.",
    )
    traces: bool = Field(True, description="Send spans.")
    metrics: bool = Field(True, description="Send metrics.")


class OpenTelemetry(Observer):
    """Sends spans of the run, its phases and the systems it called, and metrics."""

    type: ClassVar[str] = "opentelemetry"
    Config = OpenTelemetryConfig

    def started(self, run: ObservedRun) -> None:
        config: OpenTelemetryConfig = self.config
        resource = _resource(config)
        endpoint = config.endpoint or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or ENDPOINT
        headers = dict(_headers(config))
        self._session = run.session("OpenTelemetry", endpoint, headers=headers)
        # Those of the settings are known as secrets; of the environment's, only some are.
        for name, value in headers.items():
            if _SECRET.search(name):
                self._session.redactor.add(value, value.rpartition(" ")[2])  # "Bearer …" too
        self._spans = Spans(run, resource) if config.traces else None
        self._metrics = Metrics(run, resource) if config.metrics else None

    def phase_began(self, phase: Phase) -> None:
        if self._spans:
            self._spans.begin(phase)

    def phase_ended(self, phase: Phase) -> None:
        if self._spans:
            self._spans.end(phase)
        if self._metrics:
            self._metrics.phase(phase)

    def changed(self, changes: Sequence[Change]) -> None:
        if self._metrics:
            self._metrics.changed(changes)

    def noticed(self, notices: Sequence[Notice]) -> None:
        if self._spans:
            self._spans.noticed(notices)
        if self._metrics:
            self._metrics.noticed(notices)

    def called(self, systems: Sequence[Mapping[str, Any]]) -> None:
        if self._metrics:
            self._metrics.called(systems)
        self._send()

    def ended(self, report: Mapping[str, Any]) -> None:
        if self._spans:
            self._spans.finish(report)
        if self._metrics:
            self._metrics.finish(report)
        self._send()

    def _send(self) -> None:
        spans = self._spans.taken() if self._spans else ()
        if spans:
            self._post("/v1/traces", encode_spans(spans))
        data = self._metrics.data() if self._metrics else None
        if data is not None:
            self._post("/v1/metrics", encode_metrics(data))

    def _post(self, path: str, message: Any) -> None:
        body = message.SerializeToString()
        self._session.post(path, data=body, headers=_PROTOBUF, idempotent=True)


def _resource(config: OpenTelemetryConfig) -> Resource:
    """The environment's attributes, overruled by those of the settings."""
    known = {"service.version": VERSION, **config.attributes}
    named = config.service_name or os.environ.get("OTEL_SERVICE_NAME") or ""
    if named or "service.name=" not in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        known.setdefault("service.name", named or "metaglean")
    return Resource.create(known)


def _headers(config: OpenTelemetryConfig) -> Iterator[tuple[str, str]]:
    """`OTEL_EXPORTER_OTLP_HEADERS` is a list of name=value, its values encoded as in URLs."""
    for pair in os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","):
        name, given, value = pair.partition("=")
        if given:
            yield name.strip(), unquote(value.strip())
    for name, secret in config.headers.items():
        yield name, secret.get_secret_value()


@hookimpl
def register_observers() -> Iterable[type[Observer]]:
    return [OpenTelemetry]
