"""What is asked of a server before anything is written: version, token, permissions, agents."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from metaglean import ConfigError, RemoteError, Run
from metaglean.builtin.server.checks import KINDS, Identity, checks
from metaglean.builtin.server.config import ServerConfig
from metaglean.builtin.server.connect import connect, stored_connection
from metaglean.builtin.server.features import FIRST
from metaglean.http import CredentialsRefused
from metaglean.records import Ref

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib3QifQ.c2lnbmF0dXJl"
SERVICE = Ref("databaseService", ("my.shop",))
BOT = {"name": "ingestion-bot", "isBot": True, "isAdmin": False}
RULE = {"name": "IngestionBotRule-Allow"}


def permission(operation, access="allow", policy="IngestionBotPolicy", condition=None):
    rule = {**RULE, "condition": condition} if condition else RULE
    return {"operation": operation, "access": access, "rule": rule, "policy": policy}


def permissions(*listed, kinds=KINDS):
    return {"data": [{"resource": kind, "permissions": list(listed)} for kind in kinds]}


ALL = [permission(word) for word in ("Create", "Delete", "ViewAll", "EditAll")]


def agent(name, *, kind="databaseService", service='"my.shop"', **more):
    return {
        "fullyQualifiedName": f"{service}.{name}",
        "pipelineType": "metadata",
        "enabled": True,
        "service": {"type": kind, "fullyQualifiedName": service},
        "openMetadataServerConnection": {"securityConfig": {"jwtToken": "of-the-agent"}},
        **more,
    }


class Fake:
    """Answers by path; keeps what was asked."""

    def __init__(self):
        self.answers = {
            "/api/v1/system/version": (200, {"version": "1.2.0"}),
            "/api/v1/users/loggedInUser": (200, BOT),
            "/api/v1/permissions": (200, permissions(*ALL)),
            "/api/v1/services/ingestionPipelines": (200, {"data": [], "paging": {}}),
        }
        self.asked: list[tuple[str, dict[str, str]]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, _ = self.path.partition("?")
                fake.asked.append((self.path, dict(self.headers)))
                status, body = fake.answers.get(path, (404, {"message": "not there"}))
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                kind = "text/html" if isinstance(body, str) else "application/json"
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path, body, status=200):
        self.answers[f"/api/v1/{path}"] = (status, body)


@pytest.fixture
def fake():
    fake = Fake()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture
def run():
    run = Run(SERVICE, ingestion_pipeline_fqn='"my.shop".ours')
    yield run.at("sink")
    run.close()


def config_of(fake, **more) -> ServerConfig:
    return ServerConfig.model_validate(
        {"hostPort": fake.url, "securityConfig": {"jwtToken": TOKEN}, **more}
    )


def checked(fake, run, **more):
    """Steps by name, the identity, and the warnings."""
    config = config_of(fake, **more)
    generator = checks(connect(run, config), run, config)
    steps = {}
    while True:
        try:
            step = next(generator)
        except StopIteration as end:
            warnings = [entry["message"] for entry in run.report.as_dict()["warnings"]]
            return steps, end.value, warnings
        steps[step.name] = step


def failing(steps):
    return [name for name, step in steps.items() if step.required and step.ok is False]


def test_all_is_well_in_four_calls(fake, run):
    steps, identity, warnings = checked(fake, run)
    assert all(step.ok for step in steps.values())
    assert identity == Identity("ingestion-bot", is_bot=True, is_admin=False)
    assert warnings == []
    assert len(fake.asked) == 4
    for _, headers in fake.asked:
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["User-Agent"].startswith("metaglean")


def test_extra_headers_go_along_and_are_secret(fake, run):
    checked(fake, run, extraHeaders={"X-Copy": "%(Authorization)s", "X-Key": "proxy-key"})
    assert {headers["X-Copy"] for _, headers in fake.asked} == {f"Bearer {TOKEN}"}
    assert run.redactor.clean(f"{TOKEN} proxy-key") == "*** ***"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>sign in</html>"),
        (404, "<html>not found</html>"),
        (500, {"responseMessage": "An exception with message [HTTP 404 Not Found] was thrown"}),
        (302, {}),
        (401, {"message": "who are you?"}),
        (403, {}),
        (200, {}),
        (200, []),
        (200, {"version": "main"}),
    ],
)
def test_what_is_no_server_names_the_setting(fake, run, status, body):
    fake.answer("system/version", body, status)
    with pytest.raises(RemoteError) as caught:
        connect(run, config_of(fake))
    assert f"there is no OpenMetadata API at {fake.url}/v1" in caught.value.message
    assert "hostPort" in caught.value.hint
    assert "http://host:8585/api" in caught.value.hint
    assert len(fake.asked) == 1


def test_a_server_that_is_too_old(fake, run):
    fake.answer("system/version", {"version": "1.0.4"})
    with pytest.raises(RemoteError, match=r"OpenMetadata 1\.0\.4 at .* is too old"):
        connect(run, config_of(fake))


@pytest.mark.parametrize(("version", "like"), [("1.7.3", "1.5"), ("2.4.0-SNAPSHOT", "2.0")])
def test_an_unproved_version_is_one_warning(fake, run, version, like):
    fake.answer("system/version", {"version": version})
    steps, _, (warning,) = checked(fake, run)
    assert f"was never tested: it is taken for {like}" in warning
    assert not failing(steps)


@pytest.mark.parametrize(
    ("version", "word", "least", "most"),
    [("1.10.2", "with", (1, 5), (1, 10)), ("1.1.7", "without", (1, 1), (1, 2))],
)
def test_the_warning_names_the_features_that_differ(fake, run, version, word, least, most):
    fake.answer("system/version", {"version": version})
    _, _, (warning,) = checked(fake, run)
    expected = {feature for feature, first in FIRST.items() if least < first <= most}
    assert expected
    assert set(warning.partition(f", {word} ")[2].split(", ")) == expected


def test_the_warning_can_be_switched_off(fake, run):
    fake.answer("system/version", {"version": "1.7.3"})
    steps, _, warnings = checked(fake, run, enableVersionValidation=False)
    assert warnings == []
    assert "never tested" in steps["OpenMetadata 1.7.3"].detail


def test_a_refused_token_says_which_one_is_right(fake, run):
    fake.answer("users/loggedInUser", {"code": 401, "message": "Expired token!"}, 401)
    with pytest.raises(CredentialsRefused) as caught:
        checked(fake, run)
    assert "Expired token!" in caught.value.message
    assert "current token of a bot" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_server_that_does_not_tell_who_is_there(fake, run):
    del fake.answers["/api/v1/users/loggedInUser"]
    steps, identity, _ = checked(fake, run)
    assert steps["token"].ok is None
    assert identity == Identity("", is_bot=False, is_admin=False)
    fake.answer("users/loggedInUser", {}, 403)
    with pytest.raises(RemoteError):
        checked(fake, run)


def test_a_person_is_one_warning(fake, run):
    fake.answer("users/loggedInUser", {"name": "anna", "isAdmin": True})
    steps, identity, (warning,) = checked(fake, run)
    assert identity == Identity("anna", is_bot=False, is_admin=True)
    assert "person (anna)" in warning
    assert steps["permissions"].detail == "an administrator has all"
    assert not any("permissions" in path for path, _ in fake.asked)


@pytest.mark.parametrize("missing", ["Create", "EditAll", "ViewAll"])
def test_a_missing_permission_is_named_with_what_gives_it(fake, run, missing):
    listed = [one for one in ALL if one["operation"] != missing]
    fake.answer("permissions", permissions(*listed))
    steps, _, warnings = checked(fake, run)
    assert failing(steps) == [f"permission {missing}"]
    detail = steps[f"permission {missing}"].detail
    assert detail.startswith("missing on databaseService, database, databaseSchema, table, ")
    assert "IngestionBotRole" in detail
    assert "IngestionBotPolicy" in detail
    assert warnings == []


def test_kinds_that_the_server_does_not_list_lack_all(fake, run):
    fake.answer("permissions", permissions(*ALL, kinds=KINDS[:-1]))
    steps, _, _ = checked(fake, run)
    assert len(failing(steps)) == 3
    assert steps["permission Create"].detail.startswith("missing on tag: ")


def test_no_permission_to_delete_is_a_warning(fake, run):
    fake.answer("permissions", permissions(*[one for one in ALL if one["operation"] != "Delete"]))
    steps, _, (warning,) = checked(fake, run)
    assert not failing(steps)
    assert steps["permission Delete"].ok is False
    assert "Delete" in warning


def test_single_permissions_to_edit_are_enough_for_a_warning(fake, run):
    single = ("EditDescription", "EditDisplayName", "EditTags", "EditOwners")
    listed = [one for one in ALL if one["operation"] != "EditAll"]
    fake.answer("permissions", permissions(*listed, *map(permission, single)))
    steps, _, (warning,) = checked(fake, run)
    assert not failing(steps)
    assert "EditAll" in warning
    fake.answer("permissions", permissions(*listed, *map(permission, single[1:])))
    assert failing(checked(fake, run)[0]) == ["permission EditAll"]


def test_conditions_of_owners_never_hold_others_may(fake, run):
    listed = [permission(one["operation"], "conditionalAllow", "Org", "isOwner()") for one in ALL]
    fake.answer("permissions", permissions(*listed))
    steps, _, _ = checked(fake, run)
    assert len(failing(steps)) == 3
    assert "Org says conditionalAllow isOwner()" in steps["permission Create"].detail
    listed = [permission(one["operation"], "conditionalAllow", "D", "hasDomain()") for one in ALL]
    fake.answer("permissions", permissions(*listed))
    steps, _, warnings = checked(fake, run)
    assert not failing(steps)
    assert steps["permission Create"].ok is None
    assert any("conditional on" in warning for warning in warnings)


def test_what_a_policy_denies_is_kept_with_the_identity(fake, run):
    denial = permission("EditDisplayName", "deny", "DefaultBotPolicy")
    fake.answer("permissions", permissions(*ALL, denial, kinds=["table"]))
    _, identity, _ = checked(fake, run)
    assert not identity.may("table", "EditDisplayName")
    assert identity.may("table", "EditDescription")
    assert identity.may("database", "EditDisplayName")


@pytest.mark.parametrize("body", [{"data": None}, {"data": [1, {"permissions": 2}]}, []])
def test_a_server_that_does_not_tell_permissions(fake, run, body):
    fake.answer("permissions", body)
    steps, _, _ = checked(fake, run)
    assert steps["permissions"].ok is None
    assert not failing(steps)


def test_agents_of_the_server_that_write_the_same_service(fake, run):
    agents = [
        agent("theirs"),
        agent("ours"),
        agent("off", enabled=False),
        agent("profiler", pipelineType="profiler"),
        agent("elsewhere", kind="dashboardService"),
        agent("other", service="my"),
        {},
    ]
    fake.answer("services/ingestionPipelines", {"data": agents, "paging": {}})
    steps, _, (warning,) = checked(fake, run)
    assert warning.endswith('writes the same service: "my.shop".theirs')
    step = steps["other agents"]
    assert (step.ok, step.required) == (False, False)
    assert "service=%22my.shop%22" in fake.asked[-1][0]


def test_agents_that_may_not_be_listed(fake, run):
    fake.answer("services/ingestionPipelines", {"message": "denied"}, 403)
    steps, _, _ = checked(fake, run)
    assert steps["other agents"].ok is None
    assert not failing(steps)


@pytest.mark.parametrize(("version", "name"), [("1.2.0", "a _ b_e649c228"), ("1.3.0", "a > b")])
def test_a_service_is_looked_up_under_the_name_that_it_has(fake, version, name):
    """Services aren't encoded as tables are; before 1.3 they have few characters."""
    service = Ref("databaseService", ("a > b",))
    fake.answer("system/version", {"version": version})
    path = f"services/databaseServices/name/{quote(name)}"
    fake.answer(path, {"connection": {"config": {"k": 1}}})
    agents = [agent("theirs", service=name)]
    fake.answer("services/ingestionPipelines", {"data": agents, "paging": {}})
    with closing(Run(service)) as run:
        assert stored_connection(connect(run, config_of(fake)), service) == {"k": 1}
        _, _, warnings = checked(fake, run.at("sink"))
    assert warnings[-1].endswith(f"writes the same service: {name}.theirs")


def test_a_stored_connection(fake, run):
    path = "services/databaseServices/name/%22my.shop%22"
    fake.answer(path, {"connection": {"config": {"type": "Shop", "key": "k"}}})
    server = connect(run, config_of(fake))
    assert stored_connection(server, SERVICE) == {"type": "Shop", "key": "k"}
    for nothing in ({}, {"connection": None}, {"connection": {"config": {}}}, []):
        fake.answer(path, nothing)
        assert stored_connection(server, SERVICE) is None
    assert stored_connection(server, Ref("databaseService", ("x",))) is None
    stored = {"a": {"key": "secret:/om/shop/key"}, "b": "in-clear"}
    fake.answer(path, {"connection": {"config": stored}})
    with pytest.raises(ConfigError, match="in a secrets manager: a") as caught:
        stored_connection(server, SERVICE)
    assert "in-clear" not in str(caught.value)
