"""A server that is away: the spool, pushed later, leaves what an undisturbed run leaves."""

from __future__ import annotations

import copy
import json
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate import to
from tests.server.place import Outcome, Place, Site, opened
from tests.server.state import State

from metaglean_domo_sandbox import Tenant
from metaglean_testkit.faults import Request

SITES = pytest.mark.parametrize("site", ["real", "fake 2.0.0"], indirect=True)
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
        place = self.service(fresh=fresh)
        place.good_run(self.config(place))
        return place.state()

    def disturbed(self, place: Place, spared: int) -> Outcome:
        """A run whose server is gone for good after so many requests."""
        self.file.unlink(missing_ok=True)
        config = self.config(place)
        config["limits"] = {"spool": str(self.file)}
        gate = place.gate
        gate.open()
        cut_after(place, spared)
        outcome = place.run(config)
        gate.reopen()
        return outcome

    def push(self, place: Place, **options: Any) -> Outcome:
        return place.run(self.config(place), push=self.file, **options)


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


def cut_after(place: Place, spared: int) -> None:
    gate = place.gate
    if not spared:
        gate.shut()
        return
    seen = 0

    def rule(_request: Request) -> str:
        nonlocal seen
        seen += 1
        if seen == spared + 1:
            threading.Thread(target=gate.shut).start()
        return "drop" if seen > spared else ""

    gate.rule = rule


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    import contextlib

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


@SITES
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("spared", [0, 4, 9, 14, 20])
def test_pushed_later_it_is_as_if_nothing_had_been(stage: Stage, spared: int, fresh: bool) -> None:
    expected = stage.undisturbed(fresh=fresh)
    place = stage.service(fresh=fresh)
    outcome = stage.disturbed(place, spared)
    assert outcome.code == 1, outcome.text
    assert outcome.of("deleted") == []
    assert f"metaglean push {stage.file} -c WORKFLOW" in outcome.text
    pushed = stage.push(place)
    assert pushed.code == 0, pushed.text
    assert place.state() == expected
    again = stage.push(place)
    assert again.code == 0
    assert place.gate.writes == []
