"""The judge of recorded bodies, without official models."""

from __future__ import annotations

import endpoints
import handmade
import official
import patching
import pydantic
import pytest
import validate_bodies

VERSIONS = [(1, 3), (1, 4), (1, 5), (1, 10), (1, 11), (2, 0)]


@pytest.mark.parametrize(
    ("method", "path", "label", "model"),
    [
        ("PUT", "/v1/tables", "PUT /tables", "CreateTable"),
        ("PUT", "/api/v1/tables/?x=1", "PUT /tables", "CreateTable"),
        ("PUT", "/v1/tables/bulk", "PUT /tables/bulk", "CreateTable"),
        ("PUT", "/v1/tables/restore", "PUT /tables/restore", "RestoreEntity"),
        ("PATCH", "/v1/tables/1-2-3", "PATCH /tables/{id}", "Table"),
        ("PATCH", "/v1/tables/name/a.b", "PATCH /tables/{id}", "Table"),
        ("PUT", "/v1/pipelines/a%2Fb.c/status", "PUT /pipelines/{fqn}/status", "PipelineStatus"),
        (
            "PUT",
            "/v1/services/ingestionPipelines/a.b/pipelineStatus",
            "PUT /services/ingestionPipelines/{fqn}/pipelineStatus",
            "IngestionPipelineStatus",
        ),
        ("PUT", "/v1/lineage", "PUT /lineage", "AddLineage"),
        (
            "POST",
            "/v1/services/databaseServices",
            "POST /services/databaseServices",
            "CreateDatabaseService",
        ),
    ],
)
def test_an_endpoint_is_known(method, path, label, model):
    found = endpoints.endpoint(method, path)
    assert found is not None
    assert (found.label, found.model) == (label, model)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/tables"),
        ("PUT", "/v1/tables/1/followers"),
        ("PATCH", "/v1/tables"),
        ("PUT", "/v1/tablesX"),
        ("DELETE", "/v1/lineage"),
    ],
)
def test_what_nobody_described_is_no_endpoint(method, path):
    assert endpoints.endpoint(method, path) is None


def test_only_newer_servers_must_have_bulk_calls():
    assert ("PUT /tables",) in endpoints.expected((1, 10))
    assert ("PUT /tables/bulk",) in endpoints.expected((2, 0))


class Anything(pydantic.BaseModel):
    """Stands for every official model."""

    model_config = pydantic.ConfigDict(extra="allow")


class Inner(pydantic.BaseModel):
    a: int = 0


class Listed(pydantic.RootModel[list[Inner]]):
    pass


class Outer(pydantic.BaseModel):
    inner: Inner | None = None
    many: Listed | None = None
    named: dict[str, Inner] = {}
    other: int = pydantic.Field(0, alias="otherName")


def anything(name):
    return Anything


@pytest.mark.parametrize("version", VERSIONS)
def test_hand_made_requests_have_every_endpoint(version):
    verdict = validate_bodies.judge(handmade.requests(version), version, anything)
    assert verdict.good
    assert sum(verdict.counts.values()) == len(handmade.requests(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_each_missing_endpoint_is_named(version):
    requests = handmade.requests(version)
    for left_out in requests:
        rest = [one for one in requests if one is not left_out]
        verdict = validate_bodies.judge(rest, version, anything)
        label = endpoints.endpoint(left_out["method"], left_out["path"]).label
        assert len(verdict.missing) == 1
        assert label in verdict.missing[0]
        assert not verdict.good


@pytest.mark.parametrize(
    ("body", "unknown"),
    [
        ({"inner": {"a": 1}, "otherName": 2}, []),
        ({"x": 1}, ["x"]),
        ({"inner": {"a": 1, "x": 1}}, ["inner.x"]),
        ({"many": [{"a": 1}, {"x": None}]}, ["many.1.x"]),
        ({"named": {"k": {"x": 1}}}, ["named.k.x"]),
    ],
)
def test_a_key_that_a_model_ignores_is_found(body, unknown):
    assert list(official.unknown(Outer.model_validate(body), body)) == unknown
    assert [one.split(":")[0] for one in official.findings(Outer, body)] == unknown


def test_a_stored_entity_may_have_keys_of_the_server():
    class Closed(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="forbid")
        votes: int = 0

    body = {"votes": 1, "followers": []}
    assert official.findings(Closed, body, stored=True) == []
    assert len(official.findings(Closed, body)) == 1
    assert len(official.findings(Closed, {**body, "votes": "many"}, stored=True)) == 1
    assert len(official.findings(Closed, {**body, "other": 1}, stored=True)) == 1


def test_findings_show_no_values():
    found = official.findings(Outer, {"inner": {"a": "secret"}})
    assert len(found) == 1
    assert found[0].startswith("inner.a: ")
    assert "secret" not in found[0]


def test_a_body_without_a_known_model_is_a_finding():
    requests = [{"method": "PUT", "path": "/v1/users", "body": {}}]
    assert len(validate_bodies.judge(requests, (2, 0), anything).findings) == 1
    requests = [{"method": "PUT", "path": "/v1/tables", "body": {}}]
    verdict = validate_bodies.judge(requests, (2, 0), lambda name: None)
    assert "has no CreateTable" in verdict.findings[0]


def test_an_empty_bulk_call_is_a_finding():
    requests = [{"method": "PUT", "path": "/v1/tables/bulk", "body": []}]
    assert validate_bodies.judge(requests, (2, 0), anything).findings


def test_a_patch_needs_its_entity():
    request = {"method": "PATCH", "path": "/v1/tables/1", "body": []}
    assert validate_bodies.judge([request], (2, 0), anything).findings
    assert not validate_bodies.judge([{**request, "entity": {}}], (2, 0), anything).findings
    failing = [{"op": "remove", "path": "/x"}]
    request = {**request, "body": failing, "stored": {}}
    assert "does not fit" in validate_bodies.judge([request], (2, 0), anything).findings[0]


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/b", "value": 2}], {"a": [1, 2], "b": 2}),
        ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}),
        ([{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2]}),
        ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ([{"op": "replace", "path": "/a/0", "value": 7}], {"a": [7, 2]}),
        ([{"op": "move", "from": "/a/0", "path": "/a/1"}], {"a": [2, 1]}),
        ([{"op": "copy", "from": "/a/0", "path": "/x~1y"}], {"a": [1, 2], "x/y": 1}),
        ([{"op": "test", "path": "/a/0", "value": 1}], {"a": [1, 2]}),
    ],
)
def test_a_patch_is_applied(operations, result):
    document = {"a": [1, 2]}
    assert patching.apply(document, operations) == result
    assert document == {"a": [1, 2]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/0", "value": 2},
        {"op": "remove", "path": "/b"},
        {"op": "remove", "path": "/a/-1"},
        {"op": "add", "path": "/a/3", "value": 0},
        {"op": "replace", "path": "/b", "value": 0},
        {"op": "nonsense", "path": "/a"},
        {"op": "add", "path": "a", "value": 0},
        {"op": "add", "path": "/b"},
    ],
)
def test_a_patch_that_does_not_fit_is_refused(operation):
    with pytest.raises(patching.PatchError):
        patching.apply({"a": [1, 2]}, [operation])
