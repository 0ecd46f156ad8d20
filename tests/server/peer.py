"""Runs the peer, openmetadata-ingestion, on a sandbox of ours and a real server.

METAGLEAN_PEER_PYTHON names the interpreter of its environment: Python 3.10 with
`openmetadata-ingestion[domo]==1.2.0.1` and `collate-sqllineage==1.2.7`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import certifi
import trustme
from tests.server.real import RealServer

from metaglean_domo_sandbox import Sandbox

SECONDS = 300


class Certificates(NamedTuple):
    """Files: a server's (certificate, key), and the authorities to trust, certifi's included."""

    server: tuple[str, str]
    bundle: str


def certificates(folder: Path) -> Certificates:
    """The peer's SDK of Domo speaks nothing but https."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    key, chain, bundle = folder / "server.key", folder / "server.pem", folder / "bundle.pem"
    made.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    return Certificates((str(chain), str(key)), str(bundle))


def fill(
    python: Path, sandbox: Sandbox, server: RealServer, service: str, files: Certificates
) -> None:
    """One metadata run of the peer; raises AssertionError with its output where it fails."""
    folder = Path(files.bundle).parent
    workflow = folder / f"{service}.yaml"
    workflow.write_text(json.dumps(_workflow(sandbox, server, service)), "utf-8")
    trust = {"REQUESTS_CA_BUNDLE": files.bundle, "SSL_CERT_FILE": files.bundle}
    done = subprocess.run(
        [python.absolute().parent / "metadata", "ingest", "-c", workflow],
        cwd=folder,
        env={**os.environ, **trust, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def wait_until_found(server: RealServer, address: str) -> None:
    """The peer finds people through the search index, which follows the database after a while."""
    due = time.monotonic() + 30
    query = {"q": f'email:"{address}"', "index": "user_search_index"}
    while not server.api().get("search/query", **query)["hits"]["hits"]:
        assert time.monotonic() < due, f"the search index doesn't have {address}"
        time.sleep(0.2)


def _workflow(sandbox: Sandbox, server: RealServer, service: str) -> dict[str, Any]:
    access = sandbox.connection()
    connection = {
        "type": "DomoDatabase",
        "clientId": access["client_id"],
        "secretToken": access["client_secret"],
        "accessToken": access["access_token"],
        "apiHost": access["public_url"].removeprefix("https://"),
        "instanceDomain": access["instance_url"],
    }
    return {
        "source": {
            "type": "domodatabase",
            "serviceName": service,
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": {"type": "DatabaseMetadata", "markDeletedTables": True}},
        },
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {
            "openMetadataServerConfig": {
                "hostPort": server.url,
                "authProvider": "openmetadata",
                "securityConfig": {"jwtToken": server.token},
            }
        },
    }
