"""The schema says yes where the parser does, and no to what editors should mark."""

from __future__ import annotations

import pytest
import yaml

from metaglean.config.schema import component_schema, installed_components, workflow_schema

jsonschema = pytest.importorskip("jsonschema", reason="validates the schema; a test tool")

FULL = """\
source:
  type: Shop
  serviceName: s
  serviceConnection:
    config: {type: ShopDashboard, clientId: a, secretToken: b, sandboxDomain: c,
             connectionOptions: {k: v}, supportsProfiler: true, retries: "${N}",
             login: {type: Password, user: u, pass: p}}
  sourceConfig:
    config: {type: DatabaseMetadata, includeViews: "${X:-true}", threads: 4,
             tableFilterPattern: {includes: [a]}, ownerConfig: {}}
processors: [{type: shout, config: {volume: 2}}]
sink: {type: file, config: {path: x}}
deletion: {maxPercent: 10}
workflowConfig: {loggerLevel: INFO, openMetadataServerConfig: {hostPort: x}}
"""


@pytest.fixture
def valid(registry):
    schema = workflow_schema(installed_components(registry))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    return lambda text: validator.is_valid(yaml.safe_load(text))


def test_what_the_parser_accepts_is_valid(valid, load):
    assert load(FULL, {"N": "1"})
    assert valid(FULL)


def test_a_profile_workflow_is_valid(valid, load):
    text = FULL.replace("DatabaseMetadata", "Profiler").replace("threads", "threadCount")
    assert load(text, {"N": "1"}).profiler
    assert valid(text)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("clientId: a", "clientID: a"),
        ("clientId: a, ", ""),
        ("type: ShopDashboard", "type: Other"),
        ("threads: 4", "threads: many"),
        ("includes: [a]", "include: [a]"),
        ("volume: 2", "volum: 2"),
        ("path: x", "file: x"),
        ("deletion:", "deletions:"),
        ("maxPercent: 10", "maxPercent: 101"),
        ("  serviceName: s\n", ""),
    ],
)
def test_what_the_parser_refuses_is_not(valid, errors, right, wrong):
    assert right in FULL
    errors(FULL.replace(right, wrong), {"N": "1"})
    assert not valid(FULL.replace(right, wrong))


SERVER = """\
source: {type: shop, serviceName: s}
sink: {type: metadata-rest}
workflowConfig:
  openMetadataServerConfig:
    hostPort: http://h:8585/api
    verifySSL: ignore
    includeTables: true
    securityConfig: {jwtToken: eyJ.x.y}
    sslConfig: {certificatePath: .}
"""


def test_a_server_has_the_settings_of_its_sink(valid, load, errors):
    assert load(SERVER)
    assert valid(SERVER)
    for right, wrong in (("hostPort", "hostport"), ("ignore", "never"), ("jwtToken", "token")):
        errors(SERVER.replace(right, wrong))
        assert not valid(SERVER.replace(right, wrong))


def test_a_type_that_is_not_installed_is_left_to_check(valid):
    assert valid("source: {type: elsewhere, serviceName: s, serviceConnection: {config: {a: b}}}")


@pytest.mark.parametrize(("kind", "name"), [("source", "shop"), ("sink", "file")])
def test_one_component(registry, kind, name):
    schema = component_schema(registry.get(kind, name))
    jsonschema.Draft202012Validator.check_schema(schema)


def test_old_spellings_are_deprecated(registry):
    schema = component_schema(registry.get("source", "shop"))
    keys = schema["$defs"]["ShopConfig"]["properties"]
    assert keys["sandboxDomain"]["deprecated"]
    assert keys["connectionOptions"]["deprecated"]
    assert "deprecated" not in keys["instanceDomain"]
