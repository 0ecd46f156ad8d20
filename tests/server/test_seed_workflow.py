"""The published workflow, with its own sink: only hosts and secrets are replaced.

All datasets of the demo tenant are there, edge cases included, and are read back field by field; a
second run writes nothing; what is deleted at the source and comes back has all that people gave it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.domo.test_seed_document import ORIGINAL, OURS, extract
from tests.server.expected import shown, table_of
from tests.server.place import Place, Site, opened
from tests.server.state import definition_key, versions_of

from metaglean.cli import main

PAGE = ORIGINAL if ORIGINAL.exists() else OURS
SERVICE = "local_DomoDatabase"
#: Views whose SQL isn't known for certain.
WITHOUT_SQL = {"v_strange", "orders fused"}


@pytest.fixture
def place(site: Site) -> Iterator[Place]:
    """On a server of the tests' own the service has its published name; elsewhere it could be
    somebody's."""
    service = SERVICE if site.own else site.scratch(SERVICE)
    with opened(site, "seed", service=service) as here:
        yield here
        found = here.admin.find("services/databaseServices", service, include="all")
        if site.own and found:
            here.admin.delete(
                f"services/databaseServices/{found['id']}", recursive=True, hardDelete=True
            )


def workflow(place: Place) -> str:
    access = place.sandbox.connection()
    text = extract(PAGE, "yaml")
    values = {
        "clientId: client-id": f"clientId: {access['client_id']}",
        "secretToken: secret-token": f"secretToken: {access['client_secret']}",
        "accessToken: access-token": f"accessToken: {access['access_token']}",
        "apiHost: api.domo.com": f"apiHost: {access['public_url']}",
        "https://<api_domo>.domo.com": access["instance_url"],
        "http://localhost:8585/api": place.gate.url,
        "{bot_jwt_token}": place.site.token,
        f"serviceName: {SERVICE}": f"serviceName: {place.service}",
    }
    for placeholder, value in values.items():
        assert text.count(placeholder) == 1, placeholder
        text = text.replace(placeholder, value)
    return text


class Ingest:
    """`metaglean ingest` of the workflow; asserts that it ends well, gives what it printed."""

    def __init__(self, place: Place, folder: Path, capsys: Any) -> None:
        self._place = place
        self._capsys = capsys
        self._file = folder / "workflow.yaml"
        self._file.write_text(workflow(place), "utf-8")

    def __call__(self) -> str:
        self._place.gate.open()
        self._capsys.readouterr()
        code = main(["ingest", "-c", str(self._file)])
        printed = self._capsys.readouterr()
        text = str(printed.out + printed.err)
        assert code == 0, text
        assert "problem" not in text
        assert self._place.site.token not in text
        return text


def check_fields(place: Place) -> None:
    """Every dataset has its one table, and every table its dataset."""
    live = {dataset.id: dataset for dataset in place.tenant.live()}
    assert len(live) == 51
    tables = place.tables().values()
    found = {table["sourceUrl"].split("/")[4]: table for table in tables}
    assert len(found) == len(tables)
    assert found.keys() == live.keys()
    for dataset_id, dataset in live.items():
        assert shown(found[dataset_id]) == table_of(place, dataset), dataset.name
    key = definition_key(place.site.numbers)
    with_sql = {table["name"] for table in tables if table.get(key)}
    views = {table["name"] for table in tables if table["tableType"] == "View"}
    assert with_sql == views - WITHOUT_SQL
    assert f"FROM `{place.id_of('orders')}`" in place.table("v_plain")[key]


def check_containers(place: Place) -> None:
    service = place.admin.by_name("services/databaseServices", place.service)
    assert service["serviceType"] == "DomoDatabase"
    assert service["connection"]["config"]["instanceDomain"] == place.sandbox.instance_url
    for collection, name in (
        ("databases", f"{place.service}.default"), ("databaseSchemas", place.scope),
    ):  # fmt: skip
        assert place.admin.by_name(collection, name)["name"] == "default"
    for name in ("DomoTags", "DomoCertification"):
        assert place.admin.by_name("classifications", name)["description"]
        for tag in place.admin.all("tags", parent=name):
            assert tag["description"], tag


def test_the_published_workflow(place: Place, tmp_path: Path, capsys: Any) -> None:
    ingest = Ingest(place, tmp_path, capsys)
    ingest()
    check_fields(place)
    check_containers(place)
    versions, state = versions_of(place.admin, place.service), place.state()

    ingest()
    assert place.gate.writes == []
    assert versions_of(place.admin, place.service) == versions
    assert place.state() == state

    for name in ("v_plain", "orders"):
        annotate(place, name)
    edited = place.state()
    ids = [place.id_of(name) for name in ("v_plain", "orders")]
    for dataset, how in zip(ids, ("404", "mark"), strict=True):
        place.tenant.delete(dataset, how=how)
    ingest()
    assert place.tables(include="deleted").keys() == {"v_plain", "orders"}
    assert len(place.tables()) == 49

    for dataset in ids:
        place.tenant.restore(dataset)
    ingest()
    assert place.tables(include="deleted") == {}
    assert place.state() == edited
    ingest()
    assert place.gate.writes == []


def annotate(place: Place, name: str) -> None:
    """What a person who looks after a table writes there."""
    table = place.table(name)
    path = f"tables/{table['id']}"
    label = {"source": "Classification", "labelType": "Manual", "state": "Confirmed"}
    for operation in (
        {"op": "add", "path": "/description", "value": "What a person wrote."},
        {"op": "add", "path": "/tags/-" if table["tags"] else "/tags",
         "value": {"tagFQN": "Tier.Tier1", **label} if table["tags"]
         else [{"tagFQN": "Tier.Tier1", **label}]},
        {"op": "add", "path": "/columns/0/description", "value": "What a person knows of it."},
        {"op": "add", "path": "/columns/0/tags", "value": [{"tagFQN": "PII.Sensitive", **label}]},
    ):  # fmt: skip
        place.admin.patch(path, [operation])
