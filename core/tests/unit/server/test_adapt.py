"""What a server turns out not to know, from its own words, cut as `metaglean.http` cuts them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from metaglean.builtin.server.adapt import Adaptation
from metaglean.builtin.server.words import LATER, STAND_INS, Words
from metaglean.errors import AccessDenied, ItemError
from metaglean.http import Response
from metaglean.http.messages import failure
from metaglean.redaction import Redactor

SCHEMA = "org.openmetadata.schema"
KNOWN = ", ".join(f'"key{number}"' for number in range(40))


def answered(said, status=400):
    """The error that a session makes of a server's answer."""
    body = json.dumps({"code": status, "message": said}).encode()
    response = Response(status, {}, body, method="PUT", path="/tables", where="OpenMetadata: PUT")
    error = failure(response, None, Redactor())
    assert isinstance(error, ItemError)
    return error


def unrecognized(key, model):
    return answered(
        f'Unrecognized field "{key}" (class {SCHEMA}.{model}), not marked as ignorable '
        f"(40 known properties: {KNOWN}])\n at [Source: (String)"
    )


def no_instance(name, word):
    return answered(
        f"Cannot construct instance of `{SCHEMA}.{name}`, problem: {word}\n at [Source: "
        f"(org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream);"
        f" line: 1, column: 90] (through reference chain: {SCHEMA}.api.data.CreateTable[columns])"
    )


@pytest.fixture
def make(stand_in, run):
    def adaptation(version=(1, 2, 0)):
        server = stand_in(version)
        return Adaptation(server, run, Words(version)), server

    return adaptation


def warnings(run):
    return [group.message for group in run.report.warnings]


# -- fields ----------------------------------------------------------------------------------------


def test_the_words_are_cut():
    """Else these tests would prove nothing: a session keeps 200 characters of an answer."""
    assert len(unrecognized("sourceHash", "api.data.CreateTable").message) < 300


def test_an_unknown_field_is_left_out_and_told_once(make, run):
    adaptation, _ = make()
    error = unrecognized("sourceUrl", "api.data.CreateTable")
    assert adaptation.learnt(error)
    assert adaptation.learnt(error), "another worker learns it at the same moment"
    assert adaptation.pruned({"name": "t", "sourceUrl": "x"}) == {"name": "t"}
    assert len(warnings(run)) == 1
    assert "sourceUrl" in warnings(run)[0]


@pytest.mark.parametrize("key", ["owners", "schemaDefinition", "sourceHash", "lifeCycle"])
def test_a_field_of_a_newer_form_goes_back_to_the_older(make, run, key):
    adaptation, server = make((1, 6, 0))
    assert server.features.has(key)
    assert adaptation.learnt(unrecognized(key, "api.data.CreateTable"))
    assert not server.features.has(key)
    assert adaptation.learnt(unrecognized(key, "api.data.CreatePipeline"))
    assert len(warnings(run)) == 1


def test_a_field_of_a_part_is_left_out_of_the_parts_alone(make):
    adaptation, _ = make()
    assert adaptation.learnt(unrecognized("displayName", "type.Column"))
    body = {"displayName": "t", "columns": [{"name": "a", "displayName": "A", "children": [
        {"name": "b", "displayName": "B"}]}]}  # fmt: skip
    assert adaptation.pruned(body) == {
        "displayName": "t",
        "columns": [{"name": "a", "children": [{"name": "b"}]}],
    }
    operations = [
        {"op": "add", "path": "/displayName", "value": "T"},
        {"op": "add", "path": "/columns/0/displayName", "value": "A"},
        {"op": "add", "path": "/columns", "value": body["columns"]},
        {"op": "remove", "path": "/columns/1/displayName"},
    ]
    assert adaptation.operations(operations) == [
        operations[0],
        {**operations[2], "value": [{"name": "a", "children": [{"name": "b"}]}]},
    ]


def test_a_part_loses_only_what_its_own_class_lacks(make):
    """A key that labels lack may be one that columns can't be without."""
    adaptation, _ = make()
    assert adaptation.learnt(unrecognized("displayName", "type.TagLabel"))
    label = {"tagFQN": "a.b", "displayName": "B"}
    column = {"name": "c", "displayName": "C", "tags": [label]}
    body = {"displayName": "t", "columns": [{**column, "children": [column]}], "tags": [label]}
    bare = {**column, "tags": [{"tagFQN": "a.b"}]}
    assert adaptation.pruned(body) == {
        "displayName": "t",
        "columns": [{**bare, "children": [bare]}],
        "tags": [{"tagFQN": "a.b"}],
    }
    operations = [
        {"op": "add", "path": path, "value": value}
        for path, value in (
            ("/columns/0/displayName", "C"),
            ("/columns/0/tags", [label]),
            ("/tags/-", label),
            ("/tags/0/displayName", "B"),
            ("/columns/0/tags/1/displayName", "B"),
            ("/columns/0/children/1/displayName", "B"),
        )
    ]
    found = {one["path"]: one["value"] for one in adaptation.operations(operations)}
    assert found == {
        "/columns/0/displayName": "C",
        "/columns/0/tags": [{"tagFQN": "a.b"}],
        "/tags/-": {"tagFQN": "a.b"},
        "/columns/0/children/1/displayName": "B",
    }


@pytest.mark.parametrize(
    ("key", "model"),
    [("name", "type.TagLabel"), ("name", "api.data.CreateTable"), ("timestamp", "type.LifeCycle")],
)
def test_what_cant_be_left_out_is_an_error(make, key, model):
    adaptation, _ = make()
    assert not adaptation.learnt(unrecognized(key, model))
    body = {"name": "t", "timestamp": 1, "columns": [{"name": "c"}]}
    assert adaptation.pruned(body) == body


def test_operations_on_unknown_fields_are_left_out(make):
    adaptation, _ = make()
    adaptation.learnt(unrecognized("sourceUrl", "entity.data.Table"))
    kept = {"op": "remove", "path": "/tags/0"}
    operations = [{"op": "add", "path": "/sourceUrl", "value": "x"}, kept]
    assert adaptation.operations(operations) == [kept]


@pytest.mark.parametrize(
    "error",
    [
        answered("[name size must be between 1 and 256]"),
        answered("Invalid column name"),
        answered("Cannot construct instance of `x.y.Unheard`, problem: WORD"),
        unrecognized("x", "api.data.CreateTable").__class__("Unrecognized", status=500),
    ],
    ids=lambda error: error.message[:60],
)
def test_other_errors_teach_nothing(make, run, error):
    adaptation, _ = make()
    assert not adaptation.learnt(error)
    assert not warnings(run)


def test_learning_from_many_threads_warns_once(make, run):
    adaptation, _ = make()
    errors = [
        error
        for _ in range(50)
        for error in (
            unrecognized("sourceUrl", "api.data.CreateTable"),
            no_instance("type.ColumnDataType", "GEO"),
            unrecognized("ordinalPosition", "type.Column"),
        )
    ]
    body = {"sourceUrl": "x", "columns": [{"name": "a", "ordinalPosition": 1}]}
    with ThreadPoolExecutor(8) as pool:
        learnt = [pool.submit(adaptation.learnt, error) for error in errors]
        pruned = [pool.submit(adaptation.pruned, body) for _ in errors]
        assert all(one.result() for one in learnt)
        assert all(one.result()["columns"][0]["name"] == "a" for one in pruned)
    assert len(warnings(run)) == 3
    assert adaptation.pruned(body) == {"columns": [{"name": "a"}]}


# -- policies --------------------------------------------------------------------------------------

NAMED = [{"op": "add", "path": "/displayName", "value": "T"}]
DENIED = AccessDenied(
    "OpenMetadata: PATCH answered 403 (Forbidden): Principal: CatalogPrincipal{name='bot'}"
    " operation EditDisplayName denied by role DataConsumer, policy DefaultBotPolicy, rule"
    " DisplayName-Deny",
    status=403,
)


def test_a_denied_display_name_is_left_out(make, run):
    adaptation, _ = make((1, 9, 0))
    assert adaptation.denied(DENIED, NAMED)
    assert adaptation.denied(DENIED, NAMED)
    assert adaptation.fields_denied == {"displayName"}
    assert adaptation.operations(NAMED) == []
    assert len(warnings(run)) == 1


def test_another_denial_is_no_matter_of_the_display_name(make):
    adaptation, _ = make((1, 9, 0))
    other = AccessDenied("operation EditTags denied by role X", status=403)
    assert not adaptation.denied(other, NAMED)
    assert not adaptation.denied(DENIED, [{"op": "add", "path": "/description", "value": "x"}])


# -- closed lists ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "word", "other"),
    [
        ("type.ColumnDataType", "dataType", "HLLX", "UNKNOWN"),
        ("type.ColumnDataType", "dataType", "MEASURE ODD", "UNKNOWN"),
        ("type.TableType", "tableType", "Odd", "Regular"),
        ("type.StatusType", "executionStatus", "Odd", "Pending"),
        ("type.LineageDetails$Source", "lineageSource", "Odd", "QueryLineage"),
        ("type.TableConstraint$ConstraintType", "constraintType", "ODD_KEY", "SORT_KEY"),
    ],
)
def test_an_unknown_word_gets_its_stand_in(make, run, name, words, word, other):
    adaptation, _ = make()
    assert adaptation.words.known(words, word) == word
    assert adaptation.learnt(no_instance(name, word))
    assert adaptation.words.known(words, word) == other
    assert adaptation.learnt(no_instance(name, word))
    (message,) = warnings(run)
    assert word in message
    assert other in message


def test_stand_ins_at_every_level():
    words = Words((1, 2, 0))
    found = words.replaced(
        {
            "tableType": "Stream",
            "description": "HLL",
            "columns": [
                {"name": "HLL", "dataType": "HLL", "children": [{"name": "c", "dataType": "UINT"}]},
                {"name": "d", "dataType": "ARRAY", "arrayDataType": "MONEY"},
                {"name": "e", "dataType": "LONG"},
            ],
            "tableConstraints": [{"constraintType": "CLUSTER_KEY", "columns": ["e"]}],
            "tags": [{"tagFQN": "HLL"}],
        }
    )
    assert found == {
        "tableType": "Regular",
        "description": "HLL",
        "columns": [
            {
                "name": "HLL",
                "dataType": "UNKNOWN",
                "children": [{"name": "c", "dataType": "UNKNOWN"}],
            },
            {"name": "d", "dataType": "ARRAY", "arrayDataType": "UNKNOWN"},
            {"name": "e", "dataType": "LONG"},
        ],
        "tableConstraints": [{"constraintType": "SORT_KEY", "columns": ["e"]}],
        "tags": [{"tagFQN": "HLL"}],
    }


@pytest.mark.parametrize("words", LATER)
def test_each_word_from_its_version_on(words):
    for word, first in LATER[words].items():
        stand_in = STAND_INS[words].get(word, STAND_INS[words][""])
        before = (first[0], first[1] - 1, 9) if first[1] else (1, 99, 0)
        assert Words(before).known(words, word) == stand_in
        assert Words((*first, 0)).known(words, word) == word
    for stand_in in STAND_INS[words].values():
        assert Words((1, 1, 0)).known(words, stand_in) == stand_in, "a stand-in is old itself"
