"""`openMetadataServerConfig` and the settings of `metadata-rest`, in every published spelling."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from metaglean.builtin.server.config import MetadataRestConfig, ServerConfig, api_address
from metaglean.config.keys import normalise
from metaglean.config.problems import Problems
from metaglean.config.validation import validate
from metaglean.errors import ConfigError

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJpbmdlc3Rpb24tYm90In0.c2lnbmF0dXJl"
# Every key of the published models 1.1 to 2.x with the value that pages and servers write.
PUBLISHED = {
    "type": "OpenMetadata",
    "clusterName": "openmetadata",
    "hostPort": "http://localhost:8585/api",
    "authProvider": "openmetadata",
    "securityConfig": {"jwtToken": TOKEN},
    "verifySSL": "no-ssl",
    "sslConfig": None,
    "apiVersion": "v1",
    "limitRecords": "1000",
    "secretsManagerProvider": "db",
    "secretsManagerLoader": "noop",
    "elasticsSearch": None,
    "databaseFilterPattern": None,
    "schemaFilterPattern": None,
    "tableFilterPattern": None,
    "supportsDataInsightExtraction": True,
    "supportsElasticSearchReindexingExtraction": True,
    "extraHeaders": None,
    "enableVersionValidation": True,
    "forceEntityOverwriting": False,
    "storeServiceConnection": True,
    **{
        f"include{name}": True
        for name in (
            "Topics", "Tables", "Dashboards", "Pipelines", "MlModels", "Users", "Teams",
            "GlossaryTerms", "Tags", "Policy", "MessagingServices", "DatabaseServices",
            "PipelineServices",
        )
    },
}  # fmt: skip


def parsed(model=ServerConfig, **changes) -> tuple[object, Problems]:
    problems = Problems()
    block = {**(PUBLISHED if model is ServerConfig else {}), **changes}
    return validate(model, block, (), problems), problems


def said(**changes) -> str:
    config, problems = parsed(**changes)
    assert config is None
    with pytest.raises(Exception) as caught:
        problems.raise_if_any()
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def test_every_published_key_is_accepted_without_a_word():
    config, problems = parsed()
    assert config.base_url == "http://localhost:8585/api/v1"
    assert config.token == TOKEN
    assert not problems.warnings
    assert config.verify is None
    assert TOKEN not in repr(config)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("includeTables", False, "nothing is indexed"),
        ("secretsManagerProvider", "managed-aws", "no secrets manager is read"),
        ("clusterName", "other", "names begin with the service"),
        ("limitRecords", 50, "follows the bytes received"),
        ("tableFilterPattern", {"includes": ["a"]}, "sourceConfig.config"),
        ("elasticsSearch", {"type": "x"}, "nothing is indexed"),
    ],
)
def test_what_asks_for_something_that_is_not_there_is_one_warning(key, value, why):
    _, problems = parsed(**{key: value})
    (warning,) = problems.warnings
    assert warning.startswith(f"{key}: has no effect")
    assert why in warning


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://h:8585/api", "http://h:8585/api"),
        ("http://h:8585/api/", "http://h:8585/api"),
        ("https://h/api/v1", "https://h/api"),
        ("https://h/api/v1/", "https://h/api"),
        (" https://h/om/api ", "https://h/om/api"),
        ("https://h/gateway/metadata", "https://h/gateway/metadata"),
    ],
)
def test_addresses(given, kept):
    assert api_address(given) == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("http://h:8585", "the path /api is missing"),
        ("http://h:8585/", "the path /api is missing"),
        ("h:8585/api", "expected an address such as http://host:8585/api"),
        ("localhost", "expected an address"),
        ("ftp://h/api", "expected an address"),
        ("http://h:port/api", "expected an address"),
        ("http://u:p@h/api", "without user"),
        ("http://h/api?x=1", "query"),
        ("http://h /api", "blanks"),
        ("", "expected an address"),
    ],
)
def test_what_is_no_address(given, why):
    assert why in said(hostPort=given)


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text):
    try:
        address = api_address(text)
    except ValueError:
        return
    assert address == api_address(address)
    assert address.startswith(("http://", "https://"))


@given(st.text())
@example("0" * 200 + "ü" * 50)  # too long for a file's name in bytes, not in characters
def test_any_text_is_a_token_or_a_clear_error(text):
    try:
        config = ServerConfig.model_validate(
            {"hostPort": "http://h/api", "securityConfig": {"jwtToken": text}}
        )
    except ValidationError:
        return
    assert config.headers()["Authorization"].isprintable()


def test_a_token_in_a_file(tmp_path):
    path = tmp_path / "bot.jwt"
    path.write_text(f"{TOKEN}\n")
    config, _ = parsed(securityConfig={"jwtToken": str(path)})
    assert config.token == TOKEN


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("/nowhere/bot.jwt", "the file that it names can't be read: No such file or directory"),
        ("secret:/om/token", "no secrets manager is read; write ${VARIABLE} or ${file:/path}"),
        ("eyJ one two", "is no token"),
        ("ey\x00", "is no token"),
        ("", "expected `jwtToken:` with the current token of a bot"),
    ],
)
def test_what_is_no_token(token, why):
    assert why in said(securityConfig={"jwtToken": token})


def test_files_that_hold_no_token(tmp_path):
    path = tmp_path / "bot.jwt"
    path.write_bytes(b"\xff\xfe\x00")
    assert "holds no token" in said(securityConfig={"jwtToken": str(path)})
    path.write_text("two words")
    assert "is no token" in said(securityConfig={"jwtToken": str(path)})
    path.write_text("x" * 70_000)
    assert "too large" in said(securityConfig={"jwtToken": str(path)})
    assert "can't be read" in said(securityConfig={"jwtToken": f"{tmp_path}/"})


def test_a_missing_token_is_an_error_unless_the_server_asks_for_none():
    assert "expected `jwtToken:`" in said(securityConfig=None)
    config, _ = parsed(securityConfig=None, authProvider="no-auth")
    assert config.token is None
    assert config.headers() == {}


def test_a_missing_token_is_named_by_its_key_and_once():
    """Not by the model's own word; a misspelt key is one error, not two."""
    given = {key: value for key, value in PUBLISHED.items() if key != "securityConfig"}
    for more, key in (({}, "securityConfig"), ({"securityConfg": {}}, "securityConfg")):
        problems = Problems()
        block = normalise(ServerConfig, {**given, **more}, (), problems)
        assert validate(ServerConfig, block, (), problems) is None
        with pytest.raises(ConfigError) as caught:
            problems.raise_if_any()
        assert str(caught.value).count("\n") == 1, "one error of two lines"
        assert f"{key}: " in str(caught.value)


def test_other_ways_to_sign_in_are_accepted_beside_a_token():
    both = {"jwtToken": TOKEN, "secretKey": "/creds.json", "audience": "x"}
    config, problems = parsed(securityConfig=both, authProvider="google")
    assert config.token == TOKEN
    assert len(problems.warnings) == 2
    assert "expected `jwtToken:`" in said(
        securityConfig={"secretKey": "/creds.json"}, authProvider="google"
    )


@pytest.mark.parametrize(
    ("changes", "where", "why"),
    [
        ({"verifySSL": "validated"}, "verifySSL: unknown value", "did you mean validate?"),
        ({"hostport": "http://h/api"}, "hostport: unknown key", "did you mean hostPort?"),
        ({"securityConfig": {"jwtTokn": TOKEN}}, "securityConfig.jwtTokn: unknown key", "jwtToken"),
        ({"authProvider": "openmetdata"}, "authProvider: unknown value", "mean openmetadata?"),
        ({"apiVersion": "1"}, "apiVersion: ", "v"),
        ({"extraHeaders": {"X-A": "a\nb"}}, "extraHeaders: not valid", "each on one line"),
        ({"extraHeaders": {"X A": "a"}}, "extraHeaders: not valid", "names and values"),
        ({"extraHeaders": {"X-A": "%(Token)s"}}, "extraHeaders", "%(Authorization)s"),
        ({"sslConfig": {"caCertificate": "/nowhere.pem"}}, "sslConfig.caCertificate", "none at"),
        ({"sslConfig": {"caCertificate": "x" * 5000}}, "sslConfig.caCertificate", "none at"),
        ({"sslConfig": {"caCertificate": "-----BEGIN X"}}, "sslConfig", "not its text"),
    ],
)
def test_wrong_settings_are_named_with_what_is_right(changes, where, why):
    message = said(**changes)
    assert message.startswith(where)
    assert why in message


def test_whom_to_trust(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("")
    config, problems = parsed(verifySSL="validate", sslConfig={"certificatePath": str(path)})
    assert config.verify == str(path)
    assert "is an old spelling; write caCertificate" in problems.warnings[0]
    assert parsed(verifySSL="ignore")[0].verify is False
    assert parsed(verifySSL="validate")[0].verify is None


def test_extra_headers_are_filled_in_and_hidden():
    extra = {
        "X-Auth": "%(Authorization)s",
        "X-Rate": "5%%",
        "X-Plain": "100% sure",
        "authorization": "own",
    }
    config, _ = parsed(extraHeaders=extra)
    assert config.headers() == {
        "X-Auth": f"Bearer {TOKEN}",
        "X-Rate": "5%",
        "X-Plain": "100% sure",
        "authorization": "own",
    }
    assert "sure" not in repr(config)


def test_the_settings_of_the_sink():
    own = {"api_endpoint": None, "bulk_sink_batch_size": 100, "enable_async_pipeline": True}
    config, problems = parsed(MetadataRestConfig, override_metadata=True, **own)
    assert config.override_metadata is True
    assert not problems.warnings
    _, problems = parsed(MetadataRestConfig, api_endpoint="http://h", async_pipeline_workers=4)
    assert len(problems.warnings) == 2
    config, _ = parsed(MetadataRestConfig)
    assert config.override_metadata is None


def test_keys_without_effect_warn_where_no_default_is_known():
    problems = Problems()
    normalise(ServerConfig, {"securityConfig": {"audience": None}}, (), problems)
    assert len(problems.warnings) == 1
