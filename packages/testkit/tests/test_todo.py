"""What is still to be written, as the tests of a new plugin say it."""

from __future__ import annotations

import pytest

from metaglean_testkit.todo import shorten, things_to_do


def failed(longrepr, *sections):
    return pytest.TestReport("t", ("t", 0, "t"), {}, "failed", longrepr, "call", sections)


ERROR = "NotImplementedError: TODO api.py: list the tables"


@pytest.mark.parametrize(
    "report",
    [
        failed(f"    raise\nE   {ERROR}\n\napi.py:3"),
        failed("E   assert 3 == 0", ("log", f"listing tables failed: {ERROR}")),
        failed(f'E   {{"error": "listing tables failed: {ERROR}", "exit_code": 1}}'),
        failed(f"listing tables failed: {ERROR} [faults.default]"),
    ],
    ids=["raised", "logged", "reported", "isolated"],
)
def test_a_thing_to_do_is_said_alone_wherever_it_comes_up(report):
    shorten(report)
    assert report.longrepr == "TODO api.py: list the tables"
    assert report.sections == []


@pytest.mark.parametrize("text", ["NotImplementedError", "E  assert 'TODO x' == 1", "TODO: later"])
def test_other_failures_stay_as_they_are(text):
    report = failed(text, ("log", "TODO api.py: list the tables"))
    shorten(report)
    assert (report.longrepr, len(report.sections)) == (text, 1)


def test_each_thing_is_said_once():
    texts = ("TODO b.py: x", "assert 0", "TODO a.py: y", "TODO a.py: y")
    found = things_to_do([failed(text) for text in texts])
    assert found == ["TODO a.py: y: 2 failed", "TODO b.py: x: 1 failed"]
