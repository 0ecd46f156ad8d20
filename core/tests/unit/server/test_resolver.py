"""Refs become ids: asked once, remembered within bounds, live entities only."""

from __future__ import annotations

import time

import pytest

from metaglean.builtin.server.resolver import Found, Resolver
from metaglean.fqn import build
from metaglean.records import Ref


def fqn(ref):
    return build(ref.path)


TABLE = Ref("table", ("s", "d", "x", "a.b/c"))
PATH = "tables/name/s.d.x.%22a.b%2Fc%22"
COLUMNS = [
    {"name": "id", "fullyQualifiedName": 's.d.x."a.b/c".id'},
    {"name": "na.me", "fullyQualifiedName": 's.d.x."a.b/c"."na.me"'},
    {
        "name": "out",
        "fullyQualifiedName": 's.d.x."a.b/c".out',
        "children": [{"name": "in", "fullyQualifiedName": 's.d.x."a.b/c".out.in'}],
    },
]


@pytest.fixture
def server(stand_in):
    return stand_in(answers={f"GET {PATH}": {"id": "1", "columns": COLUMNS}})


def test_what_stands_is_asked_for_once(server):
    resolver = Resolver(server, fqn)
    found = resolver.find(TABLE)
    assert found == Found("1", "table", 's.d.x."a.b/c"')
    assert found.reference == {"id": "1", "type": "table"}
    assert resolver.find(TABLE) == found
    assert server.asked(PATH) == [{}]


def test_what_is_not_there_is_asked_for_once_and_again_once_it_was_written(server):
    resolver = Resolver(server, fqn)
    other = Ref("topic", ("k", "t"))
    assert resolver.find(other) is None
    assert resolver.find(other) is None
    assert len(server.asked("topics/name/k.t")) == 1
    server.answers["GET topics/name/k.t"] = {"id": "2"}
    resolver.remember(other, None)
    assert resolver.find(other).id == "2"
    resolver.remember(other, "3")
    assert resolver.find(other).id == "3"
    assert len(server.asked("topics/name/k.t")) == 2


def test_a_kind_that_no_server_has_is_not_asked_for(server):
    assert Resolver(server, fqn).find(Ref("spaceship", ("s",))) is None
    assert server.calls == []


def test_memory_is_bounded_and_what_was_used_last_stays(stand_in):
    names = ["a", "b", "c"]
    server = stand_in(answers={f"GET topics/name/k.{n}": {"id": n} for n in names})
    resolver = Resolver(server, fqn, kept=2)
    for name in ["a", "b", "a", "c", "a", "b"]:
        assert resolver.find(Ref("topic", ("k", name))).id == name
    assert len(server.asked("topics/name/k.a")) == 1
    assert len(server.asked("topics/name/k.b")) == 2


def test_columns_by_raw_name(server):
    resolver = Resolver(server, fqn)
    assert resolver.column(TABLE, "id") == 's.d.x."a.b/c".id'
    assert resolver.column(TABLE, "na.me") == 's.d.x."a.b/c"."na.me"'
    assert resolver.column(TABLE, "out.in") == 's.d.x."a.b/c".out.in'
    assert resolver.column(TABLE, "ID") is None  # a server tells case apart
    assert resolver.column(TABLE, "na") is None
    assert len(server.asked(PATH)) == 1


def test_one_call_gives_an_entity_and_its_columns(server):
    resolver = Resolver(server, fqn)
    assert resolver.find(TABLE, with_columns=True).id == "1"
    assert resolver.column(TABLE, "id")
    assert resolver.find(TABLE, with_columns=True).id == "1"
    assert server.asked(PATH) == [{"fields": "columns"}]


def test_columns_that_come_unasked_are_kept(server):
    resolver = Resolver(server, fqn)
    resolver.find(TABLE)
    assert resolver.column(TABLE, "id")
    assert server.asked(PATH) == [{}]


def test_what_the_run_has_seen_is_not_asked_for(server):
    resolver = Resolver(server, fqn, known=lambda ref: "7" if ref == TABLE else None)
    assert resolver.find(TABLE) == Found("7", "table", 's.d.x."a.b/c"')
    assert not server.calls
    assert resolver.find(Ref("topic", ("k", "t"))) is None
    assert resolver.column(TABLE, "id")


def test_many_threads_ask_once(server, run):
    answer = server.answers[f"GET {PATH}"]
    server.answers[f"GET {PATH}"] = lambda query: time.sleep(0.02) or answer
    resolver = Resolver(server, fqn)
    assert {found.id for found in run.map(resolver.find, [TABLE] * 8)} == {"1"}
    assert len(server.asked(PATH)) == 1


def test_columns_are_read_again_after_the_table_was_written(server):
    resolver = Resolver(server, fqn)
    assert resolver.column(TABLE, "new") is None
    server.answers[f"GET {PATH}"]["columns"] = [{"fullyQualifiedName": 's.d.x."a.b/c".new'}]
    resolver.remember(TABLE, "1")
    assert resolver.column(TABLE, "new") == 's.d.x."a.b/c".new'


def test_kinds_without_columns_have_none(server):
    assert Resolver(server, fqn).columns(Ref("topic", ("k", "t"))) == frozenset()
    assert server.calls == []


def test_what_a_dry_run_plans_is_found_without_an_id(server):
    resolver = Resolver(server, fqn)
    planned = Ref("table", ("s", "d", "x", "new"))
    resolver.plan(planned)
    assert resolver.find(planned) == Found("", "table", "s.d.x.new")
    assert resolver.columns(planned) is None
    assert resolver.column(planned, "any") == "s.d.x.new.any"
    assert server.calls == []
