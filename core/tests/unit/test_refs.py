"""Refs: what lies above an entity."""

from __future__ import annotations

from metaglean.records import Ref


def test_the_parent_is_one_level_up():
    table = Ref("table", ("svc", "db", "s", "t"))
    assert table.parent == Ref("databaseSchema", ("svc", "db", "s"))
    assert Ref("databaseService", ("svc",)).parent is None


def test_a_kind_that_is_not_known_has_no_parent():
    assert Ref("teapot", ("svc", "t")).parent is None
