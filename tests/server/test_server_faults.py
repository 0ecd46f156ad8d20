"""A server, and a source, that fail in every way: nothing is lost or deleted, and the next good run
brings the state of runs that nothing disturbed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate import FAULTS, at_random, every, first, path_of, to
from tests.server.place import FakeSite, Outcome, Place, Site, opened
from tests.server.real import RealServer
from tests.server.state import State

from metaglean.clock import SystemClock
from metaglean_domo_sandbox import Fault, FaultPlan, Tenant
from metaglean_domo_sandbox.view_ast import column, select, table
from metaglean_testkit import VirtualClock
from metaglean_testkit.faults import Request
from metaglean_testkit.proxy import watching

KEPT = (
    "orders", "customers", "refunds", "users", "web sessions", "budget 2026", "v_plain", "table3",
    "Sales",
)  # fmt: skip
LABEL = {"source": "Classification", "labelType": "Manual", "state": "Confirmed"}
WORDS = "What a person wrote."
FAKES = ("fake 1.2.0", "fake 2.0.0")
DOMO = ("429", "500", "503", "drop", "cut-json")
PATIENCE = 60.0


def sites(names: str, real: Sequence[Any], fake: Sequence[Any]) -> pytest.MarkDecorator:
    """Some cases on the real server, which takes its time, and on the fake that is like it; more
    on the fake of another generation."""
    few, many = ("real", FAKES[0]), FAKES[1]
    cases = [(site, one) for site in few for one in real] + [(many, one) for one in fake]
    split = [(site, *(one if isinstance(one, tuple) else (one,))) for site, one in cases]
    return pytest.mark.parametrize(("site", *names.split()), split, indirect=["site"])


on_fakes = pytest.mark.parametrize("site", FAKES, indirect=True)


def change(tenant: Tenant) -> None:
    """What happens at the source; nothing is deleted."""
    ids = {dataset.name: dataset.id for dataset in tenant.live()}
    tenant.set_description(ids["orders"], "Domo's new words.")
    tenant.set_description(ids["web sessions"], "Sessions of the shop.")
    tenant.set_tags(ids["orders"], ["gold"])
    tenant.set_tags(ids["table3"], ["pii"])
    tenant.set_owner(ids["users"], 103)
    tenant.set_owner(ids["refunds"], 501, "GROUP")
    tenant.set_certification(ids["customers"], "CERTIFIED")
    tenant.add_column(ids["orders"], "channel", "STRING")
    tenant.drop_column(ids["orders"], "tax")
    tenant.retype_column(ids["refunds"], "refund", "DOUBLE")
    tenant.rename(ids["budget 2026"], "budget 2027")
    tenant.set_view_ast(ids["v_plain"], select([column("region")], table(ids["orders"]), limit=7))
    tenant.set_description(ids["v_plain"], "Seven rows.")
    tenant.add_column(ids["v_plain"], "note", "STRING")


class Stage:
    """A tenant before and after its change, and what undisturbed runs make of both: a service that
    goes from one to the other, with a person's edits in it from the start."""

    def __init__(self, place: Place) -> None:
        self.place = place
        tenant = place.tenant
        for dataset in list(tenant.datasets.values()):
            if dataset.name not in KEPT or "deleted" in dataset.quirks:
                tenant.delete(dataset.id)
        self.before = tenant.copy()
        self.after = tenant.copy()
        change(self.after)
        self.fresh = self.learn(place, self.before)
        self.edit(place)
        self.learn(place, self.after)
        self.expected = {False: self.learn(place, self.before)}
        self.expected[True] = self.learn(place, self.after)
        self._changed = True

    @staticmethod
    def learn(place: Place, tenant: Tenant) -> State:
        """What a good run leaves; another one writes nothing."""
        place.tenant.restore_from(tenant)
        place.good_run()
        state = place.state()
        place.good_run()
        assert place.gate.writes == []
        return state

    @staticmethod
    def edit(place: Place) -> None:
        found = place.table("orders")
        for operation in (
            {"op": "add", "path": "/description", "value": WORDS},
            {"op": "add", "path": "/tags/-", "value": {"tagFQN": "Tier.Tier1", **LABEL}},
            {"op": "add", "path": "/columns/0/description", "value": WORDS},
            {"op": "add", "path": "/columns/0/tags",
             "value": [{"tagFQN": "PII.Sensitive", **LABEL}]},
        ):  # fmt: skip
            place.admin.patch(f"tables/{found['id']}", [operation])

    def turn(self) -> State:
        """Change the source to its other state; gives what must stand after a good run."""
        self._changed = not self._changed
        self.place.tenant.restore_from(self.after if self._changed else self.before)
        return self.expected[self._changed]

    def calm(self) -> None:
        self.place.gate.open()
        self.place.sandbox.faults = ()


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    """One on each server, made when first asked for."""
    with contextlib.ExitStack() as stack:
        yield Stages(stack)


class Stages:
    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._made: dict[str, Stage] = {}

    def on(self, site: Site) -> Stage:
        if site.url not in self._made:
            self._made[site.url] = Stage(self._stack.enter_context(opened(site, "faults")))
        return self._made[site.url]


@pytest.fixture
def stage(site: Site, stages: Stages) -> Iterator[Stage]:
    found = stages.on(site)
    yield found
    found.calm()


def check_nothing_lost(place: Place) -> None:
    """All tables stand, live, with what the person wrote."""
    tables = place.tables(include="all")
    assert len(tables) == len(KEPT) + 1
    assert not any(one["deleted"] for one in tables.values())
    orders = tables["orders"]
    assert orders["description"] == WORDS
    assert "Tier.Tier1" in {label["tagFQN"] for label in orders["tags"]}
    first_column = orders["columns"][0]
    assert first_column["description"] == WORDS
    assert [label["tagFQN"] for label in first_column["tags"]] == ["PII.Sensitive"]


def check_recovery(stage: Stage, expected: State) -> None:
    """The next run completes all, and the one after it has nothing to do."""
    stage.calm()
    stage.place.good_run()
    assert stage.place.state() == expected
    stage.place.good_run()
    assert stage.place.gate.writes == []


# -- a tenth of everything -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "seed"),
    [("real", seed) for seed in range(20)] + [(site, seed) for site in FAKES for seed in range(8)],
    indirect=["site"],
)
def test_a_tenth_of_all_answers_on_both_sides(stage: Stage, seed: int) -> None:
    expected = stage.turn()
    stage.place.sandbox.faults = FaultPlan.at_random(0.1, seed, DOMO)
    stage.place.gate.rule = at_random(0.1, seed, FAULTS)
    outcome = stage.place.run()
    assert stage.place.gate.faults or stage.place.sandbox.stats.faults
    assert outcome.code in (0, 1, 3), outcome.text
    assert outcome.of("deleted") == []
    check_nothing_lost(stage.place)
    stage.calm()
    stage.place.good_run()
    assert stage.place.state() == expected


@sites("seed", [0, 1], range(6))
def test_a_first_run_with_a_fifth_of_all_answers_wrong(stage: Stage, seed: int) -> None:
    place = stage.place.at_another_service("faults")
    place.tenant.restore_from(stage.before)
    place.sandbox.faults = FaultPlan.at_random(0.1, seed, DOMO)
    place.gate.rule = at_random(0.2, seed, FAULTS)
    outcome = place.run()
    assert place.gate.faults or place.sandbox.stats.faults
    assert outcome.of("deleted") == []
    stage.calm()
    place.good_run()
    assert place.state() == stage.fresh
    place.good_run()
    assert place.gate.writes == []


@sites("kind", ["500"], ["500", "500 after", "503", "drop after", "cut", "429"])
def test_every_tenth_request(stage: Stage, kind: str) -> None:
    expected = stage.turn()
    stage.place.gate.rule = every(10, kind)
    outcome = stage.place.run()
    assert stage.place.gate.faults[kind] > 1
    assert outcome.code == 0, outcome.text
    assert not outcome.problems, outcome.text
    assert stage.place.state() == expected
    check_recovery(stage, expected)


# -- away ------------------------------------------------------------------------------------------


@sites("spared", [9], [0, 9, 20])
def test_away_in_the_middle(stage: Stage, spared: int) -> None:
    """Refused for good: the run waits within its limits, and says so."""
    expected, gate = stage.turn(), stage.place.gate
    gate.shut_after(spared)
    clock = VirtualClock()
    started = clock.now()
    outcome = stage.place.run(clock=clock)
    assert outcome.code == 3, outcome.text
    assert outcome.of("deleted") == []
    assert clock.now() - started < (60 if spared == 0 else 400)
    gate.reopen()
    check_nothing_lost(stage.place)
    check_recovery(stage, expected)


@sites(
    "spared kind", [(10, "drop")], [(at, kind) for at in (0, 10, 20) for kind in ("503", "drop")]
)
def test_nothing_is_answered_for_a_moment(stage: Stage, spared: int, kind: str) -> None:
    expected = stage.turn()
    stage.place.gate.rule = first(5, kind, spared=spared)
    outcome = stage.place.run()
    assert stage.place.gate.faults[kind] == 5
    assert outcome.code == 0, outcome.text
    assert not outcome.problems, outcome.text
    assert stage.place.state() == expected
    check_recovery(stage, expected)


@pytest.mark.parametrize("spared", [5, 12, 18])
@on_fakes
def test_a_fake_restarted_in_the_middle(stage: Stage, spared: int) -> None:
    """Refused for a while, then all is as before: nobody notices."""
    site = stage.place.site
    assert isinstance(site, FakeSite)
    expected, answered = stage.turn(), len(site.fake.requests)
    config = stage.place.config()
    config["workflowConfig"]["openMetadataServerConfig"]["hostPort"] = site.url

    def restart() -> None:
        while len(site.fake.requests) < answered + spared:
            time.sleep(0.001)
        site.fake.down()
        time.sleep(0.1)
        site.fake.up()

    with ThreadPoolExecutor(1) as pool:
        restarted = pool.submit(restart)
        outcome = stage.place.run(config, clock=SystemClock())
        restarted.result()
    assert outcome.code == 0, outcome.text
    assert not outcome.problems, outcome.text
    assert stage.place.state() == expected
    check_recovery(stage, expected)


@pytest.mark.slow
def test_the_real_one_killed_and_started_in_the_middle(own_server: RealServer) -> None:
    """The run waits for two minutes; a start that takes longer ends it."""
    with opened(own_server, "killed") as place:
        stage = Stage(place)
        expected = stage.turn()
        config = place.config()
        config["workflowConfig"]["openMetadataServerConfig"]["hostPort"] = own_server.url
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(place.run, config, clock=SystemClock())
            time.sleep(0.2)
            own_server.kill()
            gone = time.monotonic()
            own_server.start()
            away = time.monotonic() - gone
            outcome = running.result()
        assert outcome.code in ((0,) if away < 100 else (0, 3)), outcome.text
        assert outcome.code or not outcome.problems, outcome.text
        check_nothing_lost(place)
        check_recovery(stage, expected)


# -- slow ------------------------------------------------------------------------------------------


def test_half_a_minute_for_each_answer(stage: Stage) -> None:
    expected, clock = stage.turn(), VirtualClock()

    def rule(_request: Request) -> str:
        clock.advance(30)
        return ""

    stage.place.gate.rule = rule
    outcome = stage.place.run(clock=clock)
    assert outcome.code == 0, outcome.text
    assert not outcome.problems, outcome.text
    assert stage.place.state() == expected
    check_recovery(stage, expected)


@on_fakes
def test_answers_that_come_too_late(stage: Stage) -> None:
    """The server did what was asked, but nobody waited so long."""
    expected, clock = stage.turn(), VirtualClock()
    stage.place.gate.rule = every(7, "late")
    with watching(clock):
        outcome = stage.place.run(clock=clock)
    assert stage.place.gate.faults["late"]
    assert outcome.code == 0, outcome.text
    assert not outcome.problems, outcome.text
    assert stage.place.state() == expected
    check_recovery(stage, expected)


# -- one path fails --------------------------------------------------------------------------------


@sites(
    "path ends",
    [("tables$", True)],
    [("system/version", True), ("users/loggedInUser", True), ("databases$", True),
     ("databaseSchemas$", True), ("tables$", True), ("services/databaseServices", False),
     ("users$", False), ("teams$", False), ("permissions", False),
     ("services/ingestionPipelines", False)],
)  # fmt: skip
def test_one_question_is_never_answered(stage: Stage, path: str, ends: bool) -> None:
    """Where it isn't known what stands: nothing is made twice, nothing deleted."""
    expected = stage.turn()
    stage.place.gate.rule = to("GET", path, "500")
    outcome = stage.place.run()
    assert stage.place.gate.faults["500"]
    assert bool(outcome.code) is ends, outcome.text
    assert outcome.of("deleted") == []
    stage.calm()
    check_nothing_lost(stage.place)
    check_recovery(stage, expected)


@on_fakes
def test_who_wrote_a_text_cannot_be_read(stage: Stage) -> None:
    """Then it stays, and follows once it can be read."""
    expected = stage.turn()
    before = {name: one.get("description") for name, one in stage.place.tables().items()}

    def rule(request: Request) -> str:
        return "500" if path_of(request).endswith("/versions") else ""

    stage.place.gate.rule = rule
    outcome = stage.place.run()
    assert outcome.code == 0, outcome.text
    found = {name: one.get("description") for name, one in stage.place.tables().items()}
    filled = {name for name in found if not before[name]}
    assert {n: d for n, d in found.items() if n not in filled} == {
        n: d for n, d in before.items() if n not in filled
    }
    check_recovery(stage, expected)


@on_fakes
def test_no_entity_can_be_changed(stage: Stage) -> None:
    expected, before = stage.turn(), stage.place.state()
    stage.place.gate.rule = to("PATCH", "tables", "403")
    outcome = stage.place.run()
    assert outcome.code in (0, 1)
    assert outcome.problems
    assert stage.place.state() == before
    check_recovery(stage, expected)


# -- two runs at once ------------------------------------------------------------------------------


def both(place: Place) -> list[Outcome]:
    """Two runs of the same service at the same moment."""
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(place.run, clock=SystemClock()) for _ in range(2)]
        return [run.result() for run in runs]


def check_both(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert outcome.code == 0, outcome.text
        assert not outcome.problems, outcome.text


def test_two_runs_at_once(stage: Stage) -> None:
    expected = stage.turn()
    check_both(both(stage.place))
    assert stage.place.state() == expected
    check_recovery(stage, expected)


def test_two_first_runs_at_once(stage: Stage) -> None:
    place = stage.place.at_another_service("twice")
    place.tenant.restore_from(stage.before)
    check_both(both(place))
    assert place.state() == stage.fresh
    place.good_run()
    assert place.gate.writes == []


def test_two_runs_at_once_bring_back_what_was_deleted(stage: Stage) -> None:
    place = stage.place.at_another_service("twice")
    place.tenant.restore_from(stage.before)
    place.good_run()
    view = place.id_of("v_plain")
    place.tenant.delete(view)
    place.good_run()
    assert place.tables(include="deleted").keys() == {"v_plain"}
    place.tenant.restore(view)
    check_both(both(place))
    assert place.state() == stage.fresh


# -- signals ---------------------------------------------------------------------------------------


@sites(
    "number code",
    [(signal.SIGINT, 130)],
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
)
def test_a_signal_in_the_middle(
    stage: Stage, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    expected = stage.turn()
    file = tmp_path / "workflow.yaml"
    file.write_text(json.dumps(stage.place.config({"threads": 2})), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "metaglean", "ingest", "-c", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    stage.place.gate.rule = _at(3, "PATCH", lambda: process.send_signal(number))
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, said
    assert "Traceback" not in said
    stage.calm()
    check_nothing_lost(stage.place)
    check_recovery(stage, expected)


def _at(number: int, method: str, act: Callable[[], Any]) -> Callable[[Request], str]:
    """Something is done at this request of a method."""
    seen = 0

    def rule(request: Request) -> str:
        nonlocal seen
        if request.method == method:
            seen += 1
            if seen == number:
                act()
        return ""

    return rule


def test_deletion_is_what_a_run_does_where_all_is_well(stage: Stage) -> None:
    """The control of this file: what is really gone is marked deleted, also where the answer to it
    is lost."""
    place = stage.place.at_another_service("gone")
    place.tenant.restore_from(stage.before)
    place.good_run()
    gone = place.id_of("refunds")
    place.tenant.delete(gone)
    place.sandbox.faults = [Fault("500", route="^dataset$", target=gone)]
    assert place.run().of("deleted") == []
    place.sandbox.faults = ()
    place.gate.rule = to("DELETE", "tables", "500")
    assert place.run().of("deleted") == []
    place.gate.rule = _once("DELETE", "drop after")
    assert place.run().of("deleted") == ["refunds"]
    stage.calm()
    assert place.tables(include="deleted").keys() == {"refunds"}
    assert not place.good_run().changed


def _once(method: str, kind: str) -> Callable[[Request], str]:
    done = False

    def rule(request: Request) -> str:
        nonlocal done
        hit = request.method == method and not done
        done = done or hit
        return kind if hit else ""

    return rule
