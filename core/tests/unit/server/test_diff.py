"""Applied to what stands, a patch gives what is wanted, whatever the order in which a server takes
its operations; and what people added is still there."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaglean.builtin.server.diff import ALONE, Differ, Policy
from metaglean.builtin.server.digest import differing, digest
from metaglean.builtin.server.history import History
from metaglean.builtin.server.wire import REFUSED

OWN = frozenset({"Ours", "dotted.one"})
NAMES = ("id", "ID", "Id", "a", "A", "b", "e.mail", "x y", "stra\N{LATIN SMALL LETTER SHARP S}e")
TYPES = ("LONG", "STRING", "DATE")
CREATED = {"version": 0.1, "updatedBy": "ingestion-bot"}
THEIRS = (
    {"tagFQN": "PII.None", "source": "Classification", "labelType": "Manual"},
    {"tagFQN": "Words.term", "source": "Glossary", "labelType": "Manual"},
    {"tagFQN": "PII.Sensitive", "source": "Classification", "labelType": "Automated"},
    {"tagFQN": "Ours.by-hand", "source": "Classification", "labelType": "Manual"},
)
TEXTS = (None, "", "one", "two")


def ours(name, **more):
    return {"tagFQN": name, "source": "Classification", "labelType": "Automated", **more}


def policy(**options):
    options.setdefault("is_bot", lambda name: name.endswith("-bot"))
    return Policy(own=OWN, key_of=lambda key: key, **options)


BOTS = policy()


def diff(stored, wanted, rules=BOTS, versions=(CREATED,), kind="table"):
    return Differ(kind, stored, wanted, History(lambda: versions), rules).patch()


def server_order(operations):
    """As servers apply a patch: sorted by path, as text, removals last."""
    return sorted(operations, key=lambda one: (one["op"] == "remove", one["path"]))


# -- what stands, and what is wanted ---------------------------------------------------------------

CONSTRAINT = {"constraintType": "UNIQUE", "columns": ["a"]}


class Both(NamedTuple):
    stored: dict
    wanted: dict


class Maker:
    """Makes what stands and what is wanted from a seed: many cheap examples, which hypothesis
    would draw part by part, a hundred times slower."""

    def __init__(self, seed, *, refused=True, theirs=THEIRS, names=NAMES):
        self.random = random.Random(seed)
        self.refused = refused
        self.theirs = theirs
        self.names = names

    def some(self, values, most):
        return self.random.sample(values, self.random.randint(0, min(most, len(values))))

    def block(self, **values):
        """One of the values of each key; those that are None are left out."""
        found = {key: self.random.choice(among) for key, among in values.items()}
        return {key: value for key, value in found.items() if value is not None}

    def labels_of_ours(self, *, refused):
        names = self.some(["Ours.one", "Ours.two", '"dotted.one".tag'], 3)
        off = {REFUSED: True}
        return [ours(n, **(off if refused and self.random.random() < 0.2 else {})) for n in names]

    def stored_labels(self):
        labels = [*self.labels_of_ours(refused=False), *self.some(self.theirs, 2)]
        return [{**one, "state": "Confirmed", "href": "h"} for one in labels]

    def column(self, name):
        return self.block(
            name=[name],
            dataType=TYPES,
            dataLength=[None, 1, 20],
            constraint=[None, "NOT_NULL"],
            description=[None, "one", "two"],
            displayName=[None, "One"],
        )

    def wanted_columns(self, depth=1):
        """As `Bodies` gives them: no two names alike, no empty values."""
        names = {name.casefold(): name for name in self.some(self.names, 5)}
        found = []
        for name in names.values():
            column = self.column(name) | self.block(dataTypeDisplay=[None, "Type", "other"])
            labels = self.labels_of_ours(refused=self.refused)
            if labels or self.random.random() < 0.5:  # else they were not read
                column["tags"] = labels
            if depth and self.random.random() < 0.3:
                column["children"] = self.wanted_columns(depth - 1)
            found.append(column)
        return found

    def stored_columns(self, depth=1):
        """As servers give them, with what they and people add."""
        found = []
        for name in self.some(self.names, 5):
            column = self.column(name) | self.block(
                description=TEXTS,
                displayName=TEXTS,
                dataTypeDisplay=[None, "type", "other"],
                customMetrics=[None, [{"name": "theirs"}]],
                fullyQualifiedName=["of the server"],
            )
            column["tags"] = self.stored_labels()
            if depth and self.random.random() < 0.3:
                column["children"] = self.stored_columns(depth - 1)
            found.append(column)
        return found

    def both(self):
        stored = self.block(
            description=TEXTS,
            displayName=TEXTS,
            sourceUrl=[None, "https://one"],
            tableType=[None, "Regular", "View"],
            definition=[None, "select 1"],
            tableConstraints=[None, [], [CONSTRAINT]],
            owners=[[], [{"id": "1", "type": "user", "name": "ann"}]],
            domain=[{"id": "d"}],
        )
        stored |= {"columns": self.stored_columns(), "tags": self.stored_labels()}
        wanted = self.block(
            description=TEXTS,
            displayName=TEXTS,
            sourceUrl=[None, "https://two"],
            tableType=[None, "Regular", "View"],
            tableConstraints=[None, [], [CONSTRAINT]],
            owners=[None, [], [{"id": "1", "type": "user"}], [{"id": "2", "type": "user"}]],
            tags=[None, self.labels_of_ours(refused=self.refused)],
            columns=[None, self.wanted_columns(), self.alike(stored["columns"])],
        )
        if self.random.random() < 0.7:
            few = self.some(list(wanted), 2)
            wanted = self.same(stored) | {key: wanted[key] for key in few}
        if "tableType" in wanted:
            is_view = wanted["tableType"] == "View"
            wanted["definition"] = self.random.choice(["select 1", "select 2"]) if is_view else None
        return Both(stored, wanted)

    def same(self, stored, *, trifles=True):
        """What a record wants that agrees with what stands, but for trifles here and there."""
        keys = ("description", "displayName", "sourceUrl", "tableType", "tableConstraints")
        wanted = {key: stored[key] for key in self.some(keys, 5) if key in stored}
        wanted["tags"] = self.ours_of(stored)
        wanted["columns"] = self.same_columns(stored["columns"], trifles=trifles)
        return wanted

    def ours_of(self, stored):
        names = [one["tagFQN"] for one in stored["tags"] if not people_made(one)]
        return [ours(name) for name in self.random.sample(names, len(names))]

    def same_columns(self, stored, *, trifles):
        found = {}
        for one in stored:
            keys = ["name", "dataType", "dataLength", "constraint"]
            texts = ["description", "displayName", "dataTypeDisplay"]
            keys += self.some(texts, 3) if trifles else texts
            column = {key: one[key] for key in keys if one.get(key)}
            if labels := self.ours_of(one):
                column["tags"] = labels
            if "children" in one:
                column["children"] = self.same_columns(one["children"], trifles=trifles)
            if trifles and self.random.random() < 0.1:
                column |= self.block(dataType=TYPES, dataTypeDisplay=["Type", "other"])
            found.setdefault(column["name"].casefold(), column)
        return list(found.values())

    def alike(self, stored):
        """Other columns under the names that stand, in their order or another one."""
        names = {one["name"].casefold(): one["name"] for one in stored}
        found = [
            {**one, "name": name}
            for one, name in zip(self.wanted_columns(), names.values(), strict=False)
        ]
        return self.random.sample(found, len(found)) if self.random.random() < 0.3 else found


seeds = st.integers(0, 2**32)


def pairs(stored, wanted):
    """(stored or None, wanted) of each wanted item: by its very name, else alike."""
    left = {one["name"]: one for one in stored}
    taken = {one["name"] for one in wanted} & left.keys()
    found = []
    for one in wanted:
        match = left.get(one["name"])
        if match is None:
            alike = [n for n in left if n not in taken and n.casefold() == one["name"].casefold()]
            match = left[alike[0]] if alike else None
            taken |= set(alike[:1])
        found.append((match, one))
    return found


def people_made(label):
    classification = label["tagFQN"].lstrip('"').rpartition(".")[0].rstrip('"')
    return classification not in OWN or label["labelType"] == "Manual"


# -- what holds of any patch ---------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(seeds, st.randoms())
def test_the_order_of_operations_does_not_matter(patched, seed, rng):
    both = Maker(seed).both()
    bodies = diff(*both).bodies
    shuffled = rng.sample(bodies, len(bodies))
    found = [patched(both.stored, order) for order in (bodies, server_order(bodies), shuffled)]
    for one in found:
        one["tags"] = sorted(one.get("tags") or (), key=lambda label: label["tagFQN"])
    assert found[0] == found[1] == found[2]


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_a_second_patch_is_empty(patched, seed):
    both = Maker(seed).both()
    after = patched(both.stored, diff(*both).bodies)
    again = diff(after, both.wanted)
    assert (again.bodies, again.fields) == ([], {})


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_what_is_wanted_stands(patched, seed):
    both = stored, wanted = Maker(seed).both()
    after = patched(stored, diff(*both).bodies)
    for key in ("sourceUrl", "tableType", "definition", "tableConstraints"):
        if key in wanted:
            assert (after.get(key) or None) == (wanted[key] or None)
    for key in ("description", "displayName"):
        assert (after.get(key) or None) == (wanted.get(key) or stored.get(key) or None)
    owners = wanted.get("owners") or stored.get("owners") or []
    assert [one["id"] for one in after["owners"]] == [one["id"] for one in owners]
    if "columns" in wanted:
        check_items(stored["columns"], wanted["columns"], after["columns"])
    else:
        assert after["columns"] == stored["columns"]


def check_items(stored, wanted, after):
    found = pairs(stored, wanted)
    assert [one["name"] for one in after] == [(had or one)["name"] for had, one in found]
    for (had, want), got in zip(found, after, strict=True):
        for key in ("dataType", "dataLength", "constraint"):
            assert got.get(key) == want.get(key)
        for key in ("description", "displayName"):
            assert (got.get(key) or None) == (want.get(key) or (had or {}).get(key) or None)
        stood, stands = (had or {}).get("tags") or [], got.get("tags") or []
        if "tags" in want:
            check_labels(stood, want["tags"], stands)
        else:
            assert stands == stood
        check_items(
            (had or {}).get("children") or [], want.get("children") or [], got.get("children") or []
        )


def check_labels(stored, wanted, after):
    """Ours as wanted; a refused one stays where it stands, and comes nowhere."""
    stands = {one["tagFQN"] for one in stored}
    theirs = {one["tagFQN"] for one in stored if people_made(one)}
    new = {one["tagFQN"] for one in wanted if REFUSED not in one}
    refused = {one["tagFQN"] for one in wanted if REFUSED in one} & stands
    assert {one["tagFQN"] for one in after} == theirs | new | refused
    assert len(after) == len({one["tagFQN"] for one in after})
    assert not any(REFUSED in one for one in after)


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_what_people_added_stays(patched, seed):
    both = stored, wanted = Maker(seed).both()
    after = patched(stored, diff(*both).bodies)
    assert after["domain"] == stored["domain"]
    if "tags" in wanted:
        check_labels(stored["tags"], wanted["tags"], after["tags"])
    assert [one for one in stored["tags"] if people_made(one)] == [
        one for one in after["tags"] if one in stored["tags"] and people_made(one)
    ]
    for had, _ in pairs(stored["columns"], wanted.get("columns", [])):
        got = next((one for one in after["columns"] if had and one["name"] == had["name"]), None)
        if got is not None:
            assert got.get("customMetrics") == had.get("customMetrics")
            assert got["fullyQualifiedName"] == had["fullyQualifiedName"]
            for label in filter(people_made, had["tags"]):
                assert label in got["tags"]


@settings(max_examples=150, deadline=None)
@given(seeds, st.sampled_from(["ann", ""]))
def test_texts_of_people_stay(patched, seed, author):
    both = Maker(seed).both()
    """So do those whose author can't be read."""
    stored, _ = both
    versions = [{"version": 0.1, "updatedBy": author}] if author else []
    after = patched(stored, diff(*both, versions=versions).bodies)
    for key in ("description", "displayName", "owners"):
        if stored.get(key):
            assert after[key] == stored[key]
    standing = {one["name"]: one for one in stored["columns"]}
    for column in after["columns"]:
        for key in ("description", "displayName"):
            had = standing.get(column["name"], {}).get(key)
            assert not had or column[key] == had


@settings(max_examples=150, deadline=None)
@given(seeds, st.booleans())
def test_what_is_told_is_what_is_sent(seed, weak):
    both = Maker(seed).both()
    """A dry run knows only what is told."""
    patch = diff(*both, rules=policy(weak=weak))
    assert bool(patch.fields) == bool(patch.bodies)
    if not weak and not patch.bodies:
        assert set(patch.kept.values()) <= {ALONE}


CHANGES = {
    "nothing": lambda wanted: None,
    "link": lambda wanted: wanted.update(sourceUrl="https://other"),
    "text": lambda wanted: wanted.update(description="other"),
    "owner": lambda wanted: wanted.update(owners=[{"id": "3", "type": "user"}]),
    "tag": lambda wanted: wanted["tags"].append(ours("Ours.other")),
    "new column": lambda wanted: wanted["columns"].append({"name": "n", "dataType": "LONG"}),
    "type": lambda wanted: wanted["columns"][0].update(dataType="JSON"),
    "type for people": lambda wanted: wanted["columns"][0].update(dataTypeDisplay="Another"),
    "column's text": lambda wanted: wanted["columns"][-1].update(description="other"),
    "column's tag": lambda wanted: wanted["columns"][0].update(tags=[ours("Ours.other")]),
    "column gone": lambda wanted: wanted["columns"].pop(),
    "order": lambda wanted: wanted["columns"].insert(0, wanted["columns"].pop()),
    "below": lambda wanted: wanted["columns"][0].update(children=[{"name": "n", "dataType": "T"}]),
}


@pytest.mark.parametrize("what", CHANGES)
@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_a_digest_differs_where_a_patch_does(what, seed):
    """Equal digests excuse from reading an entity: they must not hide a difference, nor, where no
    person wrote, have it read in vain."""
    maker = Maker(seed, theirs=THEIRS[:3], names=("id", "A", "b", "e.mail"))
    stored = maker.both().stored
    stored["columns"] = [*maker.stored_columns(), maker.column("p"), maker.column("q")]
    for column in stored["columns"]:
        column.setdefault("tags", [])
    wanted = maker.same(stored, trifles=False)
    CHANGES[what](wanted)
    found = differing("table", wanted, digest("table", stored, OWN), OWN)
    assert bool(found) == bool(diff(stored, wanted).bodies) == (what != "nothing")


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_a_digest_hides_nothing(seed):
    """The same with labels that are refused, or that people set in our own classifications: such
    an entity may be read in vain, but none is missed."""
    stored, wanted = Maker(seed).both()
    if not differing("table", wanted, digest("table", stored, OWN), OWN):
        assert not diff(stored, wanted).bodies


# -- whose it is ---------------------------------------------------------------


DESCRIBED = {"description": "old"}
PERSON = ({"version": 0.2, "updatedBy": "ann", "changeDescription": {
    "fieldsUpdated": [{"name": "description"}]}}, CREATED)  # fmt: skip


def test_a_text_of_a_bot_is_changed_and_told():
    patch = diff(DESCRIBED, {"description": "new"})
    assert patch.bodies == [{"op": "add", "path": "/description", "value": "new"}]
    assert patch.fields == {"description": ("old", "new")}
    assert patch.whose == {"description": "ingestion-bot"}


def test_a_text_of_a_person_stays_and_is_told():
    patch = diff(DESCRIBED, {"description": "new"}, versions=PERSON)
    assert (patch.bodies, patch.fields) == ([], {})
    assert patch.kept == {"description": "written by ann"}


def test_a_text_whose_author_cant_be_read_stays():
    patch = diff(DESCRIBED, {"description": "new"}, versions=())
    assert patch.bodies == []
    assert patch.kept == {"description": "who wrote it can't be read"}


def test_override_asks_nobody():
    def unasked():
        raise AssertionError("the versions were read")

    rules = policy(override=True)
    patch = Differ("table", DESCRIBED, {"description": "new"}, History(unasked), rules).patch()
    assert patch.fields == {"description": ("old", "new")}


def test_a_persons_token_only_fills():
    rules = policy(texts=False)
    stored = {**DESCRIBED, "owners": [{"id": "1"}], "columns": [{"name": "a", "dataType": "T"}]}
    wanted = {
        "description": "new",
        "displayName": "name",
        "owners": [{"id": "2", "type": "user"}],
        "columns": [{"name": "a", "dataType": "T", "description": "of a"}],
        "sourceUrl": "https://two",
    }
    patch = diff(stored, wanted, rules)
    assert patch.fields.keys() == {"display_name", "columns.a.description", "source_url"}
    assert patch.kept.keys() == {"description", "owners"}


def test_no_versions_are_read_where_no_text_differs():
    def unasked():
        raise AssertionError("the versions were read")

    stored = {"description": "same", "columns": []}
    wanted = {"description": "same", "displayName": "filled", "columns": [], "owners": []}
    assert Differ("table", stored, wanted, History(unasked), BOTS).patch().fields == {
        "display_name": (None, "filled")
    }


def test_what_a_policy_denies_is_left_out():
    rules = policy(denied={"displayName"})
    assert diff({"displayName": "old"}, {"displayName": "new"}, rules).bodies == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("owners", [{"id": "2", "type": "user"}]), ("owner", {"id": "2", "type": "user"})],
)
def test_owners_in_the_servers_form(key, value):
    rules = Policy(is_bot=BOTS.is_bot, own=OWN, key_of=lambda k: key if k == "owners" else k)
    wanted = {"owners": [{"id": "2", "type": "user"}]}
    patch = diff({"owners": [{"id": "1", "name": "ann"}]}, wanted, rules)
    assert patch.bodies == [{"op": "add", "path": f"/{key}", "value": value}]
    assert patch.fields == {"owners": (["ann"], ["2"])}
    assert patch.whose == {"owners": "ingestion-bot"}
    change = {"fieldsUpdated": [{"name": key}]}
    edited = [{"version": 0.2, "updatedBy": "ben", "changeDescription": change}, CREATED]
    patch = diff({"owners": [{"id": "1", "name": "ann"}]}, wanted, rules, edited)
    assert (patch.bodies, patch.kept) == ([], {"owners": "written by ben"})


def test_several_owners_in_any_order_are_the_same():
    owners = [{"id": "1", "type": "user"}, {"id": "2", "type": "team"}]
    assert diff({"owners": owners}, {"owners": owners[::-1]}).bodies == []


# -- the SQL ---------------------------------------------------------------


VIEW = {"tableType": "View", "definition": "select 1"}
WANTED_VIEW = {"tableType": "View", "definition": "select 2"}
OLD_KEY = {"key_of": lambda key: "viewDefinition" if key == "definition" else key}


def of_old(**options):
    """The rules for servers that store a definition only together with another change."""
    return Policy(is_bot=BOTS.is_bot, own=OWN, weak=False, **OLD_KEY, **options)


def test_a_definition_alone_is_told_but_not_sent():
    patch = diff(VIEW, WANTED_VIEW, of_old())
    assert (patch.bodies, patch.fields) == ([], {})
    assert patch.kept == {"schema_definition": ALONE}


def test_a_definition_goes_along_with_another_change():
    patch = diff(VIEW, {**WANTED_VIEW, "description": "new"}, of_old())
    assert [one["path"] for one in patch.bodies] == ["/description", "/viewDefinition"]
    assert patch.kept == {}


def test_a_definition_alone_is_sent_where_it_is_stored():
    patch = diff(VIEW, WANTED_VIEW)
    assert patch.bodies == [{"op": "add", "path": "/definition", "value": "select 2"}]


@pytest.mark.parametrize("wanted", [{"description": "x"}, {"description": "x", **VIEW}])
def test_a_patch_that_would_wipe_the_definition_carries_it(wanted):
    patch = diff(VIEW, wanted, of_old(wipes=True))
    assert {"op": "add", "path": "/viewDefinition", "value": "select 1"} in patch.bodies
    assert "schema_definition" not in patch.fields
    assert diff(VIEW, VIEW, of_old(wipes=True)).bodies == []


@pytest.mark.parametrize("wanted", [{"tableType": "Regular"},
                                    {"tableType": "Regular", "definition": None}])  # fmt: skip
def test_a_view_that_becomes_a_table_loses_its_definition(wanted):
    """Servers refuse a definition of what is no view."""
    patch = diff(VIEW, wanted, of_old())
    assert {"op": "remove", "path": "/viewDefinition"} in patch.bodies


def test_a_table_that_becomes_a_view_gets_its_definition():
    patch = diff({"tableType": "Regular"}, VIEW, of_old())
    assert [one["path"] for one in patch.bodies] == ["/tableType", "/viewDefinition"]


def test_an_order_alone_is_told_but_not_sent():
    columns = [{"name": "a", "dataType": "T"}, {"name": "b", "dataType": "T"}]
    patch = diff({"columns": columns}, {"columns": columns[::-1]}, of_old())
    assert (patch.bodies, patch.kept) == ([], {"columns order": ALONE})
    patch = diff({"columns": columns}, {"columns": columns[::-1], "displayName": "n"}, of_old())
    assert len(patch.bodies) == 2


# -- pipelines ---------------------------------------------------------------


def test_tasks_follow_and_keep_what_people_added():
    stored = {"tasks": [
        {"name": "a", "taskType": "Bash", "description": "of ann", "owners": [{"id": "1"}],
         "fullyQualifiedName": "p.a", "downstreamTasks": ["b"]},
        {"name": "b", "taskType": "Bash"},
    ]}  # fmt: skip
    wanted = {"tasks": [{"name": "c", "taskType": "SQL"}, {"name": "a", "taskType": "Python"}]}
    (body,) = diff(stored, wanted, kind="pipeline").bodies
    assert body["path"] == "/tasks"
    new, kept = body["value"]
    assert new == {"name": "c", "taskType": "SQL"}
    assert kept == {"name": "a", "taskType": "Python", "description": "of ann",
                    "owners": [{"id": "1"}], "fullyQualifiedName": "p.a"}  # fmt: skip
