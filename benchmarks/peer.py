"""The peer, measured as we are: its ingestion of the same sandbox, into a double of its server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest import environment
from measure import Cost, run
from rows import Bench
from sandbox import Tenant

STARTS = 2


def measure_peer(bench: Bench, python: Path) -> None:
    """Fill `bench.peer`: start, one run of 1,000 datasets, and (not in a quick run) with latency.

    One run each: it takes minutes, and the ratios are large.
    """
    metadata = python.absolute().parent / "metadata"
    starts = [run((metadata, "--help"), environment(), bench.folder).cpu for _ in range(STARTS)]
    bench.peer["help"] = min(starts)
    with _server(bench.folder) as host, bench.tenant(bench.shape()) as tenant:
        tenant.reset()
        cost = _once(bench, metadata, tenant, host)
        _show("1,000 datasets", cost, tenant)
        bench.peer.update(cpu=cost.cpu, rss=cost.rss, wall=cost.wall)
        if not bench.quick:
            tenant.reset(latency_ms=20)
            bench.peer["latency"] = _once(bench, metadata, tenant, host).wall


def _show(what: str, cost: Cost, tenant: Tenant) -> None:
    stats = tenant.stats()
    opened = sum(stats["connections"].values())
    print(
        f"peer: {what}: {cost.cpu:.1f} CPU-s, {cost.rss:.0f} MB, {cost.wall:.1f} s, "
        f"{stats['requests']} requests on {opened} connections",
        flush=True,
    )


def _once(bench: Bench, metadata: Path, tenant: Tenant, host: str) -> Cost:
    folder = bench.folder / "peer"
    folder.mkdir(exist_ok=True)
    (folder / "workflow.yaml").write_text(json.dumps(_workflow(tenant, host)), "utf-8")
    settings = environment(REQUESTS_CA_BUNDLE=str(tenant.bundle), SSL_CERT_FILE=str(tenant.bundle))
    return run((metadata, "ingest", "-c", "workflow.yaml"), settings, folder)


def _workflow(tenant: Tenant, host: str) -> dict[str, Any]:
    connection = {
        "type": "DomoDatabase",
        "clientId": tenant.client_id,
        "secretToken": tenant.client_secret,
        "accessToken": tenant.access_token,
        "instanceDomain": tenant.instance_url,
        "apiHost": tenant.public_url.removeprefix("https://"),  # its SDK puts the scheme before
    }
    return {
        "source": {
            "type": "domodatabase",
            "serviceName": "domo",
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": {"type": "DatabaseMetadata", "markDeletedTables": True}},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {
            "openMetadataServerConfig": {
                "hostPort": host,
                "authProvider": "openmetadata",
                "securityConfig": {"jwtToken": "none"},
            }
        },
    }


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """The double as a process of its own; gives its address."""
    ready = folder / "peer-server.txt"
    script = Path(__file__).resolve().parent / "peer_server.py"
    process = subprocess.Popen([sys.executable, str(script), str(ready)])
    try:
        due = time.monotonic() + 30
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > due:
                raise RuntimeError("the double of the peer's server did not start")
            time.sleep(0.05)
        yield ready.read_text("utf-8")
    finally:
        process.terminate()
        process.wait(timeout=10)
