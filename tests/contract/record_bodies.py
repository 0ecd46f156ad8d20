"""Record what the sink `metadata-rest` sends to servers of several versions.

    python tests/contract/record_bodies.py BODIES.jsonl [VERSION …]

Against the fake server as each version: the demo tenant of the Domo sandbox, read three times
(first, after changes at the source and by people, after a deleted dataset came back), and two
sources in memory that say everything a record can say. `validate_bodies.py` reads the file. Exit
code 1 where a run fails, or where a server refused a body.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import many_records

from metaglean import Source
from metaglean_domo_sandbox import Sandbox, Tenant
from metaglean_testkit.openmetadata import FakeServer
from metaglean_testkit.openmetadata.wire import Answer, Request
from metaglean_testkit.running import run_classes

VERSIONS = ("1.3.1", "1.4.3", "1.5.3", "2.0.7")
PEOPLE = ("ann@example.com", "ann@acme.test", "ben@acme.test", "cleo.celik@acme.test")
_API = "/api/v1"
_SHOWN = 300
_DESCRIBED = {"name": "sales", "description": "All about sales."}
_SENSITIVE = {
    "tagFQN": "PII.Sensitive",
    "source": "Classification",
    "labelType": "Manual",
    "state": "Confirmed",
}


class Recorder(FakeServer):
    """A fake server that keeps every body, and of a PATCH the entity before and after it."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.recorded: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self._keeping = threading.Lock()

    def _handle(self, request: Request) -> Answer | None:
        patches = request.method == "PATCH"
        before = self._entity(request.path) if patches else None
        answer = super()._handle(request)
        if request.body and answer is not None:
            entry = {
                "version": ".".join(self.version.split(".")[:2]),
                "method": request.method,
                "path": request.path,
                "status": answer.status,
                "body": json.loads(request.body),
            }
            if answer.status >= 400:
                entry["answer"] = answer.body[:_SHOWN].decode("utf-8", "replace")
            if patches:
                entry["stored"] = before
            if patches and answer.status < 400:
                entry["entity"] = self._entity(request.path)
            with self._keeping:
                self.recorded.append(entry)
        return answer

    def _entity(self, path: str) -> Any:
        return self.ask("GET", f"{path.removeprefix(_API)}?fields=*&include=all")[1]


def run(server: Recorder, source: Mapping[str, Any], *classes: type[Source]) -> None:
    """Run one workflow into the server; a run that fails leaves its summary in `failures`."""
    connection = {
        "hostPort": server.url,
        "authProvider": "openmetadata",
        "securityConfig": {"jwtToken": server.token},
    }
    config = {
        "source": source,
        "workflowConfig": {"openMetadataServerConfig": connection},
        "ingestionPipelineFQN": f"{source['serviceName']}.metadata",
    }
    outcome = run_classes(config, *classes)
    if outcome.exit_code:
        server.failures.append(f"{outcome.summary}\n{outcome.error}")


def domo(sandbox: Sandbox) -> dict[str, Any]:
    """The source of a workflow that reads the sandbox."""
    access = sandbox.connection()
    connection = {
        "type": "DomoDatabase",
        "clientId": access["client_id"],
        "secretToken": access["client_secret"],
        "accessToken": access["access_token"],
        "apiHost": access["public_url"],
        "instanceDomain": access["instance_url"],
    }
    return {
        "type": "domodatabase",
        "serviceName": "domo",
        "serviceConnection": {"config": connection},
        "sourceConfig": {"config": {"type": "DatabaseMetadata", "markDeletedTables": True}},
    }


def in_memory(source: type[many_records.Staged], service: str, stage: int) -> dict[str, Any]:
    """The source of a workflow that reads one of the sources in memory."""
    return {
        "type": source.type,
        "serviceName": service,
        "serviceConnection": {"config": {"type": source.connection_types[0], "stage": stage}},
        "sourceConfig": {"config": {}},
    }


def change(tenant: Tenant) -> str:
    """Change everything that can change at the source; the id of the dataset that was deleted."""
    ids = {one.name: one.id for one in tenant.live() if len(tenant.by_name(one.name)) == 1}
    tenant.set_description(ids["customers"], "All who ever bought.")
    tenant.add_column(ids["orders"], "channel", "STRING")
    tenant.drop_column(ids["refunds"], "refund")
    tenant.retype_column(ids["type_test"], "c0", "LONG")
    tenant.set_tags(ids["users"], ["pii", "fresh", "s_mysql"])
    tenant.set_owner(ids["web sessions"], 103)
    tenant.rename(ids["budget 2026"], "budget 2027")
    tenant.add_dataset(name="brand new")
    gone = ids["customers"]
    tenant.delete(gone)
    return gone


def edit(server: Recorder) -> None:
    """What a person does between two runs, to every second table: patches must keep all of it."""
    major, minor = (int(part) for part in server.version.split(".")[:2])
    version = (major, minor)
    owner = {"type": "user", "id": server.call("GET", "/users/name/admin")["id"]}
    values: dict[str, Any] = {
        "/description": "By hand.",
        "/displayName": "By hand",
        "/columns/0/description": "By hand.",
        "/columns/0/tags": [_SENSITIVE],
        "/tags/-": _SENSITIVE,
        **({"/owners": [owner]} if version >= (1, 5) else {"/owner": owner}),
    }
    if version >= (1, 2):
        domain = server.call("PUT", "/domains", {**_DESCRIBED, "domainType": "Aggregate"})
        ref = {"type": "domain", "id": domain["id"]}
        values |= {"/domains": [ref]} if version >= (1, 9) else {"/domain": ref}
    operations = [{"op": "add", "path": path, "value": value} for path, value in values.items()]
    found = server.call("GET", "/tables?limit=1000&fields=tags")["data"]
    for table in found[::2]:
        start = [] if table.get("tags") else [{"op": "add", "path": "/tags", "value": []}]
        fitting = [
            one for one in operations if table["columns"] or not one["path"].startswith("/columns")
        ]
        server.call("PATCH", f"/tables/{table['id']}", [*start, *fitting])


@contextmanager
def recorder(version: str) -> Iterator[Recorder]:
    with Recorder(version) as server:
        for email in PEOPLE:
            server.call("PUT", "/users", {"name": email.replace("@", "."), "email": email})
        yield server


def record(version: str) -> Recorder:
    """A server of one version, stopped, with what was sent to it."""
    pipelines, tables = many_records.ManyPipelines, many_records.ManyTables
    dashboards = many_records.NoDashboards
    with recorder(version) as server, Sandbox(Tenant.demo()) as sandbox:
        source = domo(sandbox)
        run(server, source)
        gone = change(sandbox.tenant)
        edit(server)
        run(server, source)
        sandbox.tenant.restore(gone)
        run(server, source)
        run(server, in_memory(dashboards, "dashboards", 1), dashboards)
        for stage in (1, 2):
            run(server, in_memory(pipelines, many_records.PIPELINES, stage), pipelines)
            run(server, in_memory(tables, "testkit", stage), tables)
            edit(server)
        run(server, in_memory(tables, "testkit", 1), tables)
        return server


def problems_of(server: Recorder) -> list[str]:
    """Runs that failed, and bodies that the server refused."""
    refused = [one for one in server.recorded if one["status"] == 400]
    return [
        *(f"FAILED {summary}" for summary in server.failures),
        *(f"REFUSED {one['method']} {one['path']} {one['answer']}" for one in refused),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bodies", type=Path, help="the file to write, JSON Lines")
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="servers to record")
    given = parser.parse_args(arguments)
    good = True
    with given.bodies.open("w", encoding="utf-8") as lines:
        for version in given.versions:
            server = record(version)
            problems = problems_of(server)
            lines.writelines(f"{json.dumps(one)}\n" for one in server.recorded)
            print(f"{version}: {len(server.recorded)} bodies, {len(problems)} problems")
            for problem in problems:
                print(f"{version}: {problem}", file=sys.stderr)
            good = good and not problems
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
