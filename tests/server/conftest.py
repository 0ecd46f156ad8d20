"""A real OpenMetadata server for the tests below.

METAGLEAN_TEST_SERVER: address of a running server (`http://host:8585/api`);
METAGLEAN_TEST_SERVER_TOKEN: NAME of the variable that holds a bot's token for it;
METAGLEAN_TEST_SERVER_ADMIN_TOKEN: the same for an admin's, which some tests need.
The tests then stay inside services of their own, which they remove.

METAGLEAN_SERVER_PACKAGE: else, a folder with start.sh and stop.sh of a server to start (the
default is `../shared/openmetadata-server` beside the checkout, where that exists). Where one is
named or found and doesn't start, the tests fail. OM_LIBS may name the folder of its jars.
"""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator

import pytest
from tests.said import SAID, SERVER, left_out
from tests.server.place import FakeSite, Site
from tests.server.real import RealServer, named_package, open_server

from metaglean_testkit.openmetadata import FakeServer

NONE = "none: METAGLEAN_TEST_SERVER or METAGLEAN_SERVER_PACKAGE would name one"
DAMAGING = "test_rules_that_damage_a_server_run_on_one_of_the_tests_own"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What damages a server comes last of all, so that nobody meets it and no restart is needed."""
    items.sort(key=lambda item: item.name == DAMAGING)


@pytest.fixture
def damaged_server(own_server: RealServer) -> Iterator[RealServer]:
    """For the one test that damages the server; a worker of several has other files to run after
    it, in an order that isn't ours."""
    yield own_server
    if "PYTEST_XDIST_WORKER" in os.environ:
        own_server.wipe()


@pytest.fixture(scope="session")
def real_server(pytestconfig: pytest.Config) -> Iterator[RealServer]:
    """See `RealServer`; started at its first use, shared by the whole run."""
    pytestconfig.stash[SAID[SERVER]] = "it did not start, or could not be reached"
    faulthandler.cancel_dump_traceback_later()  # a first start, with Maven, takes minutes
    server = open_server()
    if server is None:
        pytestconfig.stash[SAID[SERVER]] = NONE
        left_out(f"no OpenMetadata server ({NONE})")
    left: list[str] = []
    try:
        origin = f"started from {named_package()}" if server.own else f"at {server.url}"
        pytestconfig.stash[SAID[SERVER]] = f"{server.version}, {origin}"
        yield server
    finally:
        left = server.close()
    assert not left, f"not removed: {left}"


@pytest.fixture(scope="session")
def own_server(real_server: RealServer) -> RealServer:
    """For tests that stop, wipe or damage a server: never one that was named from outside."""
    if not real_server.own:
        left_out("only for a server that the tests started themselves")
    return real_server


@pytest.fixture(scope="session")
def admin_server(real_server: RealServer) -> RealServer:
    """For tests in which a person edits."""
    if not real_server.has_admin:
        left_out("METAGLEAN_TEST_SERVER_ADMIN_TOKEN names no admin's token")
    return real_server


@pytest.fixture(scope="session")
def fakes() -> Iterator[dict[str, FakeSite]]:
    """Version → the fake server of that version, as far as they were asked for."""
    started: dict[str, FakeSite] = {}
    yield started
    for one in started.values():
        one.fake.stop()


@pytest.fixture(params=["real", "fake 1.2.0", "fake 2.0.0"])
def site(request: pytest.FixtureRequest, fakes: dict[str, FakeSite]) -> Site:
    """The real server, and the fake as two generations: what holds there must hold here."""
    kind, _, version = str(request.param).partition(" ")
    if kind == "fake":
        if version not in fakes:
            fakes[version] = FakeSite(FakeServer(version).start())
        return fakes[version]
    server: RealServer = request.getfixturevalue("real_server")
    if not server.has_admin:
        left_out("METAGLEAN_TEST_SERVER_ADMIN_TOKEN names no admin's token")
    return server
