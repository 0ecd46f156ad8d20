"""What people wrote on a server stays; what changed at the source, and no edit stands against,
arrives: also where a run without the instance's API and one with a refused tag come between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import pytest
from tests.server.api import Api, ApiError
from tests.server.company import user_name
from tests.server.edits import Person, labels
from tests.server.gate import path_of, to
from tests.server.place import FakeSite, Place, Site, opened
from tests.server.real import RealServer
from tests.server.state import definition_key

from metaglean_domo_sandbox import Tenant
from metaglean_domo_sandbox.view_ast import column, select, table
from metaglean_testkit.faults import Request

Json = dict[str, Any]
KEPT = (
    "orders", "customers", "refunds", "users", "web sessions", "budget 2026", "v_plain",
    "table3", "table4", "Churn score", "churn score", "never certified",
)  # fmt: skip
LABEL = {"source": "Classification", "labelType": "Manual", "state": "Confirmed"}
NEW_COLUMNS = [
    ("ts", "DATETIME"), ("REGION", "STRING"), ("channel", "STRING"), ("amount", "DOUBLE"),
    ("order_id", "LONG"), ("cust_id", "STRING"), ("ship_date", "DATE"),
]  # fmt: skip
"""`tax` and `weight` go, `channel` comes, `amount` and `cust_id` get other types, `region` another
spelling, and the order is another one."""


@pytest.fixture
def place(site: Site) -> Iterator[Place]:
    """A dozen datasets, and all of a first run on the server."""
    with opened(site, "edits") as here:
        for dataset in here.tenant.live():
            if dataset.name not in KEPT:
                here.tenant.delete(dataset.id)
        for gone in [d for d in here.tenant.datasets.values() if "deleted" in d.quirks]:
            here.tenant.delete(gone.id)
        here.good_run()
        yield here


def add(path: str, value: Any) -> Json:
    return {"op": "add", "path": path, "value": value}


def edit(place: Place, name: str, *operations: Json) -> None:
    """Each as a patch of its own, as a person does it."""
    path = f"tables/{place.table(name)['id']}"
    for operation in operations:
        place.admin.patch(path, [operation])


def reshape(tenant: Tenant, dataset: str, columns: Iterable[tuple[str, str]]) -> None:
    for old in list(tenant.datasets[dataset].all_columns()):
        tenant.drop_column(dataset, old.name)
    for name, kind in columns:
        tenant.add_column(dataset, name, kind)


def types(entity: Json) -> list[tuple[str, str]]:
    return [(one["name"], one["dataType"]) for one in entity["columns"]]


def columns_of(entity: Json) -> dict[str, Json]:
    return {one["name"]: one for one in entity["columns"]}


def owner_of(entity: Json) -> str | None:
    """The name of its one owner."""
    owners = entity.get("owners") or [entity.get("owner")]
    (owner,) = owners or [None]
    return owner["name"] if owner else None


def glossary_term(place: Place) -> str:
    """A term that can be set as a label: its qualified name; empty where there are no glossaries
    (the fake has none)."""
    if isinstance(place.site, FakeSite):
        return ""
    name = f"glossary_{place.tag}"
    place.site.discard("glossaries", name)
    glossary = place.admin.put("glossaries", {"name": name, "description": "Words."})
    parent = glossary["fullyQualifiedName"]
    term = {"name": "Turnover", "description": "A word.", "glossary": parent}
    place.admin.put("glossaryTerms", term)
    return f"{name}.Turnover"


def custom_property(api: Api) -> None:
    """Tables get one that people may fill."""
    (text,) = [
        one for one in api.all("metadata/types", category="field") if one["name"] == "string"
    ]
    kind = api.get("metadata/types/name/table")
    if any(one["name"] == "stewardship" for one in kind.get("customProperties") or ()):
        return
    body = {
        "name": "stewardship",
        "description": "Who looks after it.",
        "propertyType": {"id": text["id"], "type": "type"},
    }
    api.put(f"metadata/types/{kind['id']}", body)


def unless_fake(place: Place) -> contextlib.AbstractContextManager[None]:
    """The fake has no followers, which are set last."""
    fake = isinstance(place.site, FakeSite)
    return contextlib.suppress(ApiError) if fake else contextlib.nullcontext()


class Edited:
    """One table in which a person set everything, and a check that all of it is there."""

    def __init__(self, place: Place, name: str, other: str) -> None:
        self._place = place
        self._name = name
        self._other = other
        self._person = Person(cast("RealServer", place.site), place.tag)  # any site will do
        self._term = glossary_term(place)
        with unless_fake(place):
            self._person.edit(place.table(name))
        self._person.draw(place.table(other), place.table(name))
        self._columns_of_edge(place.table(other), place.table(name))
        if self._term:
            label = {**LABEL, "tagFQN": self._term, "source": "Glossary"}
            edit(place, name, add("/tags/-", label))
        # A property can't be removed from a type.
        self._extended = place.site.own and not isinstance(place.site, FakeSite)
        if self._extended:
            custom_property(place.admin)
            edit(place, name, add("/extension", {"stewardship": "Ben"}))
        self._before = self._seen()
        self._check_all_set()

    def _columns_of_edge(self, upstream: Json, downstream: Json) -> None:
        """The person draws one of columns, too; both columns change their type later."""
        lineage = self._place.admin.get(f"lineage/table/{downstream['id']}")
        details = lineage["upstreamEdges"][0]["lineageDetails"]
        ends = {
            key: f"{one['fullyQualifiedName']}.{column}"
            for key, one, column in (("from", upstream, "id"), ("to", downstream, "cust_id"))
        }
        details["columnsLineage"] = [{"fromColumns": [ends["from"]], "toColumn": ends["to"]}]
        edge = {
            "fromEntity": {"id": upstream["id"], "type": "table"},
            "toEntity": {"id": downstream["id"], "type": "table"},
            "lineageDetails": details,
        }
        self._place.admin.put("lineage", {"edge": edge})

    def _seen(self) -> Json:
        """What the person wrote, path → value; our own labels are not among it."""
        found = self._place.table(self._name)
        references = {
            key: [one["name"] for one in (value if isinstance(value, list) else [value])]
            for key in ("owner", "owners", "domain", "domains", "dataProducts", "followers")
            if (value := found.get(key))
        }
        return {
            **references,
            "description": found["description"],
            "displayName": found["displayName"],
            "tags": sorted(name for name in labels(found) if not name.startswith("Domo")),
            "extension": found.get("extension"),
            "edge": self._edge(found),
            **{
                f"{one['name'].lower()}.{key}": one.get(key)
                for one in found["columns"]
                for key in ("description", "displayName")
            },
            **{f"{one['name'].lower()}.tags": sorted(labels(one)) for one in found["columns"]},
        }

    def _edge(self, found: Json) -> Json:
        lineage = self._place.admin.get(f"lineage/table/{found['id']}")
        (edge,) = lineage["upstreamEdges"]
        assert edge["fromEntity"] == self._place.table(self._other)["id"]
        kept = ("description", "sqlQuery", "columnsLineage")
        return {key: edge["lineageDetails"].get(key) for key in kept}

    def _check_all_set(self) -> None:
        """This test can fail: everything differs from what the first run wrote."""
        assert {"dataProducts", "edge", "tags", "ts.tags"} <= self._before.keys()
        assert "followers" in self._before or isinstance(self._place.site, FakeSite)
        assert {"owner", "owners"} & self._before.keys()
        assert {"domain", "domains"} & self._before.keys()
        assert self._before["tags"] == sorted(
            filter(None, (self._person.tag, "Tier.Tier1", self._term))
        )
        assert self._before["ts.tags"] == [self._person.tag]
        assert self._before["edge"]["description"] == "Drawn by a person."
        assert len(self._before["edge"]["columnsLineage"]) == 1
        assert (self._before["extension"] is not None) is self._extended

    def check(self, *, gone: Iterable[str] = (), new: Iterable[str] = ()) -> None:
        """All edits are there; those of columns that are gone went with them."""
        expected = {
            key: value for key, value in self._before.items() if key.partition(".")[0] not in gone
        }
        found = {
            key: value for key, value in self._seen().items() if key.partition(".")[0] not in new
        }
        assert found == expected


def change_all(place: Place) -> None:
    """At the source: everything that can change, in a table with edits and in others."""
    tenant, ids = place.tenant, {d.name: d.id for d in place.tenant.live()}
    for name in ("orders", "customers"):
        tenant.set_description(ids[name], f"What Domo says of {name} now.")
        tenant.set_owner(ids[name], 103)
        tenant.set_tags(ids[name], ["gold", f"fresh {place.tag}"])
        tenant.set_certification(ids[name], "EXPIRED")
    reshape(tenant, ids["orders"], NEW_COLUMNS)
    reshape(tenant, ids["customers"], [("e.mail", "STRING"), ("id", "LONG"), ("city", "STRING")])
    view = select([column("region")], table(ids["orders"]), limit=7)
    tenant.set_view_ast(ids["v_plain"], view)
    tenant.set_description(ids["v_plain"], "Seven rows.")
    tenant.set_owner(ids["refunds"], 501, "GROUP")
    tenant.rename(ids["budget 2026"], "budget 2027")
    place.site.discard("tags", f"DomoTags.fresh {place.tag}")


def check_arrived(place: Place) -> None:
    """Every change that no edit stands against is there."""
    tables = place.tables()
    orders, customers, view = tables["orders"], tables["customers"], tables["v_plain"]
    fresh = {"DomoTags.gold", f"DomoTags.fresh {place.tag}", "DomoCertification.Expired"}
    assert {name for name in labels(orders) if name.startswith("Domo")} == fresh
    # A server takes columns that differ in case for the same one, and keeps the name it has.
    assert types(orders) == [(n.replace("REGION", "region"), kind) for n, kind in NEW_COLUMNS]
    assert types(customers) == [("e.mail", "STRING"), ("id", "LONG"), ("city", "STRING")]
    assert labels(customers) == fresh
    assert customers["description"] == "What Domo says of customers now."
    assert owner_of(customers) == user_name("cleo", place.tag)
    assert owner_of(tables["refunds"]) == f"BI Team {place.tag}"
    assert view["description"] in ("Seven rows.", "Seven rows!")
    assert "LIMIT 7" in view[definition_key(place.site.numbers)]
    renamed = tables["budget 2026"]
    assert renamed["displayName"] == "budget 2027"
    assert "budget 2027" not in tables
    assert len(tables) == len(KEPT)


def test_edits_stay_and_the_source_is_followed(place: Place) -> None:
    edited = Edited(place, "orders", "customers")
    place.good_run()  # brings the labels back that the person took away
    edited.check()
    place.good_run()
    assert place.gate.writes == []
    change_all(place)
    place.good_run()
    edited.check(gone={"tax", "weight"}, new={"channel"})
    check_arrived(place)
    place.good_run()
    assert place.gate.writes == []
    edited.check(gone={"tax", "weight"}, new={"channel"})


def test_sql_alone(place: Place) -> None:
    """Before 1.3 it is stored with another change only: that is said, and not tried each time."""
    key, alone = definition_key(place.site.numbers), place.site.numbers >= (1, 3)
    view = select([column("region")], table(place.id_of("orders")), limit=7)
    place.tenant.set_view_ast(place.id_of("v_plain"), view)
    outcome = place.good_run()
    assert ("LIMIT 7" in place.table("v_plain")[key]) is alone
    assert any("is not written" in one for one in outcome.warnings) is not alone
    assert len(place.gate.writes) == alone
    place.tenant.set_description(place.id_of("v_plain"), "Seven rows.")
    place.good_run()
    assert "LIMIT 7" in place.table("v_plain")[key]
    assert not any("is not written" in one for one in place.good_run().warnings)
    assert place.gate.writes == []


def test_what_worse_runs_left_the_next_good_one_completes(place: Place) -> None:
    edited = Edited(place, "orders", "customers")
    before = place.tables()
    change_all(place)

    place.sandbox.close_plane("instance")
    outcome = place.run()
    place.sandbox.open_plane("instance")
    assert outcome.code == 0, outcome.text
    edited.check(gone={"tax", "weight"}, new={"channel"})
    check_nothing_lost(place, before)

    tag = f"fresh {place.tag}"
    with refusing(place, tag) as sent:
        outcome = place.run()
    assert outcome.code == 0, outcome.text
    assert any("label is left out" in one for one in outcome.problems), outcome.text
    assert sent == [], "the label of a tag that isn't there was sent"
    assert labels(place.table("customers")) == {"DomoTags.gold", "DomoCertification.Expired"}
    edited.check(gone={"tax", "weight"}, new={"channel"})

    if place.site.numbers < (1, 3):  # its SQL alone isn't stored there
        place.tenant.set_description(place.id_of("v_plain"), "Seven rows!")
    place.good_run()
    edited.check(gone={"tax", "weight"}, new={"channel"})
    check_arrived(place)
    place.good_run()
    assert place.gate.writes == []


def check_nothing_lost(place: Place, before: Mapping[str, Json]) -> None:
    """Without the instance's API: what it alone tells is as it was."""
    key = definition_key(place.site.numbers)
    for name, found in place.tables().items():
        for field in ("tableType", key, "tableConstraints"):
            if name != "orders" or field != "tableConstraints":
                assert found.get(field) == before[name].get(field), (name, field)
        ids = [one["sourceUrl"].partition("/datasources/")[2] for one in (found, before[name])]
        assert ids[0] == ids[1]
        assert labels(found) >= labels(before[name]), name
    owners = {f"Finance {place.tag}", f"BI Team {place.tag}"}
    assert owner_of(place.table("refunds")) in owners


@contextlib.contextmanager
def refusing(place: Place, tag: str, status: str = "403") -> Iterator[list[bytes]]:
    """The server doesn't take this tag; gives the bodies that name it all the same, which never
    reach the server (it would be broken for good)."""
    sent: list[bytes] = []

    def rule(request: Request) -> str:
        if request.method == "GET" or tag.encode() not in request.body:
            return ""
        if path_of(request) != "tags":
            sent.append(request.body)
        return status

    place.gate.rule = rule
    yield sent
    place.gate.open()


@pytest.mark.parametrize("status", ["500", "404"])
def test_a_tag_that_the_server_does_not_take(place: Place, status: str) -> None:
    """A new classification's, too: what stands on the tables stays."""
    before = labels(place.table("orders"))
    tag = f"odd {place.tag}"
    place.tenant.set_tags(place.id_of("orders"), ["finance", "gold", tag])
    place.tenant.set_description(place.id_of("orders"), "Changed with it.")
    with refusing(place, tag, status) as sent:
        outcome = place.run()
    assert outcome.code == 0, outcome.text
    assert sent == []
    assert labels(place.table("orders")) == before
    assert place.table("orders")["description"] == "Changed with it."
    place.site.discard("tags", f"DomoTags.{tag}")
    place.good_run()
    assert labels(place.table("orders")) == before | {f"DomoTags.{tag}"}


def test_tags_that_cannot_be_listed(place: Place) -> None:
    """Nothing is known to stand, so nothing is sent, and nothing is taken away."""
    before = place.state()
    place.tenant.set_tags(place.id_of("users"), ["pii", "gold"])
    place.gate.rule = to("GET", "tags", "500")
    outcome = place.run()
    assert outcome.problems
    asked = [call for call in place.gate.calls if call.path == "tags"]
    assert len(asked) <= 12, "tried for each label again"
    assert place.state() == before
    place.gate.open()
    place.good_run()
    assert labels(place.table("users")) == {"DomoTags.pii", "DomoTags.gold"}


# -- whose texts -----------------------------------------------------------------------------------


def test_texts_of_bots_follow_and_those_of_people_stay(place: Place) -> None:
    edit(place, "users", add("/description", "A person's."), add("/displayName", "People"))
    for name in ("users", "table3"):
        place.tenant.set_description(place.id_of(name), "Domo's.")
    outcome = place.good_run()
    assert place.table("users")["description"] == "A person's."
    assert place.table("users")["displayName"] == "People"
    assert place.table("table3")["description"] == "Domo's."
    assert "written by admin" in outcome.change("users").kept["description"]
    assert "description" in outcome.change("table3").fields
    edit(place, "table3", add("/description", "A person's, later."))
    place.tenant.set_description(place.id_of("table3"), "Domo's, later.")
    place.good_run()
    assert place.table("table3")["description"] == "A person's, later."


def test_what_a_person_emptied_is_filled(place: Place) -> None:
    """With the next change of the dataset, where the server keeps a hash."""
    edit(place, "orders", {"op": "remove", "path": "/description"})
    assert not place.table("orders").get("description")
    place.tenant.add_column(place.id_of("orders"), "channel", "STRING")
    place.good_run()
    assert place.table("orders")["description"] == "All orders of the shop."


def test_an_owner_that_a_person_set_stays(place: Place) -> None:
    person = place.admin.by_name("users", user_name("ben", place.tag))
    reference = {"id": person["id"], "type": "user"}
    several = place.site.numbers >= (1, 5)
    for name in ("users", "never certified"):
        edit(place, name, add("/owners", [reference]) if several else add("/owner", reference))
    for name in ("users", "table3"):
        place.tenant.set_owner(place.id_of(name), 103)
    place.good_run()
    tables = place.tables()
    assert owner_of(tables["users"]) == user_name("ben", place.tag)
    assert owner_of(tables["never certified"]) == user_name("ben", place.tag)
    assert owner_of(tables["table3"]) == user_name("cleo", place.tag)


def test_a_persons_token_only_fills(place: Place) -> None:
    place.tenant.set_description(place.id_of("orders"), "Other words.")
    place.tenant.set_owner(place.id_of("orders"), 103)
    place.tenant.add_column(place.id_of("orders"), "channel", "STRING")
    place.tenant.set_description(place.id_of("table4"), "Filled.")
    if place.table("table4").get("description"):
        edit(place, "table4", {"op": "remove", "path": "/description"})
    outcome = place.good_run(place.config(token=place.site.admin_token))
    assert any("token is of a person" in one for one in outcome.warnings), outcome.text
    orders = place.table("orders")
    assert orders["description"] == "All orders of the shop."
    assert owner_of(orders) == user_name("ann", place.tag)
    assert "channel" in columns_of(orders)
    assert place.table("table4")["description"] == "Filled."
    place.good_run()  # the bot's own again
    orders = place.table("orders")
    assert orders["description"] == "Other words."
    assert owner_of(orders) == user_name("cleo", place.tag)


def test_override_metadata_replaces_texts(place: Place) -> None:
    edit(
        place, "users",
        add("/description", "A person's."), add("/displayName", "People"),
        add("/tags", [{"tagFQN": "Tier.Tier1", **LABEL}])
        if not place.table("users")["tags"]
        else add("/tags/-", {"tagFQN": "Tier.Tier1", **LABEL}),
        add("/columns/0/description", "A person's column."),
    )  # fmt: skip
    place.tenant.set_description(place.id_of("users"), "Domo's.")
    outcome = place.good_run(place.config({"overrideMetadata": True}))
    found = place.table("users")
    assert (found["description"], found["displayName"]) == ("Domo's.", "users")
    assert "Tier.Tier1" in labels(found)
    assert found["columns"][0]["description"] == "A person's column."
    assert {"description", "display_name"} <= outcome.change("users").fields.keys()


def test_a_dry_run_tells_and_writes_nothing(place: Place) -> None:
    edit(place, "orders", add("/description", "A person's."))
    change_all(place)
    place.tenant.delete(place.id_of("table4"))
    place.tenant.add_dataset(name="arrived later", owner=101, columns=[("id", "LONG")])
    before = place.state()
    planned = place.good_run(dry_run=True)
    assert place.gate.writes == []
    assert place.state() == before
    assert planned.of("created") == ["arrived later"]
    assert planned.of("deleted") == ["table4"]
    customers, orders = planned.change("customers"), planned.change("orders")
    assert customers.fields["description"] == (
        "Customers with addresses.", "What Domo says of customers now.",
    )  # fmt: skip
    assert customers.whose["description"] == "ingestion-bot"
    assert "written by admin" in orders.kept["description"]
    assert "description" not in orders.fields
    stored, new = customers.fields["tags"]
    assert f"DomoTags.fresh {place.tag}" in new
    assert f"DomoTags.fresh {place.tag}" not in stored
    assert "columns" in customers.fields
    assert "display_name" in planned.change("budget 2026").fields
    done = place.good_run()
    assert [(c.ref, c.action, c.fields.keys()) for c in planned.changed] == [
        (c.ref, c.action, c.fields.keys()) for c in done.changed
    ]


def test_a_label_of_ours_that_a_person_set_stays(place: Place) -> None:
    label = {**LABEL, "tagFQN": "DomoTags.finance"}
    for name in ("table3", "table4"):
        assert place.table(name)["tags"] == []
        edit(place, name, add("/tags", [label]))
    place.tenant.set_tags(place.id_of("table3"), ["gold"])
    place.good_run()
    assert labels(place.table("table3")) == {"DomoTags.finance", "DomoTags.gold"}
    assert labels(place.table("table4")) == {"DomoTags.finance"}
    place.tenant.set_tags(place.id_of("table3"), [])
    place.good_run()
    assert labels(place.table("table3")) == {"DomoTags.finance"}


def test_descriptions_of_columns(place: Place) -> None:
    """Those that the source tells follow it, but for one that a person wrote."""
    config = place.config()
    config["source"]["serviceConnection"]["config"]["columnDescriptions"] = True
    place.good_run(config)
    told = {name: one["description"] for name, one in described(place).items()}
    assert told.keys() == {"order_id", "ts", "region", "amount", "cust_id"}
    names = [one["name"] for one in place.table("orders")["columns"]]
    edit(
        place, "orders",
        add(f"/columns/{names.index('ts')}/description", "A person's."),
        add(f"/columns/{names.index('tax')}/description", "A person's, too."),
    )  # fmt: skip
    dataset = place.tenant.datasets[place.id_of("orders")]
    for name in ("ts", "tax", "region"):
        dataset.columns = [
            one._replace(description="Domo's, now.") if one.name == name else one
            for one in dataset.all_columns()
        ]
    place.tenant.retype_column(dataset.id, "ts", "DATE")
    place.tenant.touch(dataset.id)
    place.good_run(config)
    found = {name: one["description"] for name, one in described(place).items()}
    assert found == {
        **told, "ts": "A person's.", "tax": "A person's, too.", "region": "Domo's, now.",
    }  # fmt: skip
    place.good_run()  # which reads none of them
    assert {name: one["description"] for name, one in described(place).items()} == found


def described(place: Place) -> dict[str, Json]:
    found = columns_of(place.table("orders"))
    return {name: one for name, one in found.items() if one.get("description")}


def test_without_the_settings_of_the_instance_nothing_is_taken_away(place: Place) -> None:
    before = place.tables()
    place.tenant.add_column(place.id_of("v_plain"), "note", "STRING")
    outcome = place.run(place.config(instance=False))
    assert outcome.code == 0, outcome.text
    assert ("note", "STRING") in types(place.table("v_plain"))
    check_nothing_lost(place, before)
    place.good_run()  # the instance's address is in the links again
    place.good_run()
    assert place.gate.writes == []


def test_what_people_made_themselves_is_left_alone(place: Place) -> None:
    """A table without a dataset, in the schema that is ours; its name is taken."""
    body = {
        "name": "by hand", "databaseSchema": place.scope, "description": "Nobody else's.",
        "columns": [{"name": "id", "dataType": "LONG"}],
    }  # fmt: skip
    made = place.admin.put("tables", body)
    place.good_run()
    assert place.gate.writes == []
    found = place.table("by hand")
    assert (found["id"], found["version"]) == (made["id"], made["version"])


def test_what_a_person_deleted_comes_back(place: Place) -> None:
    """It is there at the source: with all that was written."""
    edit(place, "users", add("/description", "A person's."))
    before = place.state()
    found = place.table("users")
    place.admin.delete(f"tables/{found['id']}", hardDelete=False)
    assert place.good_run().of("restored") == ["users"]
    assert place.state() == before


def test_several_owners_where_the_server_takes_them(place: Place) -> None:
    config = place.config()
    config["source"]["serviceConnection"]["config"]["coOwners"] = True
    outcome = place.good_run(config)
    orders = place.table("orders")
    if place.site.numbers < (1, 5):
        assert owner_of(orders) == user_name("ann", place.tag)
        assert any("one owner an entity" in one for one in outcome.warnings)
    else:
        assert {one["name"] for one in orders["owners"]} == {
            user_name("ann", place.tag), user_name("ben", place.tag), f"BI Team {place.tag}",
        }  # fmt: skip
    place.good_run(config)
    assert place.gate.writes == []


# -- names -----------------------------------------------------------------------------------------


def test_names_that_differ_in_case_and_stood_before_are_kept(site: Site) -> None:
    """As another tool left them: two tables, each with a dataset's link."""
    with opened(site, "case") as place:
        for dataset in place.tenant.live():
            if dataset.name not in ("SALES", "orders", "table3"):
                place.tenant.delete(dataset.id)
        upper = place.id_of("SALES")
        place.tenant.rename(upper, "Sales")
        lower = place.tenant.add_dataset(
            id="00000000-0000-4000-8000-00000000aaaa", name="sales", owner=101,
            columns=[("id", "LONG")],
        )  # fmt: skip
        api = site.api()
        api.put("services/databaseServices", {"name": place.service, "serviceType": "DomoDatabase"})
        api.put("databases", {"name": "default", "service": place.service})
        api.put("databaseSchemas", {"name": "default", "database": f"{place.service}.default"})
        for name, dataset_id in (("Sales", upper), ("sales", lower)):
            link = f"{place.sandbox.instance_url}/datasources/{dataset_id}/details/overview"
            api.put("tables", {
                "name": name, "displayName": name, "databaseSchema": place.scope,
                "sourceUrl": link, "tableType": "Regular",
                "columns": [{"name": "id", "dataType": "LONG"}],
            })  # fmt: skip
        ids = {name: found["id"] for name, found in place.tables().items()}
        edit(place, "sales", add("/description", "The small ones."))
        for _ in range(2):
            place.good_run()
            found = place.tables()
            assert found.keys() == {"Sales", "sales", "orders", "table3"}
            assert {name: found[name]["id"] for name in ids} == ids
            assert upper in found["Sales"]["sourceUrl"]
            assert lower in found["sales"]["sourceUrl"]
            assert found["sales"]["description"] == "The small ones."
        assert place.gate.writes == []


def test_a_renamed_dataset_keeps_its_table(place: Place) -> None:
    edit(place, "users", add("/description", "A person's."))
    before = place.table("users")
    place.tenant.rename(place.id_of("users"), "people of the shop")
    outcome = place.good_run()
    after = place.table("users")
    assert after["id"] == before["id"]
    assert after["displayName"] == "people of the shop"
    assert after["description"] == "A person's."
    assert outcome.of("created") == outcome.of("deleted") == []
    edit(place, "users", add("/displayName", "People"))
    place.tenant.rename(place.id_of("people of the shop"), "users of the shop")
    place.good_run()
    assert place.table("users")["displayName"] == "People"
