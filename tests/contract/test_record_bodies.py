"""What is recorded has every endpoint that must be there, and the server refused nothing."""

from __future__ import annotations

import json

import pydantic
import pytest
import record_bodies
import validate_bodies


class Anything(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")


@pytest.mark.parametrize("version", ["1.3.1", "2.0.7"])
def test_a_recording_is_whole(version):
    server = record_bodies.record(version)
    assert record_bodies.problems_of(server) == []
    number = tuple(int(part) for part in version.split(".")[:2])
    requests = json.loads(json.dumps(server.recorded))
    verdict = validate_bodies.judge(requests, number, lambda name: Anything)
    assert verdict.missing == []
    assert verdict.findings == []
