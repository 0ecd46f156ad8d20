"""Workflows that are accepted: today's and yesterday's spellings, and what becomes of them."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from metaglean import DatabaseOptions, ProfilerOptions
from metaglean.errors import ConfigError

# The shape of the published sample, every optional line in it.
PUBLISHED = """\
source:
  type: Shop
  serviceName: local_shop
  serviceConnection:
    config:
      type: ShopDashboard
      clientId: client-id
      secretToken: secret-token
      accessToken: access-token
      apiHost: api.shop.example
      sandboxDomain: https://acme.shop.example
      database: database
      connectionOptions:
        key: value
      connectionArguments:
        key: value
  sourceConfig:
    config:
      type: DatabaseMetadata
      markDeletedTables: true
      includeTables: true
      includeViews: true
      includeTags: true
      databaseFilterPattern:
        includes:
          - database1
        excludes:
          - database3
      tableFilterPattern:
        includes:
          - users
          - type_test
sink:
  type: metadata-rest
  config: {}
workflowConfig:
  loggerLevel: DEBUG
  openMetadataServerConfig:
    hostPort: "http://localhost:8585/api"
    authProvider: openmetadata
    securityConfig:
      jwtToken: "{bot_jwt_token}"
"""


def test_the_published_sample_into_the_catalog(load, tmp_path):
    config = load(PUBLISHED.replace("metadata-rest", "catalog"))
    assert config.service_name == "local_shop"
    assert config.source_class.type == "shop"
    assert config.source_config.instance_domain == "https://acme.shop.example"
    assert config.source_config.database_name == "database"
    assert config.source_options.table_filter_pattern.includes == ("users", "type_test")
    assert config.sink_type == "catalog"
    assert config.logger_level == "DEBUG"
    assert config.path == str(tmp_path / "w.yaml")
    assert [w.replace(f"{tmp_path}/", "") for w in config.warnings] == [
        "w.yaml:6:13  source.serviceConnection.config.type: is accepted; write Shop",
        (
            "w.yaml:11:7  source.serviceConnection.config.sandboxDomain: is an old spelling; "
            "write instanceDomain"
        ),
        (
            "w.yaml:12:7  source.serviceConnection.config.database: is an old spelling; "
            "write databaseName"
        ),
        (
            "w.yaml:13:7  source.serviceConnection.config.connectionOptions: has no effect: "
            "there is no driver"
        ),
        (
            "w.yaml:15:7  source.serviceConnection.config.connectionArguments: has no effect: "
            "there is no driver"
        ),
        (
            "w.yaml:38:3  workflowConfig.openMetadataServerConfig: has no effect: "
            "the sink catalog doesn't write to it"
        ),
    ]


def test_the_published_sample_into_a_server_names_the_placeholder(errors):
    assert errors(PUBLISHED) == (
        "w.yaml:42:17  workflowConfig.openMetadataServerConfig.securityConfig.jwtToken: "
        "{bot_jwt_token} is a placeholder of the documentation\n"
        "    write ${VARIABLE} or ${file:/path}, or the value itself"
    )


def test_secrets_are_gathered_and_never_shown(load):
    config = load(PUBLISHED.replace("{bot_jwt_token}", "e.y.J"))
    assert {"secret-token", "access-token", "e.y.J"} <= set(config.secrets)
    for secret in config.secrets:
        assert secret not in repr(config)
    assert config.server.host_port == "http://localhost:8585/api"
    assert config.server.token == "e.y.J"


def test_what_may_be_left_out(parse):
    config = parse(
        {"source": {"type": "plain", "serviceName": "s", "serviceConnection": {"config": {}}}}
    )
    assert config.sink_type == "catalog"
    assert isinstance(config.source_options, DatabaseOptions)
    assert config.processors == ()
    assert config.profiler is None
    assert config.server is None
    assert config.path is None
    assert not config.warnings
    assert (config.logger_level, config.success_threshold, config.raise_on_error) == (
        "INFO", 90, True,
    )  # fmt: skip
    assert config.deletion.model_dump() == {"max_percent": 25, "filtered": "keep", "empty": False}
    assert config.limits.requests_per_second is None


@pytest.mark.parametrize("connection", [None, {}, {"config": None}, {"type": "Plain"}])
def test_a_source_without_settings_of_its_own(parse, connection):
    block = {"type": "plain", "serviceName": "s", "serviceConnection": {"config": connection}}
    if connection == {"config": None}:
        block["serviceConnection"] = connection
    assert parse({"source": block}).source_class.type == "plain"


def test_a_server_without_a_sink_is_written_to(load, workflow):
    server = "{hostPort: 'http://h/api', authProvider: no-auth}"
    rest = f"workflowConfig: {{openMetadataServerConfig: {server}}}"
    assert load(workflow(rest=rest)).sink_type == "metadata-rest"


def test_our_own_keys(load, workflow):
    rest = (
        "deletion: {maxPercent: 50, filtered: delete, empty: true}\n"
        "limits: {requestsPerSecond: 2.5}\n"
        "processors:\n- type: Shout\n- {type: shout, config: {volume: 11}}\n"
        "sink: {type: file, config: {path: out.jsonl, apiKey: key-of-sink}}\n"
        "workflowConfig: {successThreshold: 80, raiseOnError: false}\n"
        "ingestionPipelineFQN: a.b\npipelineRunId: 0f0e\n"
    )
    config = load(workflow(rest=rest))
    assert config.deletion.filtered == "delete"
    assert config.limits.requests_per_second == 2.5
    assert [settings.volume for _, settings in config.processors] == [1, 11]
    assert config.sink_config.path == "out.jsonl"
    assert config.success_threshold == 80
    assert not config.raise_on_error
    assert (config.ingestion_pipeline_fqn, config.pipeline_run_id) == ("a.b", "0f0e")
    assert "key-of-sink" in config.secrets


def test_the_single_processor_comes_first(load, workflow):
    rest = (
        "processor: {type: shout, config: {volume: 1}}\n"
        "processors: [{type: shout, config: {volume: 2}}]"
    )
    config = load(workflow(rest=rest))
    assert [settings.volume for _, settings in config.processors] == [1, 2]


def test_keys_of_other_workflows_have_no_effect(load, workflow):
    rest = (
        "stage: {type: x}\nbulkSink: {type: x}\nenableStreamableLogs: true\ningestionRunnerName: r"
    )
    config = load(workflow("supportsMetadataExtraction: true", rest=rest))
    assert len(config.warnings) == 5
    assert all("has no effect" in warning for warning in config.warnings)


def test_values_from_the_environment_take_the_type_that_is_expected(load, workflow):
    text = workflow("retries: ${N}", "includeViews: ${VIEWS}\nthreads: ${T:-4}")
    config = load(text, {"N": "7", "VIEWS": "false"})
    assert config.source_config.retries == 7
    assert config.source_options.include_views is False
    assert config.source_options.threads == 4


def test_a_dict_is_not_interpolated(parse):
    block = {"clientId": "${HOME}", "secretToken": "$HOME", "type": "Shop"}
    config = parse(
        {"source": {"type": "shop", "serviceName": "s", "serviceConnection": {"config": block}}}
    )
    assert config.source_config.client_id == "${HOME}"
    assert config.source_config.secret_token == SecretStr("$HOME")


def test_numbers_are_text_as_they_were_written_where_text_is_expected(load, workflow):
    text = workflow("databaseName: 007").replace("local", "2024").replace("client\n", "0x1F\n")
    config = load(text)
    assert config.service_name == "2024"
    assert config.source_config.client_id == "0x1F"
    assert config.source_config.database_name == "007"


def test_numbers_in_a_dict_become_text_as_well(parse):
    block = {"clientId": 12, "secretToken": 34, "type": "Shop"}
    config = parse(
        {"source": {"type": "shop", "serviceName": 1, "serviceConnection": {"config": block}}}
    )
    assert config.service_name == "1"
    assert config.source_config.secret_token.get_secret_value() == "34"


def test_old_spellings_at_every_level(load, workflow):
    connection = (
        "password: pa-ss-wo-rd\n"
        "login: {type: Password, user: u, pass: other-pass}\n"
        "several:\n- {user: u, pass: third-pass}\n"
    )
    config = load(workflow(connection))
    assert config.source_config.auth_type.password.get_secret_value() == "pa-ss-wo-rd"
    assert config.source_config.login.password.get_secret_value() == "other-pass"
    assert config.source_config.several[0].password.get_secret_value() == "third-pass"
    assert sum("is an old spelling" in warning for warning in config.warnings) == 3
    assert {"pa-ss-wo-rd", "other-pass", "third-pass"} <= set(config.secrets)


def test_a_profile_workflow(load, workflow):
    text = workflow(options="threadCount: 5\nprofileSample: 10").replace(
        "DatabaseMetadata", "Profiler"
    )
    config = load(text + "processor: {type: orm-profiler, config: {tableConfig: []}}\n")
    assert config.profiler[0].type == "shop"
    assert isinstance(config.source_options, ProfilerOptions)
    assert config.source_options.threads == 5
    assert config.source_options.include_prices is False  # the source's own options stay
    assert config.processors == ()
    assert len(config.warnings) == 3


def test_a_profile_workflow_needs_no_processor(load, workflow):
    config = load(workflow().replace("DatabaseMetadata", "Profiler"))
    assert config.profiler[0].type == "shop"


def test_json_files(registry, tmp_path):
    from metaglean.config import load_workflow

    path = tmp_path / "w.json"
    path.write_text(
        '{\n\t"source": {"type": "plain", "serviceName": "s",\n\t"serviceConnection": {}}\n}'
    )
    assert load_workflow(path, registry, {}).service_name == "s"


def test_something_else_than_a_mapping(parse):
    with pytest.raises(ConfigError, match="a workflow is a mapping"):
        parse("source: x")
