from __future__ import annotations

import pytest

from metaglean_testkit.openmetadata import FakeServer

CONFIG = {"type": "DomoDatabase", "clientId": "c", "secretToken": "canary"}


def filled(version):
    server = FakeServer(version).start()
    bot = server.token
    service = {"name": "s", "serviceType": "DomoDatabase", "connection": {"config": CONFIG}}
    server.call("PUT", "/services/databaseServices", service, token=bot)
    server.call("PUT", "/databases", {"name": "d", "service": "s"}, token=bot)
    server.call("PUT", "/databaseSchemas", {"name": "d", "database": "s.d"}, token=bot)
    for name in ("ann", "bob"):
        server.call("PUT", "/users", {"name": name, "email": f"{name}@example.org"})
    return server


@pytest.fixture(scope="module")
def servers():
    running = {}

    def get(version):
        if version not in running:
            running[version] = filled(version)
            running[version].filled = running[version].snapshot()
        server = running[version]
        server.restore(server.filled)
        server.faults.clear()
        server.forget()
        return server

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def old(servers):
    return servers("1.2.0")


@pytest.fixture
def new(servers):
    return servers("2.0")
