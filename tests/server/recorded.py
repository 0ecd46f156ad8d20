"""What the peer left on a real server, recorded, and how to bring another server to that state.

The record is `data/peer_1_2.json.gz`: the bodies of the service, its database and schema, and for
each table the bodies of its versions, oldest first. In it `{service}`, `{instance}` and `{tag}`
stand for the service's name, the base URL of Domo's instance and the company's tag (`company.py`);
no secret is in it. Made anew by

    METAGLEAN_PEER_PYTHON=… python -m tests.server.recorded
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.server.api import Api
from tests.server.company import STOPS_THE_PEER, company, enroll, new_tag, without
from tests.server.peer import certificates, fill, wait_until_found
from tests.server.real import RealServer, named_package, start_package

from metaglean_domo_sandbox import Sandbox

RECORD = Path(__file__).parent / "data" / "peer_1_2.json.gz"
OF_A_TABLE = ("name", "displayName", "description", "tableType", "sourceUrl", "owner")
OF_A_COLUMN = ("name", "dataType", "ordinalPosition", "description", "dataLength")
Json = dict[str, Any]


def load(server: RealServer, service: str, sandbox: Sandbox, tag: str) -> Json:
    """Write the recorded state as the bot that the peer was; gives the record, filled in."""
    access = sandbox.connection()
    state: Json = json.loads(
        json.dumps(stored())
        .replace("{service}", service)
        .replace("{instance}", access["instance_url"])
        .replace("{tag}", tag)
    )
    config = state["service"]["connection"]["config"]
    config["secretToken"] = access["client_secret"]
    config["accessToken"] = access["access_token"]
    config["apiHost"] = access["public_url"].partition("://")[2]
    api = server.api()
    several = server.numbers >= (1, 5)
    api.put("services/databaseServices", state["service"])
    api.put("databases", state["database"])
    api.put("databaseSchemas", state["schema"])
    for versions in state["tables"]:
        for body in versions:
            api.put("tables", _body(api, body, several=several))
    return state


def _body(api: Api, body: Json, *, several: bool) -> Json:
    """As a server of this generation takes it, owners by id."""
    if "owner" not in body:
        return body
    owner = {"type": "user", "id": api.by_name("users", body["owner"])["id"]}
    rest = {key: value for key, value in body.items() if key != "owner"}
    return {**rest, "owners": [owner]} if several else {**rest, "owner": owner}


def stored() -> Json:
    """The record, placeholders and all."""
    found: Json = json.loads(gzip.decompress(RECORD.read_bytes()))
    return found


def record(server: RealServer, service: str, instance: str, tag: str) -> Json:
    """The state of this service on a 1.2 server, as `load` wants it.

    Raises AssertionError where anybody but this bot has written, or what the record doesn't hold.
    """
    api = server.api()
    bot = api.get("users/loggedInUser")["name"]
    found = api.by_name("services/databaseServices", service)
    config = found["connection"]["config"]
    hidden = {"secretToken": "", "accessToken": "", "apiHost": ""}
    schema = f"{service}.default.default"
    tables = sorted(api.all("tables", databaseSchema=schema), key=lambda table: table["updatedAt"])
    state = {
        "of": f"openmetadata-ingestion 1.2.0.1 on a server {server.version}",
        "service": {
            "name": service,
            "serviceType": found["serviceType"],
            "connection": {"config": {**config, **hidden}},
        },
        "database": {"name": "default", "service": service},
        "schema": {"name": "default", "database": f"{service}.default"},
        "tables": [_versions(api, table["id"], schema, bot) for table in tables],
    }
    text = json.dumps(state)
    for value, placeholder in ((service, "service"), (instance, "instance"), (tag, "tag")):
        text = text.replace(value, f"{{{placeholder}}}")
    found: Json = json.loads(text)
    return found


def _versions(api: Api, table_id: str, schema: str, bot: str) -> list[Json]:
    texts = api.get(f"tables/{table_id}/versions")["versions"]
    tables = [json.loads(text) for text in reversed(texts)]
    assert all(table["updatedBy"] == bot and not table["tags"] for table in tables)
    return [_create(table, schema) for table in tables]


def _create(table: Json, schema: str) -> Json:
    body = {key: table[key] for key in OF_A_TABLE if key in table}
    if "owner" in body:
        body["owner"] = body["owner"]["name"]
    columns = [{k: c[k] for k in OF_A_COLUMN if k in c} for c in table["columns"]]
    return {**body, "databaseSchema": schema, "columns": columns}


def main() -> int:
    home = named_package()
    if home is None:
        sys.exit("METAGLEAN_SERVER_PACKAGE names no server to start")
    server = start_package(home, search=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = certificates(Path(folder))
            tag = new_tag()
            tenant = without(company(tag), *STOPS_THE_PEER)
            enroll(server, tag)
            wait_until_found(server, f"ann@{tag}.example.com")
            service = server.scratch("recorded")
            with Sandbox(tenant, tls=files.server) as sandbox:
                fill(Path(os.environ["METAGLEAN_PEER_PYTHON"]), sandbox, server, service, files)
                state = record(server, service, sandbox.instance_url, tag)
    finally:
        server.close()
    RECORD.parent.mkdir(exist_ok=True)
    text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    RECORD.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
