"""One table of rules, played on the fake and on a real server: both must answer alike."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from tests.server.real import NotOurs, RealServer
from tests.server.rulebook import Rule, Scene, differences, plain, without_tags
from tests.server.rules import POISON, RULES

from metaglean_testkit.openmetadata import FakeServer

PREFIX = f"fake_{secrets.token_hex(3)}"


def named(rules: tuple[Rule, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("one", rules, ids=[one.name for one in rules])


class Own(FakeServer):
    """The fake as a server that the tests started."""

    own = True


@pytest.fixture(scope="module")
def fake() -> Iterator[Scene]:
    with Own("1.2.0") as server:
        yield Scene(server, PREFIX).prepare()


@pytest.fixture(scope="module")
def real(real_server: RealServer) -> Scene:
    if real_server.numbers != (1, 2):
        pytest.skip(f"the rules are those of 1.2, the server is a {real_server.version}")
    scene = Scene(real_server, real_server.scratch("fake"))
    for collection, name in scene.made():
        real_server.discard(collection, name)
    return scene.prepare()


def compared(one: Rule, real: Scene) -> None:
    with Own("1.2.0") as server:
        mirror = Scene(server, real.prefix).prepare()
        wanted, found = real.play(one), mirror.play(one)
        for step, theirs, ours in zip(one.steps, wanted, found, strict=True):
            if step.loose:
                continue
            left, right = plain(theirs[1], real.server.url), plain(ours[1], server.url)
            if step.method == "GET" and "tags" not in step.path and "fields=*" not in step.path:
                left, right = without_tags(left), without_tags(right)
            told = f"{one.name}: {step.method} {step.path}"
            assert differences([theirs[0], left], [ours[0], right]) == [], told


@named((*RULES, *POISON))
def test_the_fake_keeps_the_rule(one: Rule, fake: Scene) -> None:
    state = fake.server.snapshot()
    try:
        fake.play(one)
    finally:
        fake.server.restore(state)


@named(RULES)
def test_the_fake_answers_as_the_real_server(one: Rule, real: Scene) -> None:
    compared(one, real)


def test_rules_that_damage_a_server_run_on_one_of_the_tests_own(
    damaged_server: RealServer,
) -> None:
    """The last test of all (conftest.py): the server is thrown away after it."""
    scene = Scene(damaged_server, damaged_server.scratch("fake_poison")).prepare()
    for one in POISON:
        compared(one, scene)


@named(POISON)
def test_no_rule_damages_a_server_that_was_named_from_outside(one: Rule) -> None:
    with FakeServer("1.2.0") as server:
        outside = RealServer(server.url, server.token, server.admin_token, None)
        scene = Scene(outside, "fake").prepare()
        server.forget()
        with pytest.raises(NotOurs):
            scene.play(one)
        assert server.requests == []


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [one.name for one in (*RULES, *POISON)]
    assert len(names) == len(set(names)) >= 60
    assert all(one.damages for one in POISON)
    assert not any(one.damages for one in RULES)
