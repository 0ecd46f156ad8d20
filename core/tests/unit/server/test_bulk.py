"""Many new entities in one call, where the server has one; what fails goes by itself."""

from __future__ import annotations

import json

import pytest

from metaglean.builtin.server import batches
from metaglean.records import Column, Ref, Schema, Table

NAMES = [f"t{number}" for number in range(7)]
BULK = "/tables/bulk"


@pytest.fixture
def target(of_version):
    return of_version("2.0.0")


def tables(target, **fields):
    return [target.table(name, **fields) for name in NAMES]


def answering(target, change):
    """The bulk call is carried out, and its answer changed."""
    answer = target.server.app.answer

    def other(request):
        found = answer(request)
        if not request.path.endswith(BULK):
            return found
        return type(found).of(found.status, change(json.loads(found.body)))

    return lambda: setattr(target.server.app, "answer", other)


def check_all_stand(target, changes):
    assert {name for kind, name in changes if kind == "table"} == set(NAMES)
    assert {change.action for change in changes.values()} == {"created"}
    assert not target.problems()
    assert target.write(*tables(target)) == {}
    assert target.sent() == []


def test_new_tables_go_in_one_call(target):
    changes = target.write(*tables(target))
    assert [path for _, path in target.sent() if path.startswith("/tables")] == [BULK]
    check_all_stand(target, changes)


def test_one_new_table_goes_alone(target):
    target.write(target.table())
    assert [path for _, path in target.sent() if path.startswith("/tables")] == ["/tables"]


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_bulk_is_asked_once(target, status):
    target.server.fail(status, path=BULK)
    other = Schema(ref=target.schema.parent.child("databaseSchema", "y"))
    more = [Table(ref=other.ref.child("table", name)) for name in NAMES]
    target.write(*tables(target), other, *more)
    paths = [path for _, path in target.sent()]
    assert paths.count(BULK) == 1
    assert paths.count("/tables") == 2 * len(NAMES)
    assert not target.problems()


@pytest.mark.parametrize("status", [400, 500, 413])
def test_a_call_that_is_refused_goes_one_by_one(target, status):
    target.server.fail(status, path=BULK)
    check_all_stand(target, target.write(*tables(target)))


def test_a_lost_answer(target):
    target.server.fail(drop=True, after=True, path=BULK, times=1)
    check_all_stand(target, target.write(*tables(target)))


@pytest.mark.parametrize(
    "name_of", [lambda name: f"s.d.x.{name}", lambda name: {"name": name, "columns": []}]
)
def test_a_failed_row_goes_by_itself(target, name_of):
    """Servers name it by its qualified name, or give its body back."""
    failed = [{"request": name_of("t3"), "status": 400, "message": "passing"}]

    def change(body):
        return {**body, "status": "partialSuccess", "numberOfRowsPassed": 6,
                "numberOfRowsFailed": 1, "failedRequest": failed}  # fmt: skip

    changes = target.write(*tables(target), between=answering(target, change))
    assert [path for _, path in target.sent()].count("/tables") == 1
    check_all_stand(target, changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {**body, "failedRequest": [{"request": "s.d.x.unheard"}]},
        lambda body: {**body, "numberOfRowsPassed": 3, "failedRequest": []},
        lambda body: {**body, "failedRequest": ["odd"]},
        lambda body: {**body, "failedRequest": None, "numberOfRowsPassed": "3"},
        lambda body: [],
    ],
)
def test_an_answer_that_cant_be_understood_has_all_go_by_themselves(target, change):
    changes = target.write(*tables(target), between=answering(target, change))
    assert [path for _, path in target.sent()].count("/tables") == len(NAMES)
    check_all_stand(target, changes)


def test_a_row_that_fails_for_good_is_one_problem(target):
    """A server that refuses one table: `d` deep below must not cost the others."""
    bad = target.table("bad", columns=(Column(name="a", data_type="ODD"),))
    changes = target.write(*tables(target), bad)
    assert not target.problems()
    assert target.stored("bad")["columns"][0]["dataType"] == "UNKNOWN"
    assert changes.keys() >= {("table", name) for name in [*NAMES, "bad"]}


def test_a_dry_run_sends_none(target):
    planned = target.write(*tables(target), dry_run=True)
    assert target.sent() == []
    assert planned == target.write(*tables(target))


# -- batches ---------------------------------------------------------------------------------------


def test_a_batch_is_full_by_rows_or_by_columns(target, monkeypatch):
    monkeypatch.setattr(batches, "BULK_ROWS", 3)
    target.write(*tables(target))
    rows = [len(r.body) for r in target.server.requests if r.path == BULK]
    assert rows == [3, 3]  # the seventh goes alone
    monkeypatch.setattr(batches, "BULK_ROWS", 100)
    monkeypatch.setattr(batches, "BULK_COLUMNS", 4)
    columns = tuple(Column(name=name, data_type="LONG") for name in "ab")
    target.write(*(target.table(f"wide{n}", columns=columns) for n in range(5)))
    assert [len(r.body) for r in target.server.requests if r.path == BULK] == [2, 2]


def test_parents_stand_before_their_children(target):
    """Also where a second schema follows the tables of the first."""
    other = Schema(ref=target.schema.parent.child("databaseSchema", "y"))
    more = [Table(ref=other.ref.child("table", name)) for name in NAMES]
    changes = target.write(*tables(target), other, *more, workers=4)
    assert not target.problems()
    assert changes[("databaseSchema", "y")].action == "created"
    sent = [path for _, path in target.sent()]
    assert sent[-2:] == [BULK, BULK]
    assert sent.index("/databases") < sent.index("/databaseSchemas") < sent.index(BULK)


def test_every_record_has_one_change(target):
    """Known ones, new ones and changed ones, mixed."""
    target.write(*tables(target)[::2])
    records = [
        target.table(name, **({"description": "new"} if number % 3 == 0 else {}))
        for number, name in enumerate(NAMES)
    ]
    changes = target.write(*records)
    actions = {name: change.action for (kind, name), change in changes.items() if kind == "table"}
    assert actions == {
        "t0": "updated", "t1": "created", "t3": "created", "t5": "created", "t6": "updated",
    }  # fmt: skip


def test_one_record_that_cant_be_planned_costs_only_itself(target):
    orphan = Table(ref=Ref("table", ("s", "d", "nowhere", "t")))
    changes = target.write(orphan, *tables(target))
    assert {name for kind, name in changes if kind == "table"} == set(NAMES)
    assert len(target.problems()) == 1
