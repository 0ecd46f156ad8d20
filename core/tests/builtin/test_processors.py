"""Processors `tag`, `owner`, `describe`, `drop-columns`, and what the catalog makes of it."""

from __future__ import annotations

import json

import pytest

from metaglean import (
    Classification,
    Column,
    ColumnLineage,
    ColumnProfile,
    ConfigError,
    Lineage,
    Owner,
    Profile,
    Ref,
    Source,
    Table,
    TableConstraint,
    Tag,
    TagLabel,
)
from metaglean.builtin.describe import DescribeProcessor
from metaglean.builtin.drop_columns import DropColumnsProcessor
from metaglean.builtin.owner import OwnerProcessor
from metaglean.builtin.tag import TagProcessor
from metaglean.config import parse_workflow
from metaglean_testkit import Classes

OURS = TagLabel(classification="Ours", name="one")
NESTED = Column(
    name="address",
    data_type="STRUCT",
    children=(Column(name="street", data_type="STRING"), Column(name="city", data_type="STRING")),
)


@pytest.fixture
def processed(make_run):
    """The records of a processor, and its run."""

    def process(cls, records, **settings):
        run = make_run()
        processor = cls(cls.Config.model_validate(settings))
        return list(processor.process(iter(records), run)), run

    return process


def warnings(run):
    return [group.message for group in run.report.warnings]


# -- tag ------------------------------------------------------------------------------------------


def names(part):
    return [f"{label.classification}.{label.name}" for label in part.tags]


def tagged(processed, records, *rules, mode="follow"):
    return processed(TagProcessor, records, classification="Rules", mode=mode, rules=rules)[0]


def test_the_classification_and_tags_come_before_what_has_them(processed, table, parents):
    records = [*parents, table("a", tags=()), table("b", tags=())]
    rule = {"pattern": r".*\.(b)$", "tag": r"Of \1"}
    found = tagged(processed, records, rule, {"pattern": ".*", "kinds": ["table"], "tag": "T"})
    added = [(type(record), record.ref.path[-1]) for record in found[len(parents) :]]
    assert added == [
        (Classification, "Rules"), (Tag, "T"), (Table, "a"), (Tag, "Of b"), (Table, "b")
    ]  # fmt: skip
    assert names(found[-1]) == ["Rules.Of b", "Rules.T"]


def test_services_and_labels_are_not_tagged_unless_they_are_named(processed, parents):
    label = Classification(ref=Ref("classification", ("Ours",)), tags=())
    records = [*parents, label]
    found = tagged(processed, records, {"pattern": ".*", "tag": "x"})
    assert [r.ref.kind for r in found if r.tags] == ["database", "databaseSchema"]
    found = tagged(processed, records, {"pattern": ".*", "tag": "x", "kinds": ["databaseService"]})
    assert [r.ref.kind for r in found if r.tags] == ["databaseService"]


@pytest.mark.parametrize(
    ("tags", "mode", "expected", "of"),
    [
        ((OURS,), "follow", ["Ours.one", "Rules.x"], None),
        (None, "follow", ["Rules.x"], ("Rules",)),
        (None, "add", ["Rules.x"], ()),
    ],
)
def test_only_the_own_classification_counts_as_read(processed, table, tags, mode, expected, of):
    given = {} if tags is None else {"tags": tags}
    rule = {"pattern": ".*", "tag": "x"}
    found = tagged(processed, [table("a", **given)], rule, mode=mode)[-1]
    assert (names(found), found.tags_of) == (expected, of)


def test_two_of_them_go_together(processed, table):
    first = tagged(processed, [table("a")], {"pattern": ".*", "tag": "x"})[-1]
    rules = [{"pattern": ".*", "tag": "y"}]
    (*_, second), _ = processed(TagProcessor, [first], classification="More", rules=rules)
    assert (names(second), second.tags_of) == (["Rules.x", "More.y"], ("Rules", "More"))


def test_nested_columns_have_their_labels(processed, table):
    rule = {"pattern": ".*", "columns": r"address\.(street)$", "tag": r"\1"}
    found = tagged(processed, [table("a", columns=(NESTED,), tags=())], rule)[-1]
    assert names(found.columns[0]) == []
    assert [names(one) for one in found.columns[0].children] == [["Rules.street"], []]


@pytest.fixture
def state(query):
    def look(name):
        [(text,)] = query("SELECT state FROM entities WHERE name = ?", name)
        return json.loads(text)

    return look


def stored_labels(part):
    return sorted(f"{one['classification']}.{one['name']}" for one in part.get("tags") or ())


def test_in_the_catalog_labels_follow_the_rules(processed, table, parents, write, state):
    rules = [{"pattern": ".*", "tag": "x"}, {"pattern": ".*", "columns": "id", "tag": "Key"}]
    read = table("a", columns=(Column(name="id", tags=(OURS,)), NESTED), tags=(OURS,))
    unread = table("a", columns=(Column(name="id"), NESTED))
    expected = {True: (["Ours.one", "Rules.x"], ["Ours.one", "Rules.Key"]),
                False: (["Ours.one"], ["Ours.one"])}  # fmt: skip
    for record, on in ((read, True), (unread, True), (unread, False), (unread, True),
                       (read, False), (read, True)):  # fmt: skip
        records = [*parents, *tagged(processed, [record], *(rules if on else ()))]
        write(records)
        stored = state("a")
        found = stored_labels(stored), stored_labels(stored["columns"][0])
        assert found == expected[on], (record is read, on)
        assert "tags_of" not in json.dumps(stored)
        assert {change.action for change in write(records)} == {"unchanged"}


# -- owner ----------------------------------------------------------------------------------------

ANN, BOB = (Owner(type="user", email=f"{name}@example.com") for name in ("ann", "bob"))
BOBS = {"pattern": ".*", "users": ["bob@example.com"]}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("empty", [(), (BOB,), (ANN,)]), ("missing", [(BOB,), (BOB,), (ANN,)]),
     ("always", [(BOB,), (BOB,), (BOB,)])],
)  # fmt: skip
def test_owners_are_set_where_there_are_none(processed, table, mode, expected):
    records = [table("a"), table("b", owners=()), table("c", owners=(ANN,))]
    found, run = processed(OwnerProcessor, records, mode=mode, rules=[BOBS])
    assert [record.owners for record in found] == expected
    assert ("owners" in found[0].model_fields_set) is (mode != "empty")
    told = [text for text in warnings(run) if "whose owners the source did not read" in text]
    assert len(told) == (mode == "empty")


def test_the_first_rule_decides(processed, table):
    rules = [{"pattern": r".*\.b$", "teams": ["Data", "More"]}, BOBS]
    records = [table("a", owners=()), table("b", owners=())]
    found, _ = processed(OwnerProcessor, records, rules=rules)
    teams = tuple(Owner(type="team", name=name) for name in ("Data", "More"))
    assert [record.owners for record in found] == [(BOB,), teams]


# -- describe -------------------------------------------------------------------------------------


def test_descriptions_with_groups(processed, table):
    rules = [
        {"pattern": r".*\.(a)$", "description": r"Table \1."},
        {"pattern": ".*", "description": "All."},
        {"pattern": ".*", "columns": r"address\.(.*)", "description": r"The \1."},
    ]
    columns = (NESTED, Column(name="x", description="theirs"))
    records = [table("a", description=None, columns=columns), table("b", description="theirs"),
               table("c")]  # fmt: skip
    (a, b, c), run = processed(DescribeProcessor, records, mode="missing", rules=rules)
    assert (a.description, b.description, c.description) == ("Table a.", "theirs", "All.")
    assert [one.description for one in a.columns] == [None, "theirs"]
    assert [one.description for one in a.columns[0].children] == ["The street.", "The city."]
    assert warnings(run) == []
    (a, b, c), run = processed(DescribeProcessor, records, rules=rules)
    assert (a.description, c.description) == ("Table a.", None)
    assert a.columns[0].children[0].description is None
    assert warnings(run) == [
        (
            "rules for descriptions are for 2 (column), 1 (table) whose descriptions the source "
            "did not read: left as they are"
        )
    ]
    (a, b, c), _ = processed(DescribeProcessor, records, mode="always", rules=rules)
    assert b.description == "All."


FILES = {
    "d.csv": 'name,column,description\ndomo.default.default.a,,"One, two"\n'
    'domo.default.default.a,address.street,Where\n\n"domo.default.default.""b.c""",,Dots\n'
    "domo.default.default.z,,Nowhere\n",
    "d.yaml": "domo.default.default.a:\n  description: One, two\n  columns:\n"
    "    address.street: Where\n'domo.default.default.\"b.c\"': Dots\n"
    "domo.default.default.z: Nowhere\n",
}


@pytest.mark.parametrize("name", FILES)
def test_descriptions_from_a_file(processed, table, tmp_path, name):
    (tmp_path / name).write_text(FILES[name], "utf-8")
    records = [table("a", columns=(NESTED,)), table("b.c"), table("d", description=None)]
    (a, b, d), run = processed(
        DescribeProcessor, records, mode="missing", file=str(tmp_path / name),
        rules=[{"pattern": ".*", "description": "By rule."}],
    )  # fmt: skip
    assert (a.description, b.description, d.description) == ("One, two", "Dots", "By rule.")
    assert a.columns[0].children[0].description == "Where"
    assert warnings(run) == [
        f"{tmp_path / name}: 1 names were not met, for example 'domo.default.default.z'"
    ]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x.csv", "table,text\n", ":1: expected the columns name, column, description"),
        ("x.csv", "name,description\na.b,c,d\n", ":2: 3 values, but 2 columns"),
        ("x.csv", "name,description\na..b,c\n", ":2: 'a..b' is no qualified name"),
        ("x.csv", "name,description\na.b,c\na.b,d\n", ":3: a.b is described twice"),
        ("x.csv", 'name,description\n"a"b,c\n', ":2: "),
        ("x.yaml", "a: [", ":1: "),
        ("x.yaml", "- a\n", "expected a block of qualified names"),
        ("x.yaml", "a.b: 1\n", "a.b: expected a text, or a block"),
        ("x.yaml", "a.b: {description: 1}\n", "a.b: expected a text; put it in quotes"),
        ("x.yaml", "a.b: {columns: [x]}\n", "a.b: expected a block of columns"),
        ("gone.csv", None, "No such file"),
    ],
)
def test_a_file_that_is_none_is_an_error(tmp_path, name, text, expected):
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ValueError, match="validation error") as caught:
        DescribeProcessor.Config(file=str(tmp_path / name))
    assert expected in str(caught.value)


# -- drop-columns ---------------------------------------------------------------------------------


def test_dropped_columns_leave_nothing_that_names_them(processed, table):
    a, b = table("a").ref, table("b").ref
    constraints = (
        TableConstraint(constraint_type="PRIMARY_KEY", columns=("id",)),
        TableConstraint(constraint_type="UNIQUE", columns=("id", "ssn")),
        TableConstraint(
            constraint_type="FOREIGN_KEY", columns=("id",), referred_columns=((*b.path, "ssn"),)
        ),
        TableConstraint(
            constraint_type="FOREIGN_KEY", columns=("id",), referred_columns=((*b.path, "id"),)
        ),
    )
    columns = (Column(name="id"), Column(name="SSN"), Column(name="ssn"), NESTED)
    edge = Lineage(
        ref=a,
        target=b,
        columns_lineage=(
            ColumnLineage(from_columns=((a, "id"), (a, "ssn")), to_column="id"),
            ColumnLineage(from_columns=((a, "ssn"),), to_column="id"),
            ColumnLineage(from_columns=((a, "id"),), to_column="ssn"),
        ),
    )
    profile = Profile(ref=a, timestamp=1, columns=(ColumnProfile(name="id"),
                                                   ColumnProfile(name="ssn")))  # fmt: skip
    records = [table("a", columns=columns, table_constraints=constraints), edge, profile]
    rules = [{"columns": r"ssn$"}, {"columns": r"address\.street"}]
    (t, e, p), run = processed(DropColumnsProcessor, records, rules=rules)
    assert [column.name for column in t.columns] == ["id", "address"]
    assert [column.name for column in t.columns[1].children] == ["city"]
    assert t.table_constraints == (constraints[0], constraints[3])
    assert e.columns_lineage == (ColumnLineage(from_columns=((a, "id"),), to_column="id"),)
    assert [one.name for one in p.columns] == ["id"]
    assert run.report.number("sink", "column", "dropped") == 3


def test_a_dropped_struct_takes_its_parts_along(processed, table):
    a = table("a").ref
    edge = Lineage(ref=a, target=a, columns_lineage=(
        ColumnLineage(from_columns=((a, "address.city"),), to_column="id"),))  # fmt: skip
    records = [table("a", columns=(Column(name="id"), NESTED)), edge]
    (t, e), run = processed(DropColumnsProcessor, records, rules=[{"columns": "address$"}])
    assert [column.name for column in t.columns] == ["id"]
    assert e.columns_lineage == ()
    assert run.report.number("sink", "column", "dropped") == 3


def test_a_table_does_not_lose_all_columns_unseen(processed, table, parents, write, state):
    whole = table("a", "id", "name", table_constraints=(
        TableConstraint(constraint_type="PRIMARY_KEY", columns=("id",)),))  # fmt: skip
    write([*parents, whole])
    (found,), run = processed(DropColumnsProcessor, [whole], rules=[{"columns": ".*"}])
    assert not {"columns", "table_constraints"} & found.model_fields_set
    assert [group.message for group in run.report.problems] == [
        "all its 2 columns are to be dropped: none is written, and what stands stays as it is"
    ]
    write([*parents, found])
    assert [column["name"] for column in state("a")["columns"]] == ["id", "name"]


def test_rules_are_for_some_tables(processed, table):
    rules = [{"columns": "x", "pattern": r".*\.a$"}]
    records = [table("a", "x", "y"), table("b", "x", "y"), table("c")]
    found, _ = processed(DropColumnsProcessor, records, rules=rules)
    assert [[column.name for column in one.columns] for one in found] == [["y"], ["x", "y"], []]
    assert "columns" not in found[2].model_fields_set


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "rule", "expected"),
    [
        (TagProcessor, {"pattern": "(", "tag": "x"}, "'(' is not a regular expression"),
        (TagProcessor, {"pattern": "x", "tag": r"\1"}, "invalid group reference 1"),
        (TagProcessor, {"pattern": "x", "columns": "(", "tag": "x"}, "not a regular expression"),
        (TagProcessor, {"pattern": "(x)", "columns": "y", "tag": r"\1"}, "invalid group"),
        (TagProcessor, {"pattern": "x", "tag": r"\g<a>"}, "unknown group name"),
        (TagProcessor, {"pattern": "x", "tag": "x", "kinds": ["tables"]}, "'tables' is none of"),
        (OwnerProcessor, {"pattern": "x"}, "names users, teams or both"),
        (OwnerProcessor, {"pattern": "x", "users": ["Ann"]}, "'Ann' is no e-mail address"),
        (DescribeProcessor, {"pattern": "x", "description": ""}, "at least 1 character"),
        (DropColumnsProcessor, {"columns": "["}, "not a regular expression"),
    ],
)
def test_wrong_rules_are_errors(cls, rule, expected):
    settings = {"rules": [rule]} | ({"classification": "C"} if cls is TagProcessor else {})
    with pytest.raises(ValueError, match="validation error") as caught:
        cls.Config.model_validate(settings)
    assert expected in str(caught.value)


class Labelling(Source):
    type = "labelling"
    classifications = ("Ours",)

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        return iter(())


def resolved(*processors):
    source = {"type": "labelling", "serviceName": "s", "serviceConnection": {"config": {}}}
    return parse_workflow({"source": source, "processors": list(processors)}, Classes(Labelling))


def test_the_sources_own_classification_is_not_the_processors():
    tag = {"type": "tag", "config": {"classification": "Ours"}}
    with pytest.raises(ConfigError) as caught:
        resolved({"type": "filter"}, tag)
    assert str(caught.value).splitlines() == [
        "processors[1].config: the classification Ours is the source's own",
        "    expected another one for the processor tag, or `mode: add`",
    ]
    tag["config"]["mode"] = "add"
    config = resolved(tag, {"type": "tag", "config": {"classification": "Rules"}})
    assert config.classifications == ("Ours", "Rules")
    assert config.other_classifications == ("Ours",)


def test_a_wrong_expression_is_found_before_the_run():
    broken = {"type": "filter", "config": {"excludes": ["ok", "("]}}
    with pytest.raises(ConfigError, match="not a regular expression"):
        resolved(broken)
