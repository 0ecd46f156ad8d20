"""What a collector gets, decoded as it would decode it."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from metaglean import RemoteError
from metaglean_observability.opentelemetry import OpenTelemetry
from metaglean_testkit import ObserverContract

CANARY = "canary-0f-the-run"  # that of conftest.py
KEY = "k3y-0f-the-collector"


class TestContract(ObserverContract):
    observer_class = OpenTelemetry

    @pytest.fixture
    def settings(self, receiver):
        return {"endpoint": receiver.url, "headers": {"x-api-key": KEY}}

    @pytest.fixture
    def sent(self, receiver):
        return lambda: b"".join(body for _, _, body in receiver.posts)

    @pytest.fixture
    def away(self, monkeypatch, receiver):
        receiver.status = 400
        return {"endpoint": receiver.url}


def value(any_value):
    return getattr(any_value, any_value.WhichOneof("value"))


def attributes(holder):
    return {pair.key: value(pair.value) for pair in holder.attributes}


def spans(receiver):
    """Name → span of all that was received, and the resource's attributes."""
    found, resource = {}, {}
    for body in receiver.bodies("/v1/traces"):
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = attributes(group.resource)
            for scope in group.scope_spans:
                found |= {span.name: span for span in scope.spans}
    return found, resource


def metrics(receiver):
    """Name → [(attributes, value)] as they stood last; older SDKs leave out what didn't change."""
    found = {}
    for body in receiver.bodies("/v1/metrics"):
        request = ExportMetricsServiceRequest.FromString(body)
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            for point in getattr(metric, metric.WhichOneof("data")).data_points:
                told = attributes(point)
                kind = point.DESCRIPTOR.name
                field = "sum" if "Histogram" in kind else point.WhichOneof("value")
                found.setdefault(metric.name, {})[str(told)] = (told, getattr(point, field))
    return {name: list(points.values()) for name, points in found.items()}


def test_spans_of_the_run_its_phases_and_systems(observed, receiver, complaints):
    outcome = observed("opentelemetry", {"endpoint": f"{receiver.url}/"})
    assert complaints(outcome) == []
    found, resource = spans(receiver)
    assert set(found) == {
        "metaglean run", "metaglean open", "metaglean write", "metaglean read",
        "metaglean delete", "metaglean close", "calls to Shop API",
    }  # fmt: skip
    run = found["metaglean run"]
    assert {span.trace_id for span in found.values()} == {run.trace_id}
    assert run.parent_span_id == b""
    assert found["metaglean read"].parent_span_id == found["metaglean write"].span_id
    assert found["metaglean close"].parent_span_id == run.span_id
    for span in found.values():
        assert run.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    told = attributes(run)
    assert told["metaglean.run.id"] == "11111111-2222-3333-4444-555555555555"
    assert told["metaglean.status"] == "partialSuccess"
    assert told["metaglean.exit_code"] == 0
    assert [event.name for event in run.events] == ["problem"]
    assert attributes(run.events[0])["item"] == "svc.d.s.broken"
    assert run.status.code == Status.STATUS_CODE_UNSET
    calls = found["calls to Shop API"]
    assert calls.kind == Span.SPAN_KIND_CLIENT
    assert attributes(calls)["metaglean.http.calls"] == 1
    assert resource["service.name"] == "metaglean"


def test_a_run_that_fails(observed, receiver):
    observed("opentelemetry", {"endpoint": receiver.url}, RemoteError(f"away: {CANARY}"))
    found, _ = spans(receiver)
    assert found["metaglean run"].status.code == Status.STATUS_CODE_ERROR
    assert found["metaglean run"].status.message == "away: ***"
    assert found["metaglean read"].status.code == Status.STATUS_CODE_ERROR
    assert CANARY.encode() not in b"".join(body for _, _, body in receiver.posts)


def test_metrics(observed, receiver):
    observed("opentelemetry", {"endpoint": receiver.url})
    found = metrics(receiver)
    entities = {
        (told["kind"], told["action"]): number for told, number in found["metaglean.entities"]
    }
    assert entities["table", "created"] == 2
    assert entities["databaseSchema", "created"] == 1
    assert [(told["stage"], number) for told, number in found["metaglean.problems"]] == [
        ("source", 1)
    ]
    assert [(told["system"], number) for told, number in found["metaglean.http.calls"]] == [
        ("Shop API", 1)
    ]
    phases = {told["phase"] for told, _ in found["metaglean.phase.duration"]}
    assert phases == {"open", "read", "write", "delete", "close"}
    assert found["metaglean.run.duration"][0][0]["status"] == "partialSuccess"


def test_the_environment_is_obeyed(observed, receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=data%20people,x-other=1")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "nightly")
    monkeypatch.setenv("TRACEPARENT", f"00-{'ab' * 16}-{'cd' * 8}-01")
    config = {"headers": {"x-api-key": KEY}, "attributes": {"team": "x"}, "metrics": False}
    observed("opentelemetry", config)
    found, resource = spans(receiver)
    assert receiver.bodies("/v1/metrics") == []
    headers = {name.lower(): text for name, text in receiver.posts[0][1].items()}
    assert (headers["x-team"], headers["x-api-key"]) == ("data people", KEY)
    assert headers["content-type"] == "application/x-protobuf"
    assert found["metaglean run"].trace_id.hex() == "ab" * 16
    assert found["metaglean run"].parent_span_id.hex() == "cd" * 8
    assert resource["service.name"] == "nightly"
    assert resource["deployment.environment"] == "test"
    assert resource["team"] == "x"


def test_a_collector_that_refuses_costs_one_warning(observed, receiver, complaints):
    receiver.status = 403
    outcome = observed("opentelemetry", {"endpoint": receiver.url, "headers": {"k": KEY}})
    assert outcome.exit_code == 0
    assert len(complaints(outcome)) == 1
    assert "the observer opentelemetry failed: OpenTelemetry: " in complaints(outcome)[0]
    assert len(receiver.posts) == 1
    assert KEY not in outcome.written


def test_what_the_collector_echoes_is_masked(observed, receiver, monkeypatch, complaints):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{KEY}")
    receiver.status, receiver.answer = 400, f'{{"message": "what is {KEY}?"}}'.encode()
    outcome = observed("opentelemetry", {"endpoint": receiver.url})
    assert "what is ***?" in complaints(outcome)[0]
    assert KEY not in outcome.written


def test_only_metrics(observed, receiver):
    observed("opentelemetry", {"endpoint": receiver.url, "traces": False})
    assert receiver.bodies("/v1/traces") == []
    assert receiver.bodies("/v1/metrics")
