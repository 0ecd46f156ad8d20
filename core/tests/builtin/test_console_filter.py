from __future__ import annotations

import io
import sys

import pytest

from metaglean import Classification, Lineage, Owner, Profile, Ref, Tag, TagLabel
from metaglean.builtin.console import ConsoleSink
from metaglean.builtin.filter import FilterProcessor


def shown(records, run):
    sink = ConsoleSink(ConsoleSink.Config())
    list(sink.open(run))
    changes = list(sink.write(iter(records), run))
    sink.close("success")
    return changes


def test_one_line_a_record(capsys, make_run, table, parents):
    t = table(
        "a.b\n\x1b[31m",
        "x",
        "y",
        owners=(Owner(type="user", email="ann@example.com"),),
        tags=(TagLabel(classification="DomoTags", name="red"),),
    )
    changes = shown([*parents, t, Lineage(ref=t.ref, target=t.ref)], make_run())
    assert {change.action for change in changes} == {"created"}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["databaseService", "domo"]
    assert "2 columns  owners: ann@example.com  tags: DomoTags.red" in lines[3]
    assert "\x1b" not in lines[3]
    assert lines[4].startswith("lineage ")


def test_an_ascii_terminal_gets_escapes(monkeypatch, make_run, table):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    run = make_run()
    shown([table("Übersicht")], run)
    out.flush()
    assert b"\\xdcbersicht" in out.buffer.getvalue()
    assert not run.report.problems.count


def filtered(records, run, **config):
    processor = FilterProcessor(FilterProcessor.Config(**config))
    return [record.ref.name for record in processor.process(iter(records), run)]


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, ["domo", "default", "default", "a", "ab", "b"]),
        ({"includes": [".*[.]a"]}, ["domo", "default", "default", "a", "ab"]),
        ({"includes": [".*[.]a$"]}, ["domo", "default", "default", "a"]),
        ({"excludes": [".*[.]A"]}, ["domo", "default", "default", "b"]),
        ({"excludes": ["domo[.]default[.]default$"]}, ["domo", "default"]),
        ({"kinds": ["databaseSchema"], "excludes": [".*"]}, ["domo", "default"]),
        ({"kinds": ["databaseSchema"], "includes": ["x"]}, ["domo", "default"]),
        (
            {"kinds": ["lineage"], "excludes": [".*"]},
            ["domo", "default", "default", "a", "ab", "b"],
        ),
    ],
)
def test_what_passes(make_run, table, parents, config, names):
    records = [*parents, table("a"), table("ab"), table("b")]
    run = make_run()
    assert filtered(records, run, **config) == names
    assert run.report.number("sink", what="filtered") == len(records) - len(names)


def test_what_belongs_to_a_dropped_table_goes_with_it(make_run, table):
    a, b = table("a"), table("b")
    records = [
        Lineage(ref=a.ref, target=b.ref),
        Lineage(ref=b.ref, target=a.ref),
        Lineage(ref=b.ref, target=b.ref),
        Profile(ref=a.ref, timestamp=1),
    ]
    assert filtered(records, make_run(), excludes=[".*[.]a$"]) == ["b"]
    assert filtered(records, make_run(), kinds=["lineage"], excludes=[".*"]) == ["a"]


def test_tags_go_with_their_classification(make_run):
    classification = Ref("classification", ("DomoTags",))
    records = [Classification(ref=classification), Tag(ref=classification.child("tag", "red"))]
    assert filtered(records, make_run(), excludes=["DomoTags$"]) == []


def test_a_wrong_kind_and_a_wrong_pattern_are_errors():
    with pytest.raises(ValueError, match="none of"):
        FilterProcessor.Config(kinds=["tables"])
    with pytest.raises(Exception, match="not a regular expression"):
        FilterProcessor(FilterProcessor.Config(includes=["("]))
