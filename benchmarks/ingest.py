"""The measured process: `metaglean ingest` of a workflow file, and what it left in the catalog."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from measure import Cost, run
from sandbox import Tenant

WORKERS = 8  # what a workflow that says nothing gets


Json = dict[str, Any]


def into_catalog(path: Path) -> Json:
    """The part of a workflow that names its target."""
    return {"sink": {"type": "catalog", "config": {"path": str(path)}}}


def into_server(url: str, token: str) -> Json:
    """The same for a server."""
    server = {
        "hostPort": url,
        "authProvider": "openmetadata",
        "securityConfig": {"jwtToken": token},
    }
    return {
        "sink": {"type": "metadata-rest", "config": {}},
        "workflowConfig": {"openMetadataServerConfig": server},
    }


def workflow(
    tenant: Tenant, target: Json, threads: int | None = None, service: str = "domo"
) -> Json:
    """What `examples/domo-database.yaml` says, for the sandbox. Written as JSON, which is YAML."""
    options: dict[str, Any] = {"type": "DatabaseMetadata", "markDeletedTables": True}
    if threads is not None:
        options["threads"] = threads
    connection = {
        "type": "DomoDatabase",
        "clientId": tenant.client_id,
        "secretToken": tenant.client_secret,
        "accessToken": tenant.access_token,
        "instanceDomain": tenant.instance_url,
        "apiHost": tenant.public_url,
    }
    return {
        "source": {
            "type": "domodatabase",
            "serviceName": service,
            "serviceConnection": {"config": connection},
            "sourceConfig": {"config": options},
        },
        **target,
    }


def environment(**more: str) -> dict[str, str]:
    """As little as a process needs, so that nothing of this machine's settings is measured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "NO_PROXY": "127.0.0.1", **more}


def executable(python: str = sys.executable) -> Path:
    """The command `metaglean` of the environment that this interpreter belongs to."""
    return Path(python).parent / "metaglean"


class Ingest:
    """Runs of one workflow over one catalog, or into the server of `target`, in a folder of its
    own."""

    def __init__(
        self,
        tenant: Tenant,
        folder: Path,
        threads: int | None = None,
        target: Json | None = None,
        service: str = "domo",
    ) -> None:
        self.folder = folder
        self.catalog = folder / "catalog.db"
        self._bundle = tenant.bundle
        folder.mkdir(parents=True, exist_ok=True)
        named = target or into_catalog(self.catalog)
        described = json.dumps(workflow(tenant, named, threads, service), indent=2)
        (folder / "workflow.yaml").write_text(described, "utf-8")

    def forget(self) -> None:
        """The next run is a first one."""
        self.catalog.unlink(missing_ok=True)

    def run(self, expected: Iterable[int] = (0,)) -> Cost:
        """One run of the process."""
        command = (executable(), "ingest", "-c", "workflow.yaml", "--report", "report.json")
        bundle = str(self._bundle)
        settings = environment(REQUESTS_CA_BUNDLE=bundle)
        return run(command, settings, self.folder, expected=expected)

    def state(self) -> State:
        """What stands in the catalog."""
        return state(self.catalog)


class State(NamedTuple):
    """What stands in a catalog: live tables, those with columns, a digest of all that isn't
    volatile, and how many entities and rows of history the last run wrote."""

    tables: int
    with_columns: int
    deleted: int
    digest: str
    rewritten: int
    history: int


def state(path: Path) -> State:
    """Read with SQL, not with the code that is measured."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:

        def one(sql: str) -> int:
            return int(database.execute(sql).fetchone()[0])

        digest = hashlib.blake2b(digest_size=16)
        for row in database.execute("SELECT kind, fqn, state FROM entities ORDER BY kind, fqn"):
            digest.update("\x1f".join(row).encode() + b"\x1e")
        live = "SELECT count(*) FROM entities WHERE kind = 'table' AND deleted_run IS NULL"
        return State(
            one(live),
            one(f"{live} AND json_array_length(state, '$.columns') > 0"),
            one("SELECT count(*) FROM entities WHERE deleted_run IS NOT NULL"),
            digest.hexdigest(),
            one("SELECT count(*) FROM entities WHERE updated_run = (SELECT max(id) FROM runs)"),
            one("SELECT count(*) FROM history WHERE run = (SELECT max(id) FROM runs)"),
        )
