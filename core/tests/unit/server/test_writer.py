"""Single entities under faults and beside others: nothing is lost, nothing is written twice."""

from __future__ import annotations

import dataclasses

import pytest

from metaglean.builtin.server.writer import ATTEMPTS
from metaglean.records import Column, LifeCycle, Owner, TagLabel

TABLE = ("table", "t")
LABEL = TagLabel(classification="Ours", name="one")


@pytest.fixture
def standing(target):
    """With a table that stands."""
    target.write(target.table(description="old"))
    assert not target.problems()
    return target


def new(target, **fields):
    return target.table(description="new", **fields)


def check_good(target):
    assert not target.problems()
    assert target.stored()["description"] == "new"
    assert target.write(new(target)) == {}
    assert target.sent() == []


def test_a_change_is_one_read_and_one_patch(standing):
    change = standing.write(new(standing))[TABLE]
    assert (change.action, change.fields) == ("updated", {"description": ("old", "new")})
    assert change.whose == {"description": "ingestion-bot"}
    assert [method for method, _ in standing.sent()] == ["PATCH"]
    check_good(standing)


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 409}, {"status": 412}, {"status": 503}, {"status": 429},
     {"drop": True}, {"status": 500, "after": True}, {"drop": True, "after": True}],
    ids=str,
)  # fmt: skip
def test_a_patch_that_fails_once(standing, fault):
    """After it stood or didn't: read, compute, send anew. It is told as what it is."""
    standing.server.fail(**fault, method="PATCH", times=1)
    change = standing.write(new(standing))[TABLE]
    assert (change.action, change.fields) == ("updated", {"description": ("old", "new")})
    applied = 1 if fault.get("after") else 2
    assert len(standing.sent("PATCH")) == applied
    check_good(standing)


@pytest.mark.parametrize("status", [500, 409, 404])
def test_a_patch_that_always_fails_is_given_up(standing, status):
    standing.server.fail(status, method="PATCH")
    assert TABLE not in standing.write(new(standing), standing.table("other"))
    assert len(standing.sent("PATCH")) <= ATTEMPTS
    assert len(standing.problems()) == 1
    standing.server.faults.clear()
    assert standing.write(new(standing), standing.table("other"))[TABLE].action == "updated"


def test_a_refused_patch_is_not_sent_again_and_again(standing):
    standing.server.fail(400, method="PATCH", body=b'{"message": "no"}')
    standing.write(new(standing))
    assert len(standing.sent("PATCH")) <= 2
    assert standing.problems()


def meddled(target, when, what):
    """Do something right before the first request that `when` picks is answered."""
    answer = target.server.app.answer

    def meddle(request):
        if when(request):
            target.server.app.answer = answer
            what()
        return answer(request)

    return lambda: setattr(target.server.app, "answer", meddle)


def is_patch(request):
    return request.method == "PATCH"


def test_a_run_that_is_asked_to_stop_tries_nothing_again(standing):
    standing.server.fail(500, method="PATCH", after=True)
    standing.write(new(standing), between=meddled(standing, is_patch, lambda: standing.run.stop()))
    assert len(standing.sent("PATCH")) == 1


def test_what_changes_in_between_is_read_again(standing):
    """A person writes between the read and the patch: the patch is for the older version."""
    column = {"op": "add", "path": "/columns/0/description", "value": "of a person"}
    fields = {"columns": (Column(name="n", data_type="LONG"), Column(name="id", data_type="LONG"))}
    standing.write(
        new(standing, **fields),
        between=meddled(standing, is_patch, lambda: standing.edit(column)),
    )
    assert not standing.problems()
    stored = standing.stored()
    assert [one["name"] for one in stored["columns"]] == ["n", "id"]
    assert stored["columns"][1]["description"] == "of a person"
    assert stored["description"] == "new"


def test_what_is_gone_in_between_is_made_anew(standing):
    changes = standing.write(new(standing), between=lambda: standing.delete(hard=True))
    assert changes[TABLE].action == "created"
    check_good(standing)


def test_what_is_marked_deleted_in_between_comes_back(standing):
    changes = standing.write(new(standing), between=standing.delete)
    assert changes[TABLE].action == "restored"
    check_good(standing)


def test_what_another_run_made_in_between_is_changed(target):
    target.write()
    twin = type(target)(target.server)
    changes = target.write(new(target), between=lambda: twin.write(twin.table(description="other")))
    assert changes[TABLE].action in {"created", "updated"}
    check_good(target)


def test_what_a_person_made_in_between_is_not_cleared(target):
    """1.2 and later ones store a PUT's whole body: what it lacks is gone."""
    target.write()
    body = {
        "name": "t",
        "databaseSchema": "s.d.x",
        "description": "of a person",
        "columns": [{"name": "id", "dataType": "LONG", "description": "of a person"}],
    }
    target.write(new(target), between=lambda: target.server.call("PUT", "/tables", body))
    assert not target.problems()
    stored = target.stored()
    assert stored["description"] == "of a person"
    assert stored["columns"][0]["description"] == "of a person"


def test_a_name_that_is_taken_at_the_same_moment(target):
    """The loser of two creating PUTs gets a 409."""
    target.write()
    twin = type(target)(target.server)
    target.server.fail(409, method="PUT", path=r"^/tables", nth=2, times=1)
    changes = target.write(new(target), between=lambda: twin.write(twin.table()))
    assert TABLE in changes or target.stored()["description"] == "new"
    check_good(target)


def test_a_lost_answer_to_a_creation(target):
    target.write()
    target.server.fail(drop=True, after=True, method="PUT", path="^/tables", times=1)
    assert target.write(new(target))[TABLE].action == "created"
    check_good(target)


def test_creations_are_tried_a_bounded_number_of_times(target):
    """A server that answers 200 to every PUT and 404 to every GET."""
    target.write()
    answer = target.server.app.answer

    def odd(request):
        found = answer(request)
        if request.method == "PUT" and request.path.startswith("/api/v1/tables"):
            return dataclasses.replace(found, status=200)
        if request.method == "GET" and request.path.startswith("/api/v1/tables/"):
            return dataclasses.replace(found, status=404)
        return found

    target.write(new(target), between=lambda: setattr(target.server.app, "answer", odd))
    assert 1 <= len(target.sent("PUT")) <= ATTEMPTS
    assert len(target.problems()) == 1


# -- dry runs --------------------------------------------------------------------------------------


def test_a_dry_run_sends_nothing_and_tells_all(standing):
    records = [new(standing, tags=(LABEL,)), standing.table("other")]
    before = standing.server.snapshot()
    planned = standing.write(*records, dry_run=True)
    assert standing.sent() == []
    assert standing.server.snapshot() == before
    assert planned == standing.write(*records)
    assert planned[TABLE].fields.keys() == {"description", "tags"}


def test_a_dry_run_into_an_empty_server(target):
    planned = target.write(new(target), dry_run=True)
    assert target.sent() == []
    assert {change.action for change in planned.values()} == {"created"}
    assert planned == target.write(new(target))


def test_a_dry_run_tells_what_it_would_restore(standing):
    standing.delete()
    planned = standing.write(new(standing), dry_run=True)
    assert standing.sent() == []
    assert planned[TABLE].action == "restored"
    assert standing.stored()["deleted"]


# -- what is sent ---------------------------------------------------------------------------------


def test_owners_and_labels_of_people_stay(standing):
    server = standing.server
    for name in ("ann", "ben"):
        server.call("PUT", "/users", {"name": name, "email": f"{name}@example.com"})
    ann = server.call("GET", "/users/name/ann")["id"]
    key = server.app.world.owner_key
    one = {"id": ann, "type": "user"}
    pii = {"tagFQN": "PII.None", "source": "Classification", "labelType": "Manual",
           "state": "Confirmed"}  # fmt: skip
    standing.edit({"op": "add", "path": f"/{key}", "value": [one] if key == "owners" else one},
                  {"op": "add", "path": "/tags/0", "value": pii})  # fmt: skip
    ben = Owner(type="user", email="ben@example.com")
    change = standing.write(new(standing, owners=(ben,), tags=(LABEL,)))[TABLE]
    assert change.kept == {"owners": "written by admin"}
    stored = standing.stored()
    assert {label["tagFQN"] for label in stored["tags"]} == {"PII.None", "Ours.one"}
    owners = stored.get("owners") or [stored["owner"]]
    assert [owner["name"] for owner in owners] == ["ann"]
    standing.write(new(standing, owners=(ben,), tags=()))
    assert {label["tagFQN"] for label in standing.stored()["tags"]} == {"PII.None"}


def test_a_moving_time_alone_writes_nothing(standing):
    """When the source last wrote is sent along with other changes only."""
    stamped = new(standing, life_cycle=LifeCycle(created=1, updated=2))
    standing.write(stamped)
    later = new(standing, life_cycle=LifeCycle(created=1, updated=3))
    assert standing.write(later) == {}
    assert standing.sent() == []


def test_another_hash_alone_is_stored_once(of_version):
    """As after a take-over: nothing differs, only the hash is another one."""
    target = of_version("2.0.0")
    target.write(new(target))
    target.edit({"op": "add", "path": "/sourceHash", "value": "f" * 32})
    assert target.write(new(target)) == {}
    assert [method for method, _ in target.sent()] == ["PATCH"]
    assert target.write(new(target)) == {}
    assert target.sent() == []


def test_a_view_that_was_deleted_gets_its_sql_back(target):
    """1.2 wipes it at a soft delete, and stores it only together with another change."""
    view = target.table(table_type="View", schema_definition="select 1")
    target.write(view)
    target.delete()
    assert target.write(view)[TABLE].action == "restored"
    key = target.server.app.world.definition_key
    stored = target.stored()
    assert (stored[key], stored["sourceUrl"]) == ("select 1", view.source_url)
    assert not stored["deleted"]
    assert target.write(view) == {}
    assert target.sent() == []


def test_the_version_is_named_where_the_server_knows_it(of_version):
    for version, named in (("1.2.0", False), ("2.0.0", True)):
        target = of_version(version)
        target.write(target.table(description="old"))
        seen = []
        answer = target.server.app.answer

        def note(request, seen=seen, answer=answer):
            if request.method == "PATCH":
                seen.append(request.headers.get("if-match"))
            return answer(request)

        target.server.app.answer = note
        target.write(new(target))
        assert [one is not None for one in seen] == [named]


def test_a_text_of_a_column_stays_its_authors_when_the_type_changes(target):
    def write(kind, text=None):
        target.write(target.table(columns=[Column(name="id", data_type=kind, description=text)]))

    write("LONG")
    target.edit({"op": "add", "path": "/columns/0/description", "value": "of a person"})
    write("STRING")
    write("STRING", "of the source")
    assert target.stored()["columns"][0]["description"] == "of a person"


def test_what_1_2_stores_only_with_another_change(of_version):
    """It is told without a single request for the table, and comes with the next other change."""
    target = of_version("1.2.0")
    columns = (Column(name="a", data_type="LONG"), Column(name="b", data_type="LONG"))
    view = {"table_type": "View", "schema_definition": "select 1", "columns": columns}
    target.write(target.table(**view))
    other = {**view, "schema_definition": "select 2", "columns": columns[::-1]}
    for _ in range(2):
        assert target.write(target.table(**other)) == {}
        assert not any(r.path.startswith("/tables/") for r in target.server.requests)
        assert any("SQL or order" in group.message for group in target.run.report.warnings)
    change = target.write(target.table(**other, description="new"))[TABLE]
    assert {"schema_definition", "description"} <= change.fields.keys()
    stored = target.stored()
    assert stored["viewDefinition"] == "select 2"
    assert [one["name"] for one in stored["columns"]] == ["b", "a"]
    assert target.write(target.table(**other, description="new")) == {}
    assert not any("SQL or order" in group.message for group in target.run.report.warnings)


def test_a_view_that_becomes_a_table_and_back(target):
    view = {"table_type": "View", "schema_definition": "select 1"}
    target.write(target.table(**view))
    key = target.server.app.world.definition_key
    plain = target.table(table_type="Regular", schema_definition=None)
    assert target.write(plain)[TABLE].action == "updated"
    assert not target.stored().get(key)
    target.write(target.table(**view))
    assert target.stored()[key] == "select 1"
    assert not target.problems()


def test_columns_follow_and_keep_what_people_added(target):
    """New, gone, of another type, in another order, renamed in case alone."""

    def named(*pairs):
        return tuple(Column(name=name, data_type=kind) for name, kind in pairs)

    target.write(target.table(columns=named(("a", "LONG"), ("b", "LONG"), ("C", "LONG"))))
    pii = {"tagFQN": "PII.None", "source": "Classification", "labelType": "Manual",
           "state": "Confirmed"}  # fmt: skip
    target.edit(*(
        {"op": "add", "path": f"/columns/{number}/{key}", "value": value}
        for number in (0, 2) for key, value in (("description", "of a person"), ("tags", [pii]))
    ))  # fmt: skip
    wanted = target.table(columns=named(("n", "DATE"), ("c", "LONG"), ("a", "STRING")))
    assert target.write(wanted)[TABLE].action == "updated"
    stored = target.stored()["columns"]
    assert [(one["name"], one["dataType"]) for one in stored] == [
        ("n", "DATE"), ("C", "LONG"), ("a", "STRING"),
    ]  # fmt: skip
    for column in stored[1:]:
        assert column["description"] == "of a person"
        assert [label["tagFQN"] for label in column["tags"]] == ["PII.None"]
    assert target.write(wanted) == {}


def test_what_overrides_compares_also_where_the_hash_is_equal(standing):
    standing.edit({"op": "add", "path": "/description", "value": "of a person"})
    record = standing.table(description="old")
    assert standing.write(record, override_metadata=False) == {}
    assert standing.stored()["description"] == "of a person"
    change = standing.write(record, override_metadata=True)[TABLE]
    assert change.fields == {"description": ("of a person", "old")}
    assert standing.stored()["description"] == "old"
