"""Every kind of call × where it stands in the run × every fault: nothing that stands in the catalog
is deleted, renamed or impoverished, and the next good run leaves what an undisturbed one leaves.

The tenant changes between the first, good run and the disturbed one, so that a disturbed run has
something to bring; what it brings must be what the undisturbed run brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest

from metaglean.http import Session
from metaglean_domo_sandbox import Fault, FaultPlan, Sandbox, Tenant
from metaglean_domo_sandbox.view_ast import column, select, table
from metaglean_testkit.openmetadata import FakeServer

ROUTES = (
    "token", "datasets", "dataset", "query", "streams", "users", "groups",
    "bulk", "streams-bulk", "indexed", "dictionary", "permissions",
)  # fmt: skip
KINDS = ("401", "403", "404", "429", "500", "timeout", "cut-json", "duplicate-page")
INSTANCE = frozenset({"bulk", "streams-bulk", "indexed", "dictionary", "permissions"})
#: Which settings make a run use these calls; the others are made by any run.
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one call a table": {"connection": {"columnDescriptions": True, "coOwners": True}},
    "OAuth alone": {"instance": False},
}
VARIANT_OF = {
    "dictionary": "one call a table",
    "permissions": "one call a table",
    "groups": "OAuth alone",
}
UNCONFIRMED = ("401", "403", "403-rate", "400-wrapped", "429", "500", "html", "timeout")
READ_TIMEOUT = 0.12
NEW = "00000000-0000-4000-8000-00000000abcd"


class Call(NamedTuple):
    """One call of an undisturbed run."""

    route: str
    target: str
    body: bytes

    def fault(self, kind: str) -> Fault:
        """This very call fails, however often it is tried."""
        return Fault(
            kind,
            route=f"^{self.route}$",
            predicate=lambda request: (request.target, request.body) == (self.target, self.body),
            seconds=2 * READ_TIMEOUT,
        )


class Expected(NamedTuple):
    """`before` stood when the disturbed run began, `after` is what the undisturbed run leaves."""

    saved: Any
    before: dict[Any, Any]
    after: dict[Any, Any]
    calls: dict[str, list[Call]]

    def places(self, route: str) -> list[Call]:
        """The first, the middle and the last call of this kind."""
        calls = self.calls[route]
        return [calls[at] for at in sorted({0, len(calls) // 2, len(calls) - 1})]


def change(tenant: Tenant) -> None:
    """What happens at the source between the two runs; nothing is deleted."""
    ids = {dataset.name: dataset.id for dataset in tenant.live()}
    tenant.rename(ids["budget 2026"], "budget 2027")
    tenant.set_description(ids["web sessions"], "Sessions of the web shop.")
    tenant.add_column(ids["type_test"], "added", "LONG")
    tenant.retype_column(ids["users"], tenant.datasets[ids["users"]].all_columns()[0].name, "JSON")
    tenant.set_tags(ids["table3"], ["fresh"])
    tenant.set_owner(ids["table4"], 102)
    tenant.set_owner(ids["load failed"], 502, "GROUP")
    tenant.set_certification(ids["users_archive"], "CERTIFIED")
    tenant.set_stream(ids["customers"], "UPSERT", ["id", "zip"])
    tree = select([column("region")], table(ids["orders"]), limit=7)
    tenant.set_view_ast(ids["v_plain"], tree)
    tenant.add_dataset(id=NEW, name="arrived later", owner=101, columns=[("id", "LONG")])


class Stage:
    """One tenant before and after its change, and what good runs make of it, by variant."""

    def __init__(self, sandbox: Sandbox, world: Any, fresh: Any) -> None:
        self.sandbox = sandbox
        self._world = world
        self._fresh = fresh
        self._expected: dict[str, Expected] = {}
        self.before = Tenant.demo()
        self.after = self.before.copy()
        change(self.after)

    def expected(self, variant: str) -> Expected:
        if variant not in self._expected:
            self._expected[variant] = self._learn(variant)
        return self._expected[variant]

    def _learn(self, variant: str) -> Expected:
        calls: dict[str, list[Call]] = {}

        def note(request: Any) -> bool:
            call = Call(request.route, request.target, request.body)
            if call not in calls.setdefault(request.route, []):
                calls[request.route].append(call)
            return False

        world = self._world
        self._fresh()
        self.sandbox.tenant.restore_from(self.before)
        world.good_run(self._config(world, variant))
        saved, before = world.saved(), world.state()
        self.sandbox.tenant.restore_from(self.after)
        self.sandbox.faults = [Fault("500", predicate=note)]
        world.good_run(self._config(world, variant))
        self.sandbox.faults = ()
        return Expected(saved, before, world.state(), calls)

    def _config(self, world: Any, variant: str) -> Any:
        return world.config(**VARIANTS[variant])

    def start(self, variant: str) -> tuple[Any, Any, Expected]:
        """(world, configuration, what is expected), the target as it stood before."""
        expected = self.expected(variant)
        self._world.restore(expected.saved)
        return self._world, self._config(self._world, variant), expected


TARGETS = [
    "catalog",
    pytest.param("1.2.0", marks=pytest.mark.slow),
    pytest.param("2.0.0", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=TARGETS)
def module_stage(
    tmp_path_factory: Any, world_class: Any, server_world: Any, request: Any
) -> Iterator[Stage]:
    of_catalog = request.param == "catalog"
    server = nullcontext() if of_catalog else FakeServer(request.param, keep_bodies=False)
    with Sandbox(Tenant.demo()) as sandbox, server:
        if of_catalog:
            catalog = tmp_path_factory.mktemp("stage") / "catalog.db"
            yield Stage(sandbox, world_class(sandbox, catalog), lambda: catalog.unlink(True))
        else:
            world = server_world(sandbox, server)
            yield Stage(sandbox, world, world.reset)


@pytest.fixture
def stage(module_stage: Stage, calm: Any, monkeypatch: pytest.MonkeyPatch, request: Any) -> Stage:
    if "[" in request.node.name and request.node.callspec.params.get("kind") == "timeout":
        monkeypatch.setitem(Session.__init__.__kwdefaults__, "timeout", (5.0, READ_TIMEOUT))
    calm(module_stage.sandbox)
    module_stage.sandbox.tenant.restore_from(module_stage.after)
    return module_stage


def check_disturbed(outcome: Any, state: dict[Any, Any], expected: Expected, what: str) -> None:
    """What must hold after any disturbed run."""
    assert outcome.number("deleted") == 0, what
    for key, entity in expected.before.items():
        assert key in state, f"{what}: {key} is gone"
        assert state[key].deleted == entity.deleted, f"{what}: {key} was deleted or restored"
        assert state[key].source_id == entity.source_id, f"{what}: {key} is another one"
        poorer = {
            path: value
            for path, value in state[key].fields.items()
            if value not in (entity.fields.get(path), expected.after[key].fields.get(path))
        }
        assert not poorer, f"{what}: {key}: neither as before nor as it should be: {poorer}"
        lost = {
            path
            for path in entity.fields.keys() & expected.after[key].fields.keys()
            if path not in state[key].fields
        }
        assert not lost, f"{what}: {key}: lost {lost}"
    assert state.keys() <= expected.after.keys(), f"{what}: invented names"
    if not outcome.complete:
        assert outcome.code in (1, 3), f"{what}: {outcome.text}"
        assert outcome.code == 3 or "incomplete" in outcome.text, what
    if state != expected.after:
        assert outcome.code or outcome.notes, f"{what}: poorer, and nothing said:\n{outcome.text}"


def check_recovery(world: Any, config: Any, expected: Expected, what: str) -> None:
    """A good run afterwards makes everything as if nothing had been."""
    world.sandbox.faults = ()
    world.good_run(config)
    assert world.state() == expected.after, what


def test_a_run_uses_exactly_the_calls_that_are_disturbed_here(stage: Stage) -> None:
    used = {route for variant in VARIANTS for route in stage.expected(variant).calls}
    assert used == set(ROUTES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("route", ROUTES)
def test_one_call_that_fails_for_good(stage: Stage, route: str, kind: str) -> None:
    variant = VARIANT_OF.get(route, "plain")
    for number, call in enumerate(stage.expected(variant).places(route)):
        what = f"{kind} for {call.target} (place {number})"
        world, config, expected = stage.start(variant)
        stage.sandbox.faults = [call.fault(kind)]
        outcome = world.run(config)
        assert stage.sandbox.stats.faults[kind], f"{what}: never asked"
        check_disturbed(outcome, world.state(), expected, what)
        if route in INSTANCE:
            assert outcome.code == 0, f"{what}: {outcome.text}"
        if route == "datasets" and kind != "duplicate-page":
            refused = kind == "401" or (kind == "403" and number == 0)
            assert outcome.code == (3 if refused else 1), outcome.text
        check_recovery(world, config, expected, what)


@pytest.mark.parametrize("kind", ["401", "429", "500", "timeout", "cut-json"])
@pytest.mark.parametrize("route", ROUTES)
def test_one_call_that_fails_once(stage: Stage, route: str, kind: str) -> None:
    """Trying again mends these; nobody notices."""
    variant = VARIANT_OF.get(route, "plain")
    if (route, kind) == ("token", "401"):
        return  # a refused login is refused for good, see above
    world, config, expected = stage.start(variant)
    calls = expected.places(route)
    if kind == "401" and route in INSTANCE:
        return  # an access token can't be renewed: see above
    stage.sandbox.faults = [
        Fault(kind, predicate=call.fault(kind).predicate, seconds=2 * READ_TIMEOUT, times=1)
        for call in calls
    ]
    outcome = world.run(config)
    assert outcome.code == 0, outcome.text
    assert stage.sandbox.stats.faults[kind] == len(calls)
    assert world.state() == expected.after


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("variant", ["plain", "one call a table"])
def test_the_instance_plane_goes_down(stage: Stage, place: str, variant: str) -> None:
    world, config, expected = stage.start(variant)
    calls = sum(len(found) for route, found in expected.calls.items() if route in INSTANCE)
    up = {"first": 0, "middle": calls // 2, "last": calls - 1}[place]
    seen = 0

    def later(_request: Any) -> bool:
        nonlocal seen
        seen += 1
        return seen > up

    if up:
        stage.sandbox.faults = [Fault("drop", plane="instance", predicate=later)]
    else:
        stage.sandbox.close_plane("instance")
    outcome = world.run(config)
    assert outcome.code == 0, outcome.text
    assert outcome.notes
    check_disturbed(outcome, world.state(), expected, f"instance down at the {place} call")
    stage.sandbox.open_plane("instance")
    check_recovery(world, config, expected, f"instance down at the {place} call")


def test_the_instance_plane_refuses_everybody(stage: Stage) -> None:
    world, config, expected = stage.start("plain")
    stage.sandbox.settings.access_token = "another"
    outcome = world.run(config)
    stage.sandbox.settings.access_token = "sandbox-access-token"
    assert outcome.code == 0, outcome.text
    assert "accessToken" in outcome.text
    check_disturbed(outcome, world.state(), expected, "instance refuses")
    check_recovery(world, config, expected, "instance refuses")


@pytest.mark.parametrize("seed", range(20))
def test_a_tenth_of_the_answers_has_to_be_asked_again(stage: Stage, seed: int) -> None:
    world, config, expected = stage.start("plain")
    stage.sandbox.faults = FaultPlan.at_random(0.1, seed)
    outcome = world.run(config)
    assert sum(stage.sandbox.stats.faults.values())
    assert outcome.code == 0, outcome.text
    assert world.state() == expected.after


@pytest.mark.parametrize("seed", range(7, 27))  # with 6, fourteen rules happen to hit nothing
def test_a_tenth_of_the_answers_is_anything(stage: Stage, seed: int) -> None:
    kinds = (
        "401 403 403-rate 400-wrapped 404 406 429 500 502 html drop cut-json short-body "
        "duplicate-page"
    )
    world, config, expected = stage.start("plain")
    stage.sandbox.faults = FaultPlan.at_random(0.1, seed, kinds.split())
    outcome = world.run(config)
    assert sum(stage.sandbox.stats.faults.values())
    check_disturbed(outcome, world.state(), expected, f"seed {seed}")
    check_recovery(world, config, expected, f"seed {seed}")


@pytest.mark.parametrize("how", ["404", "mark"])
def test_what_is_really_gone_is_marked_deleted(stage: Stage, how: str) -> None:
    """The positive control of this file: deletion does happen."""
    world, config, expected = stage.start("plain")
    (gone,) = stage.sandbox.tenant.by_name("refunds")
    stage.sandbox.tenant.delete(gone.id, how=how)
    outcome = world.good_run(config)
    assert [c[:3] for c in outcome.changes if c[2] == "deleted"] == [
        ("table", "domo.default.default.refunds", "deleted")
    ]
    after = {**expected.after}
    key = ("table", "domo.default.default.refunds")
    after[key] = after[key]._replace(deleted=True)
    assert {k: (e.source_id, e.deleted) for k, e in world.state().items()} == {
        k: (e.source_id, e.deleted) for k, e in after.items()
    }


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        *((how, kind) for how in ("404", "mark") for kind in UNCONFIRMED),
        ("mark", "cut-json"),  # of a 404 the body doesn't count
    ],
)
def test_what_is_not_confirmed_as_gone_stays(stage: Stage, how: str, kind: str) -> None:
    world, config, _ = stage.start("plain")
    (gone,) = stage.sandbox.tenant.by_name("refunds")
    stage.sandbox.tenant.delete(gone.id, how=how)
    stage.sandbox.faults = [
        Fault(kind, route="^dataset$", target=gone.id, seconds=2 * READ_TIMEOUT)
    ]
    outcome = world.run(config)
    assert stage.sandbox.stats.faults[kind]
    assert outcome.number("deleted") == 0
    assert "refunds" in world.tables()
    assert outcome.code == (3 if kind == "401" else 0), outcome.text
    assert outcome.notes or outcome.code
    stage.sandbox.faults = ()
    assert world.good_run(config).number("deleted") == 1


def test_what_a_complete_listing_misses_stays_while_it_can_be_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, config, expected = stage.start("plain")
    tenant = stage.sandbox.tenant
    (hidden,) = tenant.by_name("refunds")
    order = tenant.order
    monkeypatch.setattr(tenant, "order", lambda sort: [i for i in order(sort) if i != hidden.id])
    outcome = world.run(config)
    assert outcome.code == 0, outcome.text
    assert outcome.number("deleted") == 0
    assert "not confirm" in outcome.text
    check_disturbed(outcome, world.state(), expected, "hidden")


@pytest.mark.parametrize("refuse_sort", [True, False])
def test_a_listing_whose_order_moves_deletes_nothing(
    stage: Stage, refuse_sort: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages repeat some datasets and miss others, with the sort refused or not kept to."""
    world, config, expected = stage.start("plain")
    settings = stage.sandbox.settings
    settings.refuse_sort, settings.shifting = refuse_sort, True
    if not refuse_sort:
        tenant = stage.sandbox.tenant
        order, calls = tenant.order, iter(range(10_000))

        def moving(sort: str) -> list[str]:
            ids = order(sort)
            at = next(calls) % len(ids)
            return ids[-at:] + ids[:-at]

        monkeypatch.setattr(tenant, "order", moving)
    outcome = world.run(config)
    check_disturbed(outcome, world.state(), expected, "shifting")
    monkeypatch.undo()
    settings.refuse_sort = settings.shifting = False
    check_recovery(world, config, expected, "shifting")


def test_a_listing_without_the_sort_is_as_good(stage: Stage) -> None:
    world, config, expected = stage.start("plain")
    stage.sandbox.settings.refuse_sort = True
    world.good_run(config)
    assert world.state() == expected.after
