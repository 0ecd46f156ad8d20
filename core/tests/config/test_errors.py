"""Every configuration error: what it says, and where."""

from __future__ import annotations

import pytest

from metaglean.errors import ConfigError, PluginError

SECRET = "hunter2-hunter2"


def test_unknown_key_with_the_nearest(errors, workflow):
    text = workflow("clientID: x")
    assert errors(text) == (
        "w.yaml:9:7  source.serviceConnection.config.clientID: unknown key\n"
        "    expected one of accessToken, apiHost, authType, box, clientId, color, databaseName, "
        "either, extra, instanceDomain, login, retries, secretToken, several, sizes; "
        "did you mean clientId?"
    )


def test_a_misspelt_required_key_is_one_error(errors, workflow):
    text = workflow().replace("clientId", "client_id")
    message = errors(text)
    assert "w.yaml:7:7  source.serviceConnection.config.client_id: unknown key" in message
    assert "did you mean clientId?" in message
    assert "missing" not in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("      clientId: client\n", ""),
            (
                "w.yaml:5:5  source.serviceConnection.config.clientId: missing\n"
                "    expected: The OAuth client's id"
            ),
        ),
        (
            ("  serviceName: local\n", ""),
            (
                "w.yaml:1:1  source.serviceName: missing\n"
                "    expected: The name of the service that the entities are written under"
            ),
        ),
        (("serviceName: local", "serviceName: ''"), "w.yaml:3:16  source.serviceName: empty"),
        (
            ("serviceName: local", "serviceName:"),
            "w.yaml:3:15  source.serviceName: has no value\n    expected text",
        ),
        (
            ("serviceName: local", "serviceName: <service>"),
            "w.yaml:3:16  source.serviceName: <service> is a placeholder of the documentation",
        ),
        (("  type: shop\n", ""), "w.yaml:1:1  source.type: missing"),
        (
            ("type: Shop\n", "type: Shops\n"),
            (
                "w.yaml:6:13  source.serviceConnection.config.type: unknown connection type\n"
                "    expected one of Shop, ShopDashboard; did you mean Shop?"
            ),
        ),
        (
            ("DatabaseMetadata", "DatabaseLineage"),
            (
                "w.yaml:11:13  source.sourceConfig.config.type: "
                "workflows of the type DatabaseLineage are not supported\n"
                "    expected one of DatabaseMetadata, Profiler"
            ),
        ),
        (
            ("DatabaseMetadata", "DatabaseMetdata"),
            (
                "w.yaml:11:13  source.sourceConfig.config.type: "
                "unknown type of source configuration\n"
                "    expected one of DatabaseMetadata, Profiler; did you mean DatabaseMetadata?"
            ),
        ),
        (
            ("type: shop\n", "type: shop-lineage\n"),
            "w.yaml:2:9  source.type: lineage workflows are not supported\n    expected shop",
        ),
        (
            (f"secretToken: {SECRET}", 'secretToken: "*****"'),
            (
                "w.yaml:8:20  source.serviceConnection.config.secretToken: the secret is masked\n"
                "    write ${VARIABLE} or ${file:/path}"
            ),
        ),
        (
            (f"secretToken: {SECRET}", "secretToken: <secret_token>"),
            (
                "w.yaml:8:20  source.serviceConnection.config.secretToken: "
                "<secret_token> is a placeholder of the documentation"
            ),
        ),
        (
            (f"secretToken: {SECRET}", "secretToken: ${TOKEN}"),
            (
                "w.yaml:8:20  source.serviceConnection.config.secretToken: "
                "the environment variable TOKEN is not set\n    export TOKEN"
            ),
        ),
        (
            (f"secretToken: {SECRET}", f"secretToken: [{SECRET}]"),
            (
                "w.yaml:8:20  source.serviceConnection.config.secretToken: wrong type\n"
                "    expected text"
            ),
        ),
        (
            ("  sourceConfig:\n    config:\n      type: DatabaseMetadata", "  sourceConfig: 3"),
            "w.yaml:9:17  source.sourceConfig: wrong type\n    expected a block of keys",
        ),
    ],
)
def test_one_wrong_line(errors, workflow, change, message):
    text = workflow()
    assert change[0] in text
    said = errors(text.replace(*change))
    assert said.startswith(message)
    assert len(said.splitlines()) <= 2


def test_a_limit_is_said_as_people_write_it(errors, workflow):
    said = errors(workflow() + "deletion: {maxPercent: 200}\n")
    assert said.endswith("deletion.maxPercent: out of range\n    expected a number of at most 100")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("retries: many", "retries: wrong type\n    expected a whole number"),
        ("retries: 1.5", "retries: wrong type\n    expected a whole number"),
        ("retries: 10", "retries: out of range\n    expected a number of at most 9"),
        ("retries:", "retries: has no value\n    expected a whole number"),
        ("apiHost: yes", "apiHost: wrong type\n    expected text; put words such as yes"),
        (
            "color: gren",
            "color: unknown value\n    expected one of green, red; did you mean green?",
        ),
        ("instanceDomain: 'https://<api_shop>.shop.example'", "<api_shop> is a placeholder"),
        ("accessToken: bad-access-token", "accessToken: not valid\n    the token ***** is bad"),
        ("login: {type: Pass}", "login.type: unknown type\n    expected one of Key, Password"),
        ("login: {user: x}", "login.type: missing\n    expected one of Password, Key"),
        ("login: {type: Key}", "login.file: missing"),
        ("login: 3", "login: wrong type\n    expected a block of keys"),
        ("several: {a: b}", "several: wrong type\n    expected a list"),
        ("several: [{user: x}]", "several[0].password: missing"),
        (
            "extra: {a: {passwort: x}}",
            "extra.a.passwort: unknown key\n    expected one of password",
        ),
        ("password: a\nauthType: {password: b}", "stands here beside its new spelling"),
        (f"apiHost: nowhere\naccessToken: {SECRET}", "nowhere can't be read with *****"),
    ],
)
def test_one_wrong_setting(errors, workflow, line, message):
    said = errors(workflow(line))
    assert said.startswith("w.yaml:")
    assert message in said
    assert len(said.splitlines()) <= 2


def test_a_filter_pattern_that_is_no_regular_expression(errors, workflow):
    said = errors(workflow(options="tableFilterPattern:\n  includes:\n  - a\n  - '*b'"))
    assert said.startswith(
        "w.yaml:15:11  source.sourceConfig.config.tableFilterPattern.includes[1]: "
        "not a regular expression (nothing to repeat"
    )


def test_no_connection_at_all(errors):
    said = errors("source:\n  type: shop\n  serviceName: s\n")
    assert said.startswith("w.yaml:1:1  source.serviceConnection: missing\n")
    assert "is used with the sink metadata-rest only" in said


def test_all_errors_at_once_in_the_order_of_the_file(errors, workflow):
    text = workflow("retries: x\ncolour: red", "includeView: true", "sinks: {}\ndeletion: {x: 1}")
    said = errors(text).splitlines()
    assert [line.partition("  ")[0] for line in said[::2]] == [
        "w.yaml:9:16", "w.yaml:10:7", "w.yaml:14:7", "w.yaml:15:1", "w.yaml:16:12",
    ]  # fmt: skip
    assert all(line.startswith("    ") for line in said[1::2])


def test_a_variable_that_is_not_set_is_told_with_all_the_rest(errors, workflow):
    text = workflow("retries: ${N}\napiHost: nowhere\ncolour: red").replace(
        "type: shop\n", "type: ${TYPE}\n"
    )
    assert [line.partition(": ")[2] for line in errors(text).splitlines()[::2]] == [
        "the environment variable TYPE is not set",
        "the environment variable N is not set",
    ]
    said = errors(text, {"TYPE": "shop"}).splitlines()
    assert [line.partition(": ")[2] for line in said[::2]] == [
        "the environment variable N is not set",
        "unknown key",
    ]


def test_an_old_spelling_with_a_placeholder_is_one_error(errors, workflow):
    said = errors(workflow("sandboxDomain: '<a>'\npassword: '*****'"))
    assert [line.partition(": ")[2] for line in said.splitlines()[::2]] == [
        "<a> is a placeholder of the documentation",
        "the secret is masked",
    ]


def test_at_most_twenty_are_shown(errors, workflow):
    said = errors(workflow("\n".join(f"zz{n}: 1" for n in range(30)))).splitlines()
    assert len(said) == 41
    assert said[-1] == "… and 10 more errors"


def test_a_broken_frame_does_not_hide_what_is_inside(errors, workflow):
    said = errors(workflow("retries: x").replace("serviceName: local", "serviceNam: local"))
    assert "source.serviceNam: unknown key" in said
    assert "config.retries: wrong type" in said


def test_without_a_file_paths_stand_alone(parse):
    with pytest.raises(Exception, match=r"^source\.serviceName: missing\n") as caught:
        parse({"source": {"type": "plain", "serviceConnection": {"config": {}}}})
    assert caught.value.exit_code == 2


def test_an_unknown_type_is_told_with_its_place(errors, workflow):
    said = errors(workflow().replace("type: shop\n", "type: shopp\n"), kind=PluginError)
    assert said == (
        "w.yaml:2:9  source.type: there is no source of the type 'shopp'\n    Installed: some."
    )
    said = errors(workflow(rest="processors: [{type: a}]\nsink: {type: b}\n"), kind=PluginError)
    assert said.startswith("w.yaml:12:21  processors[0].type: there is no processor")
    assert "w.yaml:13:14  sink.type: there is no sink" in said


def test_settings_of_processors_and_sinks(errors, workflow):
    said = errors(
        workflow(rest="processors:\n- {type: shout, config: {volum: 1}}\nsink: {type: file}")
    )
    assert "w.yaml:13:26  processors[0].config.volum: unknown key" in said
    assert "w.yaml:14:1  sink.config.path: missing" in said


def test_the_server_sink_needs_a_server(errors, workflow):
    said = errors(workflow(rest="sink: {type: metadata-rest}"))
    assert "workflowConfig.openMetadataServerConfig: missing" in said


def test_a_profiler_without_a_profile_workflow(errors, workflow):
    said = errors(workflow(rest="processor: {type: orm-profiler}"))
    assert "processor.type: orm-profiler belongs to profile workflows" in said


def test_a_password_may_look_like_a_placeholder_in_part(load, workflow):
    text = workflow("accessToken: 'a<b>c{d}'\napiHost: 'a{b}c'")
    assert load(text).source_config.access_token.get_secret_value() == "a<b>c{d}"


def test_patterns_may_have_named_groups(load, workflow):
    text = workflow(options="tableFilterPattern: {includes: ['(?P<name>x)', '{a}']}")
    assert load(text).source_options.table_filter_pattern.includes == ("(?P<name>x)", "{a}")


def test_an_unquoted_placeholder_is_a_placeholder(errors, workflow):
    rest = (
        "workflowConfig:\n  openMetadataServerConfig:\n    securityConfig:\n"
        "      jwtToken: {bot_jwt_token}\n"
    )
    said = errors(workflow(rest=rest))
    assert "w.yaml:15:17  " in said
    assert "{bot_jwt_token} is a placeholder of the documentation" in said


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("deletion: {maxPercent: true}", 24, "a number"),
        ("workflowConfig: {successThreshold: yes}", 36, "a whole number"),
        ("limits: {requestsPerSecond: true}", 29, "a number"),
        ("processors: [{type: shout, config: {volume: on}}]", 45, "a whole number"),
        ("deletion: {maxPercent: .nan}", 24, "a finite number"),
        ("limits: {requestsPerSecond: .inf}", 29, "a finite number"),
        ("limits: {requestsPerSecond: 'inf'}", 29, "a finite number"),
        ("workflowConfig: {successThreshold: .inf}", 36, "a finite number"),
    ],
)
def test_a_number_is_neither_a_boolean_nor_without_end(errors, workflow, text, column, expected):
    message = errors(workflow(rest=text))
    assert message.startswith(f"w.yaml:12:{column}  ")
    assert message.endswith(f": wrong type\n    expected {expected}")


def test_a_boolean_is_no_number_in_options_and_inner_blocks(errors, workflow, load):
    assert "w.yaml:12:16  source.sourceConfig.config.threads: wrong type" in errors(
        workflow(options="threads: true")
    )
    assert "config.retries: wrong type\n    expected a whole number" in errors(
        workflow("retries: true")
    )
    message = errors(workflow("sizes: {a: [1, true]}\nbox: {weight: false}"))
    assert "config.sizes.a[1]: wrong type\n    expected a whole number" in message
    assert "config.box.weight: wrong type\n    expected a number" in message
    assert load(workflow("either: true")).source_config.either is True


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({5: "x"}, "the key 5 is not text"),
        ({"deletion": {None: 1}}, "deletion: the key None is not text"),
        ({"processors": [{"type": "shout", True: 1}]}, "processors[0]: the key True is not text"),
        ({"sink": {"type": "file", "config": {"path": "x", ("a", 1): 1}}},
         "sink.config: the key ('a', 1) is not text"),
    ],
)  # fmt: skip
def test_a_key_that_is_not_text(parse, change, message):
    source = {"type": "plain", "serviceName": "s", "serviceConnection": {"config": {}}}
    with pytest.raises(ConfigError) as caught:
        parse({"source": source, **change})
    assert str(caught.value) == f"{message}\n    expected text: put the key in quotes"
