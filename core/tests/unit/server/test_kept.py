"""What others wrote stays, and what a server can't take doesn't reach it."""

from __future__ import annotations

import pytest

from metaglean import Change
from metaglean.builtin.server.batches import Batches
from metaglean.builtin.server.config import ServerConfig
from metaglean.builtin.server.sink import MetadataRestSink
from metaglean.records import (
    Classification,
    Column,
    LifeCycle,
    Lineage,
    Ref,
    TableConstraint,
    Tag,
    TagLabel,
)
from metaglean.run import Run
from metaglean_testkit import VirtualClock
from metaglean_testkit.openmetadata import Person

SET = {"labelType": "Manual", "state": "Confirmed"}


def test_a_server_without_life_cycle(target):
    for model in ("CreateTable", "Table"):
        target.server.unknow(model, "lifeCycle")
    for text in ("old", "new"):
        stamps = LifeCycle(created=1000, updated=2000)
        target.write(target.table(description=text, life_cycle=stamps))
        assert not target.problems()
        assert target.stored()["description"] == text


@pytest.mark.parametrize("version", ["1.3.0", "2.0.0"])
def test_a_column_that_stood_before_an_upgrade_stays(of_version, version):
    """Servers before 1.3 got `>` as it is."""
    target = of_version(version)
    target.write(target.table())
    column = {"name": "x > y", "dataType": "LONG", "description": "of a person", "tags": []}
    target.edit({"op": "add", "path": "/columns/-", "value": column})
    columns = [Column(name=name, data_type="LONG") for name in ("id", "x > y", "new")]
    target.write(target.table(columns=columns))
    found = {one["name"]: one.get("description") for one in target.stored()["columns"]}
    assert found == {"id": None, "x > y": "of a person", "new": None}
    assert target.write(target.table(columns=columns)) == {}


def test_no_control_characters_in_tags_and_lineage(target):
    odd = "a\x00b\ud800"
    tag = Ref("tag", ("Ours", odd))
    here, there = (target.schema.child("table", name) for name in "ab")
    target.write(
        Classification(ref=Ref("classification", ("More",)), description=odd),
        Tag(ref=tag, description=odd),
        target.table("a"),
        target.table("b"),
        Lineage(ref=here, target=there, sql_query=odd, description=odd),
    )
    assert not target.problems()
    bodies = [request.body for request in target.server.requests if request.method == "PUT"]
    assert bodies
    assert "\\x00" not in repr(bodies)


def test_a_source_that_never_reads_all_is_not_compared_at_every_run(of_version):
    """Its hash says what it read; another tool's hash stands at first."""
    target = of_version("2.0.0")

    def off():
        target.run.warn("no access token", feature="instance")

    def write(text="old"):
        changes = target.write(target.table(description=text), between=off)
        asked = [one for one in target.server.requests if one.path.startswith("/tables/")]
        return changes, asked

    write()
    target.edit({"op": "add", "path": "/sourceHash", "value": "0" * 32},
                {"op": "add", "path": "/displayName", "value": "T"})  # fmt: skip
    assert write()[1]
    assert write() == ({}, [])
    assert list(write("new")[0])
    read = target.write(target.table(description="new", table_type="View"))
    assert [change.fields for change in read.values()] == [{"table_type": (None, "View")}]


def test_a_tag_that_somebody_deletes_during_the_run(of_version):
    """1.2 answers 404 to a patch with it, and has taken all other labels away by then."""
    target = of_version("1.2.0")
    target.write(target.table(), target.table("u"))
    for name in ("first", "last"):
        of = "Theirs" if name == "last" else "All"  # the order in which a server stores them
        target.server.call("PUT", "/classifications", {"name": of, "description": "x"})
        tag = {"name": name, "classification": of, "description": "x"}
        target.server.call("PUT", "/tags", tag)
    for name in "tu":
        for fqn in ("Theirs.last", "All.first"):
            label = {"tagFQN": fqn, "source": "Classification", **SET}
            target.edit({"op": "add", "path": "/tags/0", "value": label}, name=name)
    answer = target.server.app.answer

    def without(request):
        if request.method == "PATCH":
            target.server.app.answer = answer
            tag = target.server.call("GET", "/tags/name/Ours.one")["id"]
            target.server.call("DELETE", f"/tags/{tag}?hardDelete=true")
        return answer(request)

    target.server.app.answer = without
    tags = [TagLabel(classification="Ours", name="one")]
    tables = [target.table(name, tags=tags, description="new") for name in "tu"]
    assert len(target.write(*tables)) == 2
    assert len(target.problems()) == 1
    for name in "tu":
        stored = target.stored(name)
        assert [one["tagFQN"] for one in stored["tags"]] == ["All.first", "Theirs.last"]
        assert stored["description"] == "new"


def rewritten(target, connection=None, **settings):
    """A run with `forceEntityOverwriting`."""
    sink = MetadataRestSink(MetadataRestSink.Config())
    config = {
        "hostPort": target.server.url, "securityConfig": {"jwtToken": target.server.token},
        "forceEntityOverwriting": True, **settings,
    }  # fmt: skip
    run = Run(
        target.service, clock=VirtualClock(), sink=sink,
        server=ServerConfig.model_validate(config), connection=lambda _: connection,
    ).at("sink")  # fmt: skip
    list(sink.open(run))
    target.server.forget()
    changes = list(sink.write(iter(target.base()[:1]), run))
    run.close()
    target.run = run
    return [change.action for change in changes]


@pytest.mark.parametrize("version", ["1.2.0", "1.10.0", "2.0.0"])
def test_a_service_that_is_written_again_keeps_its_display_name(of_version, version):
    target = of_version(version)
    target.write()
    path = "/services/databaseServices/name/s"
    service = target.server.call("GET", path)["id"]
    shown = {"op": "add", "path": "/displayName", "value": "of a person"}
    target.server.call("PATCH", f"/services/databaseServices/{service}", [shown])
    connection = {"type": "CustomDatabase", "sourcePythonClass": "a.B"}
    assert rewritten(target, connection) == ["updated"]
    stored = target.server.call("GET", path)
    assert stored["displayName"] == "of a person"
    assert stored["connection"]["config"]["sourcePythonClass"] == "a.B"


@pytest.mark.parametrize("settings", [{}, {"storeServiceConnection": False}])
def test_a_service_is_not_written_again_without_a_connection(target, settings):
    """A server refuses it: 400 or 500."""
    target.write()
    given = {"type": "CustomDatabase"} if settings else None
    assert rewritten(target, given, **settings) == ["unchanged"]
    assert target.sent() == []
    assert not target.problems()


@pytest.mark.parametrize("version", ["1.3.0", "2.0.0"])
def test_a_text_of_another_bot_is_followed_once_the_users_can_be_read(of_version, version):
    """No hash is stored while nobody can tell who is a bot."""
    target = of_version(version)
    target.write(target.table(description="old"))
    bot = target.server.token_for(Person("other-bot", bot=True, admin=False))
    path = f"/tables/{target.stored()['id']}"
    text = [{"op": "add", "path": "/description", "value": "of a bot"}]
    target.server.call("PATCH", path, text, token=bot)
    user = {"name": "other-bot", "email": "bot@x.example.com", "isBot": True}
    target.server.call("PUT", "/users", user)
    wanted = target.table(description="new", source_url="https://source.example/new")

    def away():
        target.server.fail(403, method="GET", path="^/users$")

    target.write(wanted, between=away)
    assert target.stored()["description"] == "of a bot"
    target.server.faults.clear()
    target.write(wanted)
    assert target.stored()["description"] == "new"


def test_a_view_that_its_schema_brings_back_gets_its_sql_again(of_version):
    """On 1.2 the soft delete took it away; the table itself isn't restored by us then."""
    target = of_version("1.2.0")
    view = target.table(table_type="View", schema_definition="SELECT 1")
    target.write(view)
    schema = target.server.call("GET", "/databaseSchemas/name/s.d.x")["id"]
    target.server.call("DELETE", f"/databaseSchemas/{schema}?recursive=true")
    change = target.write(view)["table", "t"]
    assert (change.action, change.kept) == ("updated", {})
    assert change.fields == {"schema_definition": (None, "SELECT 1")}
    assert target.stored()["viewDefinition"] == "SELECT 1"
    assert target.stored()["sourceUrl"] == view.source_url


def test_a_key_of_a_column_whose_name_is_cut(target):
    name = "c" * 300
    key = TableConstraint(constraint_type="PRIMARY_KEY", columns=[name])
    column = Column(name=name, data_type="LONG")
    target.write(target.table(columns=[column], table_constraints=[key]))
    stored = target.stored()
    assert stored["tableConstraints"][0]["columns"] == [stored["columns"][0]["name"]]


class Made(Batches):
    """All records are new."""

    def _planned(self, record):
        return Change(record.ref, "created")


def test_what_is_below_nothing_else_is_told_at_once(target, run):
    """A run that is stopped before its first tables are through has made these."""
    batches = Made(target, run, *[None] * 5)
    told = [batch.done for batch in batches.of(target.base())]
    assert [len(done) for done in told] == [1, 3, 1, 0, 0]


def test_what_is_below_a_parent_that_failed_is_not_tried(of_version):
    """Fifty answers "404, it was deleted meanwhile" hide the one that says why."""
    target = of_version("2.0.0")
    target.server.fail(400, method="PUT", path="services/databaseServices")
    target.write(target.table(description="x"))
    assert not [one for one in target.server.requests if one.path.startswith("/tables")
                and one.method == "PUT"]  # fmt: skip
    assert any("could not be created: left out with it" in text for text in target.problems())


def test_sql_is_not_sent_alone_where_the_other_change_is_left_out(of_version):
    """1.1 answers 500 to a patch of a view's SQL alone."""
    target = of_version("1.1.0")
    for model in ("CreateTable", "Table"):
        target.server.unknow(model, "sourceUrl")
    view = target.table(table_type="View", schema_definition="SELECT 1")
    target.write(view)
    assert target.write(view) == {}
    assert [r.status for r in target.server.requests if r.method == "PATCH"] == [400]
