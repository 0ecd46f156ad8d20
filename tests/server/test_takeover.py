"""A server that the peer filled, and people then edited: our first run loses nothing of it.

Two variants: the state of the peer as it was recorded, and the peer itself, where
METAGLEAN_PEER_PYTHON names its interpreter (see `peer.py`).
"""

from __future__ import annotations

import dataclasses
import faulthandler
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.server import peer, recorded
from tests.server.company import STOPS_THE_PEER, company, enroll, new_tag, without
from tests.server.edits import TIER, Person, fields_of, labels, persons_part
from tests.server.real import RealServer, named_package, start_package
from tests.server.seed import seed_workflow

from metaglean import Workflow, fqn
from metaglean_domo_sandbox import Sandbox

PEER = os.environ.get("METAGLEAN_PEER_PYTHON")
# A plain table, a view (whose structure our run changes), an odd name, a table without columns,
# one that the peer never saw an owner for, and both of those that differ in case alone.
EDITED = (
    "orders", "v_orders_net", "sales.eu.daily", "no columns at all", "customers", "Sales", "SALES",
)  # fmt: skip
DATASET = re.compile(r"/datasources/([0-9a-f-]{36})/")
Tables = dict[str, dict[str, Any]]


@dataclasses.dataclass
class Takeover:
    """Tables by qualified name, soft-deleted ones too: as the peer left them, as people left
    them, after our first run and after our second."""

    server: RealServer
    sandbox: Sandbox
    service: str
    person: Person
    by_peer: Tables
    edited: Tables = dataclasses.field(default_factory=dict)
    first: Tables = dataclasses.field(default_factory=dict)
    second: Tables = dataclasses.field(default_factory=dict)
    edge: tuple[Any, Any] = (None, None)
    left: dict[str, Any] = dataclasses.field(default_factory=dict)

    def tables(self) -> Tables:
        listed = self.server.api().all(
            "tables",
            databaseSchema=self.name(),
            fields=fields_of(self.server),
            include="all",
        )
        return {table["fullyQualifiedName"]: table for table in listed}

    @property
    def definition(self) -> str:
        return "schemaDefinition" if self.server.numbers >= (1, 4) else "viewDefinition"

    def name(self, *table: str) -> str:
        return fqn.build((self.service, "default", "default", *table))

    def run(self) -> Tables:
        workflow = Workflow.create(seed_workflow(self.sandbox, self.server, self.service))
        workflow.execute()
        workflow.raise_from_status()
        return self.tables()

    def drawn(self) -> Any:
        """The edge that a person drew, as the server shows it."""
        upstream = self.edited[self.name("customers")]
        downstream = self.edited[self.name("orders")]["id"]
        shown = self.server.api().get(f"lineage/table/{upstream['id']}")
        return [edge for edge in shown["downstreamEdges"] if edge["toEntity"] == downstream]


VARIANTS = ("recorded", pytest.param("peer", marks=pytest.mark.slow)) if PEER else ("recorded",)


@pytest.fixture(scope="module", params=VARIANTS)
def takeover(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Takeover]:
    by_peer = request.param == "peer"
    with ExitStack() as stack:
        server = _server(request, stack, search=by_peer)
        tag = new_tag()
        tenant = company(tag)
        enroll(server, tag)
        service = server.scratch("takeover")
        files = peer.certificates(tmp_path_factory.mktemp("peer"))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("REQUESTS_CA_BUNDLE", files.bundle)
        sandbox = stack.enter_context(
            Sandbox(without(tenant, *STOPS_THE_PEER), tls=files.server if by_peer else None)
        )
        if by_peer:
            assert PEER
            peer.wait_until_found(server, f"cleo.celik@{tag}.example.com")
            peer.fill(Path(PEER), sandbox, server, service, files)
        else:
            recorded.load(server, service, sandbox, tag)
        done = Takeover(server, sandbox, service, Person(server, tag), {})
        done.by_peer = done.tables()
        if server.numbers == (1, 2):
            done.left = recorded.record(server, service, sandbox.instance_url, tag)
        _edit(done)
        sandbox.tenant.restore_from(tenant)
        done.first = done.run()
        done.edge = (done.edge[0], done.drawn())
        done.second = done.run()
        yield done


def _server(request: pytest.FixtureRequest, stack: ExitStack, *, search: bool) -> RealServer:
    """The run's own; for the peer one with a search index, where it looks for people."""
    faulthandler.cancel_dump_traceback_later()  # a start and three runs: long on a slow machine
    home = named_package()
    if search and home and "METAGLEAN_TEST_SERVER" not in os.environ:
        server = start_package(home, search=True)
        stack.callback(server.close)
        return server
    named: RealServer = request.getfixturevalue("admin_server")
    return named


def _edit(done: Takeover) -> None:
    for name in EDITED:
        done.person.edit(done.by_peer[done.name(name)])
    done.edited = done.tables()
    done.person.draw(done.edited[done.name("customers")], done.edited[done.name("orders")])
    done.edge = (done.drawn(), None)


@pytest.mark.skipif(not PEER, reason="METAGLEAN_PEER_PYTHON names no peer: recorded state only")
def test_the_peer_itself_is_here(takeover: Takeover) -> None:
    """Where it isn't, this line says which variant the others below had."""
    assert Path(str(PEER)).with_name("metadata").exists()


def dataset(table: dict[str, Any]) -> str:
    found = DATASET.search(table["sourceUrl"])
    assert found, table["sourceUrl"]
    return found[1]


def test_the_peer_left_what_we_know_of_it(takeover: Takeover) -> None:
    """Else the other tests would prove nothing."""
    assert len(takeover.by_peer) == 41
    for table in takeover.by_peer.values():
        assert table["tableType"] == "Regular"
        assert table["displayName"] == table["name"]
    assert len(labels(takeover.edited[takeover.name("orders")])) == 2
    assert takeover.edge[0], "nobody drew an edge"


def test_the_record_is_what_the_peer_leaves(takeover: Takeover) -> None:
    """Both after the peer itself and after the record was loaded; read back from 1.2 only, whose
    words the record has."""
    if takeover.server.numbers == (1, 2):
        assert takeover.left == recorded.stored()
    config = recorded.stored()["service"]["connection"]["config"]
    assert (config["secretToken"], config["accessToken"]) == ("", "")


def test_the_run_writes_what_the_peer_did_not_know(takeover: Takeover) -> None:
    """Else keeping everything would be no merit."""
    api = takeover.server.api()
    shown = api.by_name("tables", takeover.name("v_orders_net"), fields=takeover.definition)
    assert shown["tableType"] == "View"
    assert "SELECT" in shown[takeover.definition]
    added = labels(takeover.first[takeover.name("orders")])
    assert {"DomoTags.finance", "DomoTags.gold"} < added
    unedited = takeover.first[takeover.name("refunds")]
    assert unedited["version"] > takeover.by_peer[takeover.name("refunds")]["version"]


@pytest.mark.parametrize("name", EDITED)
def test_edits_of_people_stay(takeover: Takeover, name: str) -> None:
    before = takeover.edited[takeover.name(name)]
    for after in (takeover.first, takeover.second):
        now = after[takeover.name(name)]
        assert persons_part(now) == {**persons_part(now), **persons_part(before)}
        assert labels(now) >= {takeover.person.tag, TIER}


def test_an_edge_that_a_person_drew_stays(takeover: Takeover) -> None:
    assert takeover.edge[0] == takeover.edge[1]


def test_nothing_is_deleted(takeover: Takeover) -> None:
    for after in (takeover.first, takeover.second):
        for name, table in takeover.by_peer.items():
            assert after[name]["id"] == table["id"]
            assert not after[name]["deleted"], name


def test_a_known_dataset_has_one_table_and_keeps_its_name(takeover: Takeover) -> None:
    """Both of `Sales` and `SALES`, and of `Churn score` and `churn score`, among them."""
    known = {dataset(table): name for name, table in takeover.by_peer.items()}
    for after in (takeover.first, takeover.second):
        standing: dict[str, list[str]] = {}
        for name, table in after.items():
            standing.setdefault(dataset(table), []).append(name)
        assert {one: standing[one] for one in known} == {one: [known[one]] for one in known}
    for twins in (("Sales", "SALES"), ("Churn score", "churn score")):
        assert {takeover.name(twin) for twin in twins} <= takeover.first.keys()


def test_names_in_an_empty_server_are_those_of_the_peer(takeover: Takeover) -> None:
    """Of all datasets whose name no other wants, odd ones included."""
    names = [one.name.casefold() for one in takeover.sandbox.tenant.live()]
    unique = {
        one.id for one in takeover.sandbox.tenant.live() if names.count(one.name.casefold()) == 1
    }
    theirs = {dataset(one): below(name) for name, one in takeover.by_peer.items()}
    fresh = dataclasses.replace(takeover, service=takeover.server.scratch("fresh"))
    ours = {dataset(one): below(name) for name, one in fresh.run().items()}
    both = unique & theirs.keys()
    assert len(both) == 37
    assert {one: theirs[one] for one in both} == {one: ours[one] for one in both}


def below(name: str) -> str:
    """The qualified name without its service."""
    return name.partition(".")[2]


def test_what_the_peer_could_not_write_arrives(takeover: Takeover) -> None:
    live = {one.id for one in takeover.sandbox.tenant.live()}
    assert {dataset(table) for table in takeover.first.values()} == live


def test_owners_that_the_peer_found_stay(takeover: Takeover) -> None:
    def owner(table: dict[str, Any]) -> list[str]:
        owners = table.get("owners") or [table["owner"]] if table.get("owner") else []
        return [one["id"] for one in owners]

    owned = {name for name, table in takeover.by_peer.items() if owner(table)}
    assert len(owned) >= 30
    for name in owned - {takeover.name(one) for one in EDITED}:
        assert owner(takeover.by_peer[name])[0] in owner(takeover.first[name])


def test_a_second_run_writes_nothing(takeover: Takeover) -> None:
    def versions(tables: Tables) -> dict[str, Any]:
        return {name: (one["version"], one["updatedAt"]) for name, one in tables.items()}

    assert versions(takeover.second) == versions(takeover.first)
