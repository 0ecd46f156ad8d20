"""Nothing is named that isn't there: owners, tags and services as the server has them."""

from __future__ import annotations

import json

import pytest

from metaglean.records import Classification, Column, Owner, Ref, Service, Tag, TagLabel

TABLE = ("table", "t")
ANN = Owner(type="user", email="Ann@Example.com")
BEN = Owner(type="user", email="ben@example.com")
FINANCE = Owner(type="team", name="Finance")
LABEL = TagLabel(classification="Ours", name="one")


def warnings(target):
    return [group.message for group in target.run.report.warnings]


# -- people ----------------------------------------------------------------------------------------


@pytest.fixture
def staffed(target):
    server = target.server
    server.call("PUT", "/users", {"name": "ann", "email": "ann@example.com"})
    server.call("PUT", "/users", {"name": "ben", "email": "ben@example.com"})
    server.call("PUT", "/users", {"name": "robot", "email": "robot@example.com", "isBot": True})
    server.call("PUT", "/teams", {"name": "Finance", "teamType": "Group"})
    server.call("PUT", "/teams", {"name": "Division", "teamType": "Division"})
    server.call("PUT", "/teams", {"name": "finance", "teamType": "Group"})
    return target


def owners(target):
    stored = target.stored()
    found = stored.get("owners") or ([stored["owner"]] if stored.get("owner") else [])
    return [one["name"] for one in found]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ([ANN], ["ann"]),
        ([FINANCE], ["Finance"]),
        ([Owner(type="team", name="FINANCE")], []),
        ([Owner(type="team", name="Division")], []),
        ([Owner(type="user", name="ann")], []),
        ([Owner(type="user", email="ann@example.co")], []),
        ([Owner(type="user", email="robot@example.com")], []),
        ([Owner(type="user", email="gone@example.com"), BEN], ["ben"]),
        ([Owner(type="team"), Owner(type="user")], []),
    ],
)
def test_owners_are_matched_exactly(staffed, wanted, names):
    staffed.write(staffed.table(owners=wanted))
    assert owners(staffed) == names
    assert not staffed.problems()
    left_out = len(set(wanted)) - len(names)
    assert sum("left out as owner" in one for one in warnings(staffed)) == left_out


def test_several_owners_where_the_server_takes_several(staffed):
    staffed.write(staffed.table(owners=[ANN, FINANCE, ANN]))
    if staffed.server.app.world.owner_key == "owners":
        assert sorted(owners(staffed)) == ["Finance", "ann"]
    else:
        assert owners(staffed) == ["ann"]
        assert sum("only the first" in one for one in warnings(staffed)) == 1
    assert staffed.write(staffed.table(owners=[FINANCE, ANN][::-1])) == {}
    assert staffed.sent() == []


def test_somebody_missing_is_told_once(staffed):
    gone = Owner(type="user", email="gone@example.com")
    staffed.write(*(staffed.table(name, owners=[gone]) for name in "abc"))
    assert sum("left out as owner" in one for one in warnings(staffed)) == 1


def test_people_are_listed_once(staffed):
    staffed.write(*(staffed.table(name, owners=[ANN, FINANCE]) for name in "abcde"))
    asked = [r.path for r in staffed.server.requests if r.method == "GET"]
    assert (asked.count("/users"), asked.count("/teams")) == (1, 1)


@pytest.mark.parametrize("path", ["^/users$", "^/teams$"])
def test_people_that_cant_be_listed_cost_the_owners_alone(staffed, path):
    wanted = staffed.table(owners=[ANN] if "users" in path else [FINANCE])
    staffed.write(wanted)
    before = owners(staffed)
    staffed.server.fail(403, path=path)
    assert staffed.write(wanted) == {}
    assert owners(staffed) == before
    assert staffed.run.report.features_off
    staffed.server.faults.clear()
    assert staffed.write(wanted) == {}


# -- tags ------------------------------------------------------------------------------------------


def labels(target):
    return [label["tagFQN"] for label in target.stored()["tags"]]


def test_a_tag_is_made_before_its_label_is_sent(target):
    target.write(target.table(tags=[LABEL, LABEL]))
    assert not target.problems()
    assert labels(target) == ["Ours.one"]
    tag = target.server.call("GET", "/tags/name/Ours.one")
    assert tag["description"]
    sent = [path for _, path in target.sent()]
    assert sent.index("/classifications") < sent.index("/tags") < len(sent) - 1


def test_a_tag_that_is_not_there_is_never_named(target):
    """It would break a 1.2 server for good."""
    unknown = TagLabel(classification="Ours", name="unheard")
    foreign = TagLabel(classification="Nobody", name="x")
    column = Column(name="id", data_type="LONG", tags=(unknown, LABEL))
    target.write(target.table(tags=[unknown, LABEL, foreign], columns=(column,)))
    assert labels(target) == ["Ours.one"]
    tags = target.stored()["columns"][0]["tags"]
    assert [label["tagFQN"] for label in tags] == ["Ours.one"]
    assert not any("unheard" in str(r.body) or "Nobody" in str(r.body)
                   for r in target.server.requests)  # fmt: skip
    assert len(target.problems()) >= 1
    target.write(target.table(tags=[unknown, LABEL], columns=(column,), description="again"))
    assert labels(target) == ["Ours.one"]


def test_a_tag_that_could_not_be_made_comes_with_the_next_good_run(target):
    second = Tag(ref=Ref("tag", ("Ours", "two")))
    wanted = target.table(tags=[LABEL, TagLabel(classification="Ours", name="two")])
    target.write()
    target.server.fail(400, method="PUT", path="^/tags", body=b'{"message": "no"}')
    target.write(second, wanted)
    assert labels(target) == ["Ours.one"]
    target.server.faults.clear()
    changes = target.write(second, wanted)
    assert changes[TABLE].fields["tags"][1] == ["Ours.one", "Ours.two"]
    assert target.write(second, wanted) == {}


def test_a_label_that_is_refused_later_stays(target):
    wanted = target.table(tags=[LABEL])
    target.write(wanted)
    target.server.fail(500, method="GET", path="^/tags$")
    target.write(target.table(tags=[LABEL], description="new"))
    assert labels(target) == ["Ours.one"]
    assert target.stored()["description"] == "new"


def switched_off(target, path):
    """The server gives what it has at `path` as disabled, as a person has made it."""
    answer = target.server.app.answer

    def other(request):
        found = answer(request)
        if request.method != "GET" or not request.path.startswith(f"/api/v1{path}"):
            return found
        body = json.loads(found.body)
        for one in body.get("data", [body]):
            one["disabled"] = True
        return type(found).of(found.status, body)

    target.server.app.answer = other


@pytest.mark.parametrize("path", ["/tags", "/classifications/"])
def test_a_tag_that_is_switched_off_is_not_named(target, path):
    """Its label would be refused, and the whole table with it; 1.2 lists none of a classification
    that is off."""
    target.write(target.table("first"))
    switched_off(target, path)
    changes = target.write(target.table(tags=[LABEL]))
    assert changes[TABLE].action == "created"
    assert labels(target) == []
    assert any("disabled" in one for one in target.problems())
    assert not any(path == "/tags" for _, path in target.sent())


def test_what_people_wrote_on_a_tag_stays(target):
    target.write()
    tag = target.server.call("GET", "/tags/name/Ours.one")
    patch = [{"op": "add", "path": "/description", "value": "of a person"}]
    target.server.call("PATCH", f"/tags/{tag['id']}", patch)
    target.write(Tag(ref=Ref("tag", ("Ours", "one")), description="new"))
    assert target.server.call("GET", "/tags/name/Ours.one")["description"] == "of a person"


def test_deleted_tags_and_classifications_come_back(target):
    target.write(target.table(tags=[LABEL]))
    found = target.server.call("GET", "/classifications/name/Ours")
    target.server.call("DELETE", f"/classifications/{found['id']}?recursive=true")
    target.write(target.table(tags=[LABEL]))
    assert not target.problems()
    assert target.server.call("GET", "/classifications/name/Ours")
    assert target.server.call("GET", "/tags/name/Ours.one")


def test_a_tag_with_a_name_that_1_2_does_not_hold(target):
    long = Tag(ref=Ref("tag", ("Ours", "100 % m² " + "x" * 80)))
    label = TagLabel(classification="Ours", name=long.ref.name)
    target.write(long, target.table(tags=[label]))
    assert not target.problems()
    (fqn,) = labels(target)
    (tag,) = [t for t in target.server.call("GET", "/tags?parent=Ours&limit=50")["data"]
              if t["fullyQualifiedName"] == fqn]  # fmt: skip
    assert long.ref.name in (tag["name"], tag.get("displayName"))
    assert target.write(long, target.table(tags=[label])) == {}


def test_two_runs_that_make_the_same_tag(target):
    """The loser of each gets a 409."""
    faults = [target.server.fail(409, method="PUT", path=f"^/{path}$", times=1, after=True)
              for path in ("classifications", "tags")]  # fmt: skip
    target.write(target.table(tags=[LABEL]))
    assert [fault.made for fault in faults] == [1, 1]
    assert not target.problems()
    assert labels(target) == ["Ours.one"]


def test_a_dry_run_knows_the_tags_that_it_would_make(target):
    planned = target.write(target.table(tags=[LABEL]), dry_run=True)
    assert not target.problems()
    assert planned.keys() >= {("tag", "one"), ("classification", "Ours"), TABLE}


def test_a_classification_is_described(target):
    described = Classification(ref=Ref("classification", ("More",)), description="Why.")
    target.write(described)
    assert target.server.call("GET", "/classifications/name/More")["description"] == "Why."
    assert target.server.call("GET", "/classifications/name/Ours")["description"]


# -- services --------------------------------------------------------------------------------------

CONNECTION = {"type": "DomoDatabase", "clientId": "id", "secretToken": "canary-secret-1",
              "accessToken": "canary-secret-2", "instanceDomain": "https://x.example"}  # fmt: skip


def service(target):
    return target.server.call("GET", "/services/databaseServices/name/s?include=all",
                              token=target.server.token)  # fmt: skip


def test_a_service_that_stands_is_never_put_again(target):
    target.write(connection=lambda version: CONNECTION)
    target.server.call("PATCH", f"/services/databaseServices/{service(target)['id']}",
                       [{"op": "add", "path": "/description", "value": "of a person"}])  # fmt: skip
    target.write(target.table(), connection=lambda version: {**CONNECTION, "clientId": "other"})
    assert not any(path.startswith("/services") for _, path in target.sent())
    assert service(target)["description"] == "of a person"


def test_a_service_that_was_deleted_is_restored(target):
    target.write()
    target.server.call("DELETE", f"/services/databaseServices/{service(target)['id']}"
                                 "?recursive=true")  # fmt: skip
    changes = target.write(target.table())
    assert changes["databaseService", "s"].action == "restored"
    assert not service(target).get("deleted")
    assert not target.problems()


def test_a_service_type_that_the_server_lacks(target):
    refused = (b"Cannot construct instance of `org.openmetadata.schema.api.services."
               b"CreateDatabaseService$DatabaseServiceType`, problem: Odd")  # fmt: skip
    body = b'{"code": 400, "message": "%s"}' % refused
    target.server.fail(400, method="PUT", path="databaseServices$", times=1, body=body)
    target.service_type = "DomoDatabase"
    target.write(target.table())
    assert not target.problems()
    assert any("CustomDatabase" in one for one in warnings(target))
    assert service(target)["serviceType"] == "CustomDatabase"


def test_a_service_that_another_run_makes_at_the_same_moment(target):
    target.server.fail(409, method="PUT", path="databaseServices$", times=1, after=True)
    changes = target.write(target.table())
    assert not target.problems()
    assert changes[TABLE].action == "created"


def test_a_service_with_a_name_that_1_2_does_not_hold(of_version):
    target = of_version("1.2.0")
    odd = Ref("databaseService", ("Domo: EU",))
    target.write(Service(ref=odd, service_type="CustomDatabase"))
    assert not target.problems()
    found = target.server.call("GET", "/services/databaseServices?limit=10")["data"]
    (one,) = [one for one in found if one["name"] != "s"]
    assert one["name"].startswith("Domo_ EU_")
    assert one["displayName"] == "Domo: EU"
