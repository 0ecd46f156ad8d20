"""What the sink costs on a real OpenMetadata server: the one of the tests (`tests/server`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures import Baseline, Figure
from ingest import Ingest, into_server
from measure import Cost, least
from rows import Bench
from sandbox import Tenant

if TYPE_CHECKING:
    from tests.server.api import Api
    from tests.server.real import RealServer

# Recorded of the peer, 1.2.0.1, for 200 datasets: seconds of a first and of a second run.
PEER_SECONDS = (40.0, 43.0)
EDITED = 0.1  # the share of tables whose text people change
EDITS = (
    ("/description", "Written by a person."),
    ("/displayName", "Named by a person"),
    ("/columns/0/description", "Written by a person."),
)
NAMES = ("first", "second")


def real(bench: Bench) -> Iterator[Figure]:
    """Time for 200 datasets, requests for 1,000; none where no server is named."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.server.real import open_server

    server = open_server()
    if server is None:
        yield Figure("real", "not measured: no server was named", float("nan"), "")
        return
    try:
        yield from _times(bench, server)
        yield from _requests(bench, server)
    finally:
        for message in server.close():
            print(message, file=sys.stderr)


def _times(bench: Bench, server: RealServer) -> Iterator[Figure]:
    n = max(1, bench.datasets // 5)
    costs: list[tuple[Cost, Cost]] = []
    written = 0
    with bench.tenant(bench.shape(datasets=n)) as tenant:
        for number in range(1 + bench.runs):
            ingest, service = _ingest(bench, tenant, server)
            first = ingest.run()
            before = versions(server.api(), service)
            cost = (first, ingest.run())
            written += changed(before, versions(server.api(), service)) + n - len(before)
            if number:  # the one before warmed the server
                costs.append(cost)
    for name, runs, bound, peer in zip(
        NAMES, zip(*costs, strict=True), (8.0, 3.0), PEER_SECONDS, strict=True
    ):
        cost = least(runs)
        what = f"{n} × 20 into a {server.version} server, {name} run"
        baseline = Baseline(peer) if n == 200 else None
        yield Figure("real", f"{what}: time", cost.wall, "s", bound, baseline)
        yield Figure("real", "  its processor time", cost.cpu, "CPU-s")
    yield Figure("real", f"{what}: tables lost or written", written, "", 0, exact=True)


def _requests(bench: Bench, server: RealServer) -> Iterator[Figure]:
    from tests.server.gate import Gate

    n = max(1, bench.datasets // 5) if bench.quick else bench.datasets
    old_tags = _tags(server.api())
    with bench.tenant(bench.shape(datasets=n)) as tenant, Gate(server.url) as gate:
        ingest, service = _ingest(bench, tenant, server, gate.url)
        ingest.run()
        first = len(gate.calls)
        # A tag that stood there already was asked for as often as a new one.
        tags = max(_tags(server.api()) - old_tags, 0)
        what = f"{n:,} datasets into a {server.version} server"
        bound = n + n / 1000 + tags + 30
        yield Figure("real", f"{what}, first run: requests", first, "", bound)
        for edited in (0, round(n * EDITED)) if server.has_admin else (0,):
            if edited:
                edit(server.api(as_admin=True), service, edited)
            before = versions(server.api(), service)
            gate.open()
            ingest.run()
            said = f"{what}, second run, {edited} edited"
            bound = n / 1000 + 30 + 2 * edited
            yield Figure("real", f"{said}: requests", len(gate.calls), "", bound)
            written = len(gate.writes) + changed(before, versions(server.api(), service))
            yield Figure("real", f"{said}: writes", written, "", 0, exact=True)


def _ingest(bench: Bench, tenant: Tenant, server: RealServer, url: str = "") -> tuple[Ingest, str]:
    """A workflow into a service of its own, that is removed at the end."""
    service = server.scratch("bench")
    target = into_server(url or server.url, server.token)
    return bench.ingest(tenant, target=target, service=service), service


def versions(api: Api, service: str) -> dict[str, float]:
    """Id → version of each live table."""
    found = api.all("tables", databaseSchema=f"{service}.default.default")
    return {str(table["id"]): float(table["version"]) for table in found}


def changed(before: dict[str, float], after: dict[str, float]) -> int:
    """How many tables came, went or moved."""
    return len(set(before.items()) ^ set(after.items()))


def edit(person: Api, service: str, number: int) -> None:
    """Let a person change one text of so many tables."""
    found: list[dict[str, Any]] = person.all("tables", databaseSchema=f"{service}.default.default")
    for table, (path, text) in zip(islice(found, number), cycle(EDITS), strict=False):
        operation = {"op": "add", "path": path, "value": text}
        person.patch(f"tables/{table['id']}", [operation])


def _tags(api: Api) -> int:
    return len(api.all("tags"))
