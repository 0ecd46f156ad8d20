"""The spans of a run: itself, its phases, and what it called."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from metaglean import Notice, ObservedRun, Phase
from metaglean_observability import VERSION

SECOND = 1_000_000_000


class _Gathered(SpanProcessor):
    """Keeps the spans that have ended until they are sent."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class Spans:
    """One trace. A `TRACEPARENT` in the environment makes it a part of the trace there."""

    def __init__(self, run: ObservedRun, resource: Resource) -> None:
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._gathered = _Gathered()
        provider.add_span_processor(self._gathered)
        self._tracer = provider.get_tracer("metaglean", VERSION)
        self._started = run.started
        self._run = self._begun("metaglean run", run.started, _outer(), _attributes(run))
        self._open: list[tuple[str, Span]] = []

    def begin(self, phase: Phase) -> None:
        parent = self._open[-1][1] if self._open else self._run
        name = f"metaglean {phase.name}"
        span = self._begun(name, phase.began, set_span_in_context(parent))
        self._open.append((phase.name, span))

    def end(self, phase: Phase) -> None:
        if not any(name == phase.name for name, _ in self._open):
            return
        while self._open:
            name, span = self._open.pop()
            if phase.error:
                span.set_status(Status(StatusCode.ERROR, phase.error))
            span.end(_nanoseconds(phase.ended or phase.began))
            if name == phase.name:
                return

    def noticed(self, notices: Sequence[Notice]) -> None:
        """Problems and warnings are events of the run; the SDK keeps the last 128 of them."""
        for notice in notices:
            known = {
                "stage": notice.stage, "message": notice.message, "item": notice.item,
                "hint": notice.hint, "exception.type": notice.error,
            }  # fmt: skip
            self._run.add_event(notice.level, {key: text for key, text in known.items() if text})

    def finish(self, report: Mapping[str, Any]) -> None:
        ended = self._started + float(report.get("seconds", 0.0))
        for system in report.get("systems", ()):
            self._system(system, ended)
        status = str(report.get("status", ""))
        self._run.set_attribute("metaglean.status", status)
        self._run.set_attribute("metaglean.exit_code", int(report.get("exit_code", 0)))
        if report.get("error"):
            self._run.set_status(Status(StatusCode.ERROR, str(report["error"])))
        while self._open:
            self._open.pop()[1].end(_nanoseconds(ended))
        self._run.end(_nanoseconds(ended))

    def taken(self) -> list[ReadableSpan]:
        """What has ended since the last time."""
        spans, self._gathered.spans = self._gathered.spans, []
        return spans

    def _system(self, system: Mapping[str, Any], ended: float) -> None:
        name = system.get("name", "")
        figures = {
            f"metaglean.http.{key}": value
            for key, value in system.items()
            if isinstance(value, (int, float))
        }
        span = self._begun(
            f"calls to {name}", self._started, set_span_in_context(self._run),
            {"metaglean.system": str(name), **figures}, SpanKind.CLIENT,
        )  # fmt: skip
        span.end(_nanoseconds(ended))

    def _begun(
        self,
        name: str,
        at: float,
        context: Context | None,
        attributes: Mapping[str, Any] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        return self._tracer.start_span(
            name, context=context, kind=kind, attributes=dict(attributes or {}),
            start_time=_nanoseconds(at),
        )  # fmt: skip


def _outer() -> Context:
    names = {"traceparent": "TRACEPARENT", "tracestate": "TRACESTATE"}
    carrier = {key: os.environ[name] for key, name in names.items() if os.environ.get(name)}
    return TraceContextTextMapPropagator().extract(carrier, Context())


def _attributes(run: ObservedRun) -> dict[str, Any]:
    known = {
        "metaglean.run.id": run.id,
        "metaglean.service": run.service.name,
        "metaglean.source": run.source,
        "metaglean.sink": run.sink,
        "metaglean.target": run.target,
        "metaglean.pipeline": run.pipeline,
        "metaglean.dry_run": run.dry_run,
        "metaglean.limit": run.limit,
    }
    return {key: value for key, value in known.items() if value not in ("", None)}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * SECOND)
