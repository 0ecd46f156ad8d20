"""What processors add, as it arrives on a server: ours follows, theirs stays."""

from __future__ import annotations

import pytest

from metaglean.builtin.owner import OwnerProcessor
from metaglean.builtin.tag import TagProcessor
from metaglean.records import Column, Owner, Ref, TagLabel
from metaglean.run import Run

OURS = TagLabel(classification="Ours", name="one")
GOLD = {"pattern": r".*\.t$", "tag": "Gold"}
KEY = {"pattern": ".*", "columns": "id$", "tag": "Key"}


def processed(processor_class, records, **settings):
    processor = processor_class(processor_class.Config.model_validate(settings))
    run = Run(Ref("databaseService", ("s",))).at("processor")
    return list(processor.process(iter(records), run))


def write(target, *tables, rules, mode="follow", classification="Rules"):
    """One run with the processor `tag`; the changes but those of classifications and tags."""
    settings = {"classification": classification, "mode": mode, "rules": rules}
    records = processed(TagProcessor, tables, **settings)
    own = mode == "follow"
    changes = target.write(
        *records,
        classifications=["Ours", classification] if own else ["Ours"],
        other_classifications=() if own else [classification],
    )
    return {key: change for key, change in changes.items() if key[0] == "table"}


def labels(part):
    return sorted(label["tagFQN"] for label in part.get("tags") or ())


def test_labels_come_and_go_with_the_rules(target):
    table = target.table(tags=(OURS,))
    write(target, table, rules=[GOLD, KEY])
    stored = target.stored()
    assert labels(stored) == ["Ours.one", "Rules.Gold"]
    assert labels(stored["columns"][0]) == ["Rules.Key"]
    assert write(target, table, rules=[GOLD, KEY]) == {}
    assert target.sent("PATCH", "POST") == []

    theirs = target.server.call("PUT", "/classifications", {"name": "Theirs", "description": "x"})
    assert theirs["name"] == "Theirs"
    target.server.call(
        "PUT", "/tags", {"name": "mine", "classification": "Theirs", "description": "x"}
    )
    label = {"tagFQN": "Theirs.mine", "source": "Classification", "labelType": "Manual",
             "state": "Confirmed"}  # fmt: skip
    target.edit({"op": "add", "path": "/tags/-", "value": label})
    write(target, table, rules=[])
    stored = target.stored()
    assert labels(stored) == ["Ours.one", "Theirs.mine"]
    assert labels(stored["columns"][0]) == []
    assert write(target, table, rules=[]) == {}


def test_what_a_person_set_by_hand_stays_when_the_rule_goes(target):
    table = target.table(tags=())
    write(target, table, rules=[GOLD])
    target.edit({"op": "add", "path": "/tags/0/labelType", "value": "Manual"})
    write(target, table, rules=[])
    assert labels(target.stored()) == ["Rules.Gold"]


def test_tags_that_were_not_read_stay(target):
    column = Column(name="id", data_type="LONG", tags=(OURS,))
    write(target, target.table(tags=(OURS,), columns=(column,)), rules=[])
    unread = target.table()
    write(target, unread, rules=[GOLD, KEY])
    stored = target.stored()
    assert labels(stored) == ["Ours.one", "Rules.Gold"]
    assert labels(stored["columns"][0]) == ["Ours.one", "Rules.Key"]
    assert write(target, unread, rules=[GOLD, KEY]) == {}
    write(target, unread, rules=[])
    stored = target.stored()
    assert labels(stored) == ["Ours.one"]
    assert labels(stored["columns"][0]) == ["Ours.one"]


@pytest.mark.parametrize("rules", [[], [GOLD, KEY]])
def test_tags_that_are_read_again_follow_again(target, rules):
    """A run that didn't read them leaves no hash behind that hides what a whole one finds."""
    column = Column(name="id", data_type="LONG")
    full = {"tags": (OURS,), "columns": (column.model_copy(update={"tags": (OURS,)}),)}
    write(target, target.table(**full), rules=rules)
    write(target, target.table(), rules=rules)
    empty = {"tags": (), "columns": (column.model_copy(update={"tags": ()}),)}
    write(target, target.table(**empty), rules=rules)
    stored = target.stored()
    assert labels(stored) == (["Rules.Gold"] if rules else [])
    assert labels(stored["columns"][0]) == (["Rules.Key"] if rules else [])


def test_added_labels_need_a_tag_and_stay(target):
    table = target.table(tags=())
    write(target, table, rules=[GOLD], mode="add", classification="Theirs")
    assert labels(target.stored()) == []
    assert any("is not on the server" in message for message in target.problems())
    assert target.sent("PUT").count(("PUT", "/classifications")) == 1  # Ours

    target.server.call("PUT", "/classifications", {"name": "Theirs", "description": "x"})
    target.server.call(
        "PUT", "/tags", {"name": "Gold", "classification": "Theirs", "description": "x"}
    )
    write(target, table, rules=[GOLD], mode="add", classification="Theirs")
    assert labels(target.stored()) == ["Theirs.Gold"]
    write(target, table, rules=[], mode="add", classification="Theirs")
    assert labels(target.stored()) == ["Theirs.Gold"]


def test_owners_that_were_not_read_stay(target):
    for name in ("ann", "bob"):
        target.server.call("PUT", "/users", {"name": name, "email": f"{name}@example.com"})
    rules = [{"pattern": ".*", "users": ["bob@example.com"]}]
    ann = Owner(type="user", email="ann@example.com")

    def owner(table, mode):
        target.write(*processed(OwnerProcessor, [table], mode=mode, rules=rules))
        stored = target.stored()
        owners = stored.get("owners") or [stored.get("owner")]
        return [one["name"] for one in owners if one]

    assert owner(target.table(owners=(ann,)), "empty") == ["ann"]
    assert owner(target.table(), "empty") == ["ann"]
    assert owner(target.table(owners=()), "empty") == ["bob"]
    assert owner(target.table(owners=(ann,)), "missing") == ["ann"]
    assert owner(target.table(), "missing") == ["bob"]
    assert owner(target.table(owners=(ann,)), "always") == ["bob"]


@pytest.mark.parametrize("nested", [False, True])
def test_without_a_processor_a_columns_tags_that_were_not_read_stay_too(target, nested):
    def columns(**given):
        column = Column(name="id", data_type="LONG", **given)
        if nested:
            column = Column(name="all", data_type="STRUCT", children=(column,))
        return (column,)

    def found():
        column = target.stored()["columns"][0]
        return labels(column["children"][0] if nested else column)

    target.write(target.table(columns=columns(tags=(OURS,))), classifications=["Ours"])
    assert found() == ["Ours.one"]
    target.write(target.table(columns=columns()), classifications=["Ours"])
    assert found() == ["Ours.one"]
    target.write(target.table(columns=columns(tags=())), classifications=["Ours"])
    assert found() == []
