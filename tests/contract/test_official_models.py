"""The judge against the official models of the version that is installed here: it takes hand-made
good bodies and refuses spoiled ones. Runs in the environments `om-contract-…`."""

from __future__ import annotations

import copy
from typing import Any

import handmade
import pytest
import validate_bodies

import openmetadata_models

VERSION = tuple(int(part) for part in openmetadata_models.open_package().split(".")[:2])


def model(name: str) -> Any:
    return openmetadata_models.find(openmetadata_models.MODELS[name])


def judge(requests: list[Any]) -> validate_bodies.Verdict:
    return validate_bodies.judge(requests, VERSION, model)


def findings_of(request: Any) -> list[str]:
    return judge([request]).findings


@pytest.fixture
def requests() -> list[Any]:
    return copy.deepcopy(handmade.requests(VERSION))


def test_good_bodies_fit_and_every_endpoint_is_there(requests):
    verdict = judge(requests)
    assert verdict.findings == []
    assert verdict.missing == []


def of(requests: list[Any], path: str) -> Any:
    (found,) = [one for one in requests if path in one["path"]]
    return found


def row(requests: list[Any]) -> Any:
    (found,) = [one for one in requests if one["path"] in {"/v1/tables", "/v1/tables/bulk"}]
    return found["body"][0] if isinstance(found["body"], list) else found["body"]


def spoil_key(requests):
    row(requests)["nonsense"] = 1


def spoil_generation(requests):
    body = row(requests)
    other = "owner" if VERSION >= (1, 5) else "owners"
    body[other] = handmade.reference("user") if other == "owner" else [handmade.reference("user")]


def spoil_definition(requests):
    row(requests)["viewDefinition" if VERSION >= (1, 4) else "schemaDefinition"] = "select 2"


def spoil_column_key(requests):
    row(requests)["columns"][2]["children"][0]["nonsense"] = 1


def spoil_data_type(requests):
    row(requests)["columns"][0]["dataType"] = "NONSENSE"


def spoil_table_type(requests):
    row(requests)["tableType"] = "nonsense"


def spoil_label(requests):
    del row(requests)["columns"][1]["tags"][0]["state"]


def spoil_hash(requests):
    row(requests)["sourceHash"] = "0" * 33


def spoil_name(requests):
    row(requests)["name"] = "n" * 257


def spoil_connection(requests):
    config = of(requests, "databaseServices")["body"]["connection"]["config"]
    config["sandboxDomain"] = config.pop("instanceDomain")


def spoil_service_type(requests):
    of(requests, "pipelineServices")["body"]["serviceType"] = "Nonsense"


def spoil_lineage(requests):
    of(requests, "/v1/lineage")["body"]["edge"]["lineageDetails"]["nonsense"] = 1


def spoil_lineage_source(requests):
    of(requests, "/v1/lineage")["body"]["edge"]["lineageDetails"]["source"] = "Nonsense"


def spoil_status(requests):
    of(requests, "airflow.daily/status")["body"]["taskStatus"][0]["executionStatus"] = "Running"


def spoil_step(requests):
    of(requests, "pipelineStatus")["body"]["status"][0]["nonsense"] = 1


def spoil_tag(requests):
    del of(requests, "/v1/tags")["body"]["description"]


def spoil_patched(requests):
    of(requests, "/v1/tables/1")["body"][0]["value"]["nonsense"] = 1


def spoil_patched_type(requests):
    of(requests, "/v1/tables/1")["body"].append(
        {"op": "add", "path": "/columns/0/dataType", "value": "NONSENSE"}
    )


def spoil_patch(requests):
    of(requests, "/v1/tables/1")["body"].append({"op": "remove", "path": "/columns/99"})


@pytest.mark.parametrize(
    "spoil", [value for name, value in sorted(globals().items()) if name.startswith("spoil_")]
)
def test_one_wrong_thing_is_found(requests, spoil):
    spoil(requests)
    assert judge(requests).findings


def test_values_are_not_shown(requests):
    config = of(requests, "databaseServices")["body"]["connection"]["config"]
    config["nonsense"] = config["clientId"] = ["hand-made-secret"]
    found = judge(requests).findings
    assert found
    assert "hand-made" not in str(found)
