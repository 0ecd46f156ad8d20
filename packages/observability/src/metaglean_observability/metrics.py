"""The metrics of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource

from metaglean import Change, Notice, ObservedRun, Phase
from metaglean_observability import VERSION

CALLS = {
    "calls": ("{call}", "Calls, without their retries."),
    "retries": ("{call}", "Calls that were sent again."),
    "rate_limited": ("{call}", "Calls that were refused for their rate."),
    "failures": ("{call}", "Calls that failed for good."),
    "waited_seconds": ("s", "Time that workers waited, all together."),
    "bytes_received": ("By", "What was received."),
}


class Metrics:
    """Counters since the run began, in one reader."""

    def __init__(self, run: ObservedRun, resource: Resource) -> None:
        self._reader = InMemoryMetricReader()
        provider = MeterProvider([self._reader], resource=resource, shutdown_on_exit=False)
        meter = provider.get_meter("metaglean", VERSION)
        self._common: dict[str, Any] = {
            "metaglean.service": run.service.name,
            "metaglean.source": run.source,
            "metaglean.sink": run.sink,
            "metaglean.dry_run": run.dry_run,
        }
        self._entities = meter.create_counter(
            "metaglean.entities", "{entity}", "What became of the entities in the sink."
        )
        self._notices = {
            level: meter.create_counter(f"metaglean.{level}s", f"{{{level}}}", f"{level}s.")
            for level in ("problem", "warning")
        }
        self._calls = {
            key: meter.create_counter(f"metaglean.http.{key}", unit, text)
            for key, (unit, text) in CALLS.items()
        }
        self._phases = meter.create_histogram(
            "metaglean.phase.duration", "s", "How long a phase of the run took."
        )
        self._duration = meter.create_histogram(
            "metaglean.run.duration", "s", "How long the run took."
        )
        self._seen: dict[tuple[str, str], float] = {}

    def changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            kind = change.kind or change.ref.kind
            self._entities.add(1, {**self._common, "kind": kind, "action": change.action})

    def noticed(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.level in self._notices:
                self._notices[notice.level].add(1, {**self._common, "stage": notice.stage})

    def called(self, systems: Sequence[Mapping[str, Any]]) -> None:
        totals: dict[tuple[str, str], float] = {}
        for system in systems:  # a system may have a session for each stage
            for key in CALLS:
                where = (str(system.get("name", "")), key)
                totals[where] = totals.get(where, 0) + float(system.get(key, 0))
        for (name, key), total in totals.items():
            more = total - self._seen.get((name, key), 0)
            self._calls[key].add(max(more, 0), {**self._common, "system": name})
            self._seen[name, key] = total

    def phase(self, phase: Phase) -> None:
        if phase.ended is not None:
            seconds = max(phase.ended - phase.began, 0.0)
            self._phases.record(seconds, {**self._common, "phase": phase.name})

    def finish(self, report: Mapping[str, Any]) -> None:
        self.called(report.get("systems", ()))
        status = str(report.get("status", ""))
        seconds = float(report.get("seconds", 0.0))
        self._duration.record(seconds, {**self._common, "status": status})

    def data(self) -> MetricsData | None:
        """All of them as they stand."""
        return self._reader.get_metrics_data()
