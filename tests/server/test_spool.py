"""A server that is away: the spool, pushed later, leaves what an undisturbed run leaves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.place import Outcome, Place, Site, opened
from tests.server.state import State

from metaglean_domo_sandbox import Tenant
from metaglean_testkit import VirtualClock
from metaglean_testkit.faults import Request

SITES = pytest.mark.parametrize("site", ["real", "fake 2.0.0"], indirect=True)
# On the real server, which takes its time, few: away at the start, in the middle, at a first run.
CASES = [("real", 0, False), ("real", 9, False), ("real", 9, True)] + [
    ("fake 2.0.0", spared, fresh) for spared in (0, 4, 9, 15) for fresh in (False, True)
]
WORDS = "What a person wrote."
KEPT = ("orders", "customers", "refunds", "users", "v_plain", "table3", "Sales", "sales")


class Stage:
    """A service as a run left it, a source that has changed since, and what an undisturbed run of a
    twin service makes of that."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.file = folder / "spool.jsonl"
        tenant = place.tenant
        for dataset in list(tenant.datasets.values()):
            if dataset.name not in KEPT or "deleted" in dataset.quirks:
                tenant.delete(dataset.id)
        self.before = tenant.copy()
        change(tenant)
        self.after = tenant.copy()
        self._undisturbed: dict[bool, State] = {}

    def service(self, *, fresh: bool = False) -> Place:
        """Another service with the state of before, a person's words in it; or none yet."""
        place = self.place.at_another_service("spooled")
        self.place.gate.open()
        if not fresh:
            self.place.tenant.restore_from(self.before)
            place.good_run(self.config(place))
            found = place.table("orders")
            words = {"op": "add", "path": "/description", "value": WORDS}
            place.admin.patch(f"tables/{found['id']}", [words])
        self.place.tenant.restore_from(self.after)
        return place

    def config(self, place: Place) -> dict[str, Any]:
        return place.config({"markDeletedTables": False})

    def undisturbed(self, *, fresh: bool = False) -> State:
        """What a run leaves that nothing disturbs."""
        if fresh not in self._undisturbed:
            place = self.service(fresh=fresh)
            place.good_run(self.config(place))
            self._undisturbed[fresh] = place.state()
        return self._undisturbed[fresh]

    def disturbed(self, place: Place, spared: int) -> Outcome:
        """A run whose server is gone for good after so many requests."""
        self.file.unlink(missing_ok=True)
        config = self.config(place)
        config["limits"] = {"spool": str(self.file)}
        gate = place.gate
        gate.open()
        place.gate.shut_after(spared)
        outcome = place.run(config, clock=now())
        gate.reopen()
        return outcome

    def refused(self, place: Place) -> Outcome:
        """The same, all at once: the server refuses the token from some request on."""
        self.file.unlink(missing_ok=True)
        config = self.config(place)
        config["limits"] = {"spool": str(self.file)}
        place.gate.open()
        seen = 0

        def rule(_request: Request) -> str:
            nonlocal seen
            seen += 1
            return "401" if seen > 12 else ""

        place.gate.rule = rule
        outcome = place.run(config, clock=now())
        place.gate.open()
        return outcome

    def push(self, place: Place, **options: Any) -> Outcome:
        return place.run(self.config(place), push=self.file, clock=now(), **options)


def now() -> VirtualClock:
    """Its waits take no time, but it begins now: the times of servers and runs are compared."""
    return VirtualClock(time.time())


def change(tenant: Tenant) -> None:
    """Also what makes names hard: one renamed to a name that stands, and a new one of two."""
    ids = {dataset.name: dataset.id for dataset in tenant.live()}
    tenant.set_description(ids["orders"], "Domo's new words.")
    tenant.set_description(ids["users"], "People.")
    tenant.set_tags(ids["orders"], ["gold"])
    tenant.add_column(ids["orders"], "channel", "STRING")
    tenant.drop_column(ids["orders"], "tax")
    tenant.rename(ids["refunds"], "customers")
    tenant.rename(ids["users"], "refunds")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with contextlib.ExitStack() as stack:
        yield {"stack": stack, "folder": tmp_path_factory}


@pytest.fixture
def stage(site: Site, stages: dict[str, Any]) -> Iterator[Stage]:
    if site.url not in stages:
        place = stages["stack"].enter_context(opened(site, "spool"))
        stages[site.url] = Stage(place, stages["folder"].mktemp("spool"))
    found: Stage = stages[site.url]
    yield found
    found.place.gate.open()


@pytest.mark.parametrize(("site", "spared", "fresh"), CASES, indirect=["site"])
def test_pushed_later_it_is_as_if_nothing_had_been(stage: Stage, spared: int, fresh: bool) -> None:
    expected = stage.undisturbed(fresh=fresh)
    place = stage.service(fresh=fresh)
    outcome = stage.disturbed(place, spared)
    assert outcome.code == 1, outcome.text
    assert outcome.of("deleted") == []
    assert f"metaglean push {stage.file} -c WORKFLOW" in outcome.text
    assert stage.place.site.token not in stage.file.read_text("utf-8")
    pushed = stage.push(place)
    assert pushed.code == 0, pushed.text
    assert place.state() == expected
    again = stage.push(place)
    assert again.code == 0
    assert place.gate.writes == []


@pytest.mark.parametrize("site", ["fake 1.2.0", "fake 2.0.0"], indirect=True)
def test_a_push_that_is_cut_off_is_completed_by_the_next(stage: Stage) -> None:
    expected = stage.undisturbed()
    place = stage.service()
    stage.disturbed(place, 0)
    place.gate.open()
    place.gate.shut_after(14)
    cut = stage.push(place)
    assert cut.code == 3, cut.text
    place.gate.reopen()
    assert stage.push(place).code == 0
    assert place.state() == expected


@pytest.mark.parametrize("site", ["fake 2.0.0"], indirect=True)
def test_a_dry_run_of_a_push_writes_nothing(stage: Stage) -> None:
    place = stage.service()
    stage.disturbed(place, 0)
    before = place.state()
    dry = stage.push(place, dry_run=True)
    assert dry.code == 0
    assert "orders" in dry.of("updated")
    assert place.state() == before
    assert '"pushed"' not in stage.file.read_text("utf-8")


@SITES
def test_what_a_later_run_wrote_stays(stage: Stage) -> None:
    """And what a person wrote since does not keep the rest of the entity from being sent."""
    place = stage.service()
    refused = stage.refused(place)
    assert refused.code == 1, refused.text
    tenant = place.tenant
    ids = {dataset.name: dataset.id for dataset in stage.before.live()}
    place.admin.patch(f"tables/{place.table('table3')['id']}", [
        {"op": "add", "path": "/description", "value": WORDS}])  # fmt: skip
    tenant.set_description(ids["Sales"], "The newest words.")
    tenant.drop_column(ids["orders"], "channel")
    place.good_run(stage.config(place))
    later = place.state()
    pushed = stage.push(place)
    assert pushed.code == 0
    assert any("later run" in one for one in pushed.warnings), pushed.text
    assert place.state() == later
    stage.push(place, overwrite=True)
    assert "channel" in {column["name"] for column in place.table("orders")["columns"]}
    assert place.table("orders")["description"] == WORDS


@pytest.mark.parametrize("site", ["fake 2.0.0"], indirect=True)
def test_what_is_gone_at_the_source_is_not_deleted_by_a_push(stage: Stage) -> None:
    place = stage.service()
    place.tenant.delete(place.id_of("table3"))
    stage.disturbed(place, 9)
    assert stage.push(place).code == 0
    assert "table3" in place.tables()
