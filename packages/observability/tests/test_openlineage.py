"""What a lineage system gets; every event must fit the classes of OpenLineage's own client."""

from __future__ import annotations

import json

import pytest
from openlineage.client import event_v2
from openlineage.client.facet_v2 import (
    error_message_run,
    job_type_job,
    lifecycle_state_change_dataset,
    processing_engine_run,
)
from openlineage.client.serde import Serde

from metaglean import RemoteError
from metaglean.errors import ConfigError, Interrupted
from metaglean_observability.openlineage import PRODUCER, OpenLineage
from metaglean_testkit import ObserverContract

CANARY = "canary-0f-the-run"  # that of conftest.py
KEY = "k3y-0f-the-lineage-system"
PATH = "/api/v1/lineage"
FACETS = {
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
}


class TestContract(ObserverContract):
    observer_class = OpenLineage

    @pytest.fixture
    def settings(self, receiver):
        return {"url": receiver.url, "apiKey": KEY}

    @pytest.fixture
    def sent(self, receiver):
        return lambda: b"".join(body for _, _, body in receiver.posts)

    @pytest.fixture
    def away(self, receiver):
        receiver.status = 401
        return {"url": receiver.url}


def official(event):
    """The event, made by the official classes: a key that they don't know is a TypeError."""

    def facets(found):
        return {
            name: FACETS[name](
                producer=facet["_producer"],
                **{key: one for key, one in facet.items() if not key.startswith("_")},
            )
            for name, facet in found.items()
        }

    datasets = [
        event_v2.OutputDataset(**{**one, "facets": facets(one["facets"])})
        for one in event["outputs"]
    ]
    run, job = event["run"], event["job"]
    return event_v2.RunEvent(
        eventType=event_v2.RunState[event["eventType"]],
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=event_v2.Run(runId=run["runId"], facets=facets(run["facets"])),
        job=event_v2.Job(**{**job, "facets": facets(job["facets"])}),
        inputs=event["inputs"],
        outputs=datasets,
    )


def checked(bodies):
    """The events, each equal to what the official client would send."""
    events = [json.loads(body) for body in bodies]
    for event in events:
        made = json.loads(Serde.to_json(official(event)))
        assert _without_empty(made) == _without_empty(event)
    return events


def _without_empty(data):
    """Serde leaves out empty values, and adds null ones."""
    if isinstance(data, dict):
        cleaned = {key: _without_empty(one) for key, one in data.items()}
        return {key: one for key, one in cleaned.items() if one not in (None, [], {})}
    return [_without_empty(one) for one in data] if isinstance(data, list) else data


def test_a_run_is_two_events(observed, receiver, complaints):
    outcome = observed("openlineage", {"url": receiver.url, "apiKey": KEY})
    assert complaints(outcome) == []
    start, end = checked(receiver.bodies(PATH))
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"] == "11111111-2222-3333-4444-555555555555"
    assert (end["job"]["namespace"], end["job"]["name"]) == ("metaglean", "svc")
    assert start["outputs"] == []
    assert [(one["namespace"], one["name"]) for one in end["outputs"]] == [
        ("svc", 'd.s."a.b"'), ("svc", "d.s.c"),
    ]  # fmt: skip
    assert end["outputs"][0]["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE"
    assert start["eventTime"] <= end["eventTime"]
    assert end["producer"] == PRODUCER
    assert receiver.posts[0][1]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (RemoteError(f"away: {CANARY}"), "FAIL"),
        (ValueError("x"), "FAIL"),
        (Interrupted(2), "ABORT"),
    ],
)
def test_other_endings(observed, receiver, ending, kind):
    observed("openlineage", {"url": receiver.url}, ending)
    last = checked(receiver.bodies(PATH))[-1]
    assert last["eventType"] == kind
    assert last["run"]["facets"]["errorMessage"]["message"]
    assert CANARY not in json.dumps(last)


def test_names_and_bounds(observed, receiver):
    config = {
        "url": receiver.url, "endpoint": "custom/path", "namespace": "prod", "jobName": "nightly",
        "datasetNamespace": "domo://acme", "maxDatasets": 1,
    }  # fmt: skip
    observed("openlineage", config)
    last = checked(receiver.bodies("/custom/path"))[-1]
    assert (last["job"]["namespace"], last["job"]["name"]) == ("prod", "nightly")
    assert [one["namespace"] for one in last["outputs"]] == ["domo://acme"]


def test_a_file_keeps_what_stood_in_it(observed, receiver, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("{}\n")
    observed("openlineage", {"path": str(path)})
    assert receiver.posts == []
    first, *lines = path.read_text().splitlines()
    assert first == "{}"
    assert [event["eventType"] for event in checked(lines)] == ["START", "COMPLETE"]


def test_a_dry_run_tells_nothing(observed, receiver):
    observed("openlineage", {"url": receiver.url}, dry_run=True)
    assert receiver.posts == []


def test_a_folder_that_is_not_there_costs_one_warning(observed, tmp_path, complaints):
    outcome = observed("openlineage", {"path": str(tmp_path / "no" / "events.jsonl")})
    assert outcome.exit_code == 0
    assert len(complaints(outcome)) == 1


@pytest.mark.parametrize("config", [{}, {"url": "http://x", "path": "y"}])
def test_one_target_is_needed(observed, config):
    with pytest.raises(ConfigError, match="either url or path"):
        observed("openlineage", config)
