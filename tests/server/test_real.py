"""The server that the other tests here use: what it gives, and what it refuses."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import pytest
from tests.server.api import ApiError
from tests.server.package import StartFailed
from tests.server.real import NotOurs, RealServer, open_server


def service(name: str) -> dict[str, str]:
    return {"name": name, "serviceType": "CustomDatabase"}


def test_a_bot_is_logged_in(real_server: RealServer) -> None:
    assert real_server.api().get("users/loggedInUser")["isBot"] is True


def test_an_admin_is_a_person(admin_server: RealServer) -> None:
    user = admin_server.api(as_admin=True).get("users/loggedInUser")
    assert user["isAdmin"] is True
    assert not user.get("isBot")


def test_errors_are_raised_with_their_answer(real_server: RealServer) -> None:
    with pytest.raises(ApiError, match="not found") as caught:
        real_server.api().by_name("tables", "nobody.knows.this.table")
    assert caught.value.status == 404
    assert real_server.api().find("tables", "nobody.knows.this.table") is None


def test_what_a_test_left_is_removed(real_server: RealServer) -> None:
    """As at the end of a run against a server named from outside."""
    token = real_server.admin_token if real_server.has_admin else real_server.token
    outside = RealServer(real_server.url, token, None, None)
    names = [outside.scratch("scratch") for _ in range(2)]
    for name in names:
        outside.api().put("services/databaseServices", service(name))
        outside.api().put("databases", {"name": "below", "service": name})
    assert outside.close() == []
    for name in names:
        assert real_server.api().find("services/databaseServices", name, include="all") is None
        assert real_server.api().find("databases", f"{name}.below", include="all") is None


def test_a_server_from_outside_is_never_touched() -> None:
    """It would cost other people their work: no signal, no stop, no wipe, no guessed login."""
    outside = RealServer("http://127.0.0.1:9/api", "token", None, None)
    for refused in (outside.pause, outside.resume, outside.kill, outside.start, outside.wipe):
        with pytest.raises(NotOurs):
            refused()
    with pytest.raises(NotOurs):
        attrgetter("admin_token")(outside)
    assert not outside.own


def test_the_environment_names_the_variable_of_a_token() -> None:
    named = {
        "METAGLEAN_TEST_SERVER": "http://host:8585/api/",
        "METAGLEAN_TEST_SERVER_TOKEN": "MY_TOKEN",
        "MY_TOKEN": "secret",
        "METAGLEAN_SERVER_PACKAGE": "/nowhere",
    }
    server = open_server(named)
    assert server
    assert (server.url, server.token, server.own) == ("http://host:8585/api", "secret", False)
    assert not server.has_admin
    del named["MY_TOKEN"]
    with pytest.raises(KeyError, match="MY_TOKEN"):
        open_server(named)


def test_a_named_package_that_does_not_start_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libs.sh").write_text("#!/bin/sh\nmkdir -p $OM_LIBS; : >$OM_LIBS/.complete\n")
    (tmp_path / "start.sh").write_text("#!/bin/sh\necho no such luck\nexit 3\n")
    (tmp_path / "stop.sh").write_text("#!/bin/sh\n")
    for script in tmp_path.glob("*.sh"):
        script.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OM_LIBS", raising=False)
    with pytest.raises(StartFailed, match="no such luck"):
        open_server({"METAGLEAN_SERVER_PACKAGE": str(tmp_path)})
    with pytest.raises(StartFailed, match="nowhere has no start"):
        open_server({"METAGLEAN_SERVER_PACKAGE": str(tmp_path / "nowhere")})
