"""A stand-in for `Server`: answers from a table, and remembers what it was asked."""

from __future__ import annotations

import copy

import pytest

from metaglean.builtin.server.client import Answer, Server
from metaglean.builtin.server.features import Features
from metaglean.errors import ItemError, NotFound
from metaglean.records import Ref
from metaglean.run import Run


class StandIn(Server):
    """`answers` maps "VERB path" to a body, to an error to raise, to a function of the body or
    query that gives either, or to a list of them, used up one by one. All else is not there."""

    def __init__(self, version=(1, 2, 0), answers=None):
        super().__init__(session=None, features=Features(version))
        self.answers = answers or {}
        self.calls = []

    def get(self, path, **params):
        return self._answer("GET", path, {k: v for k, v in params.items() if v is not None})

    def put(self, path, body, **params):
        return Answer(200, self._answer("PUT", path, body))

    def sent(self, path):
        """The bodies that were put there."""
        return [body for verb, where, body in self.calls if (verb, where) == ("PUT", path)]

    def asked(self, path):
        """The queries with which it was read."""
        return [query for verb, where, query in self.calls if (verb, where) == ("GET", path)]

    def _answer(self, verb, path, given):
        self.calls.append((verb, path, copy.deepcopy(given)))
        answer = self.answers.get(f"{verb} {path}", NotFound(f"{path} instance not found"))
        if isinstance(answer, list):
            answer = answer.pop(0)
        if callable(answer):
            answer = answer(given)
        if isinstance(answer, Exception):
            if isinstance(answer, NotFound) and answer.status is None:
                answer.status = 404
            raise answer
        return copy.deepcopy(answer)


def refused(message, status=400):
    return ItemError(f"OpenMetadata: PUT answered {status}: {message}", status=status)


@pytest.fixture
def stand_in():
    return StandIn


@pytest.fixture
def refusal():
    """The error of a body that a server refuses."""
    return refused


@pytest.fixture
def no_such_path():
    """How 1.2 says that it lacks a path or verb."""
    return NotFound("An exception with message [HTTP 404 Not Found] was thrown", status=500)


@pytest.fixture
def run():
    return Run(Ref("databaseService", ("s",))).at("sink")


@pytest.fixture
def dry_run():
    return Run(Ref("databaseService", ("s",)), dry_run=True).at("sink")


def _at(document, path):
    """The container of a JSON pointer's end, and its last step (an int in a list)."""
    *steps, last = [one.replace("~1", "/").replace("~0", "~") for one in path.split("/")[1:]]
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    if not isinstance(document, list):
        return document, last
    at = len(document) if last == "-" else int(last)
    assert 0 <= at <= len(document), f"no place {path}"
    return document, at


def apply_patch(document, operations):
    """RFC 6902, the operations `add`, `remove`, `test`; a KeyError or an AssertionError where a
    server would refuse."""
    document = copy.deepcopy(document)
    for one in operations:
        place, last = _at(document, one["path"])
        if one["op"] == "test":
            assert place[last] == one["value"], "test fails"
        elif one["op"] == "remove":
            del place[last]
        else:
            assert one["op"] == "add"
            value = copy.deepcopy(one["value"])
            if isinstance(place, list):
                place.insert(last, value)
            else:
                place[last] = value
    return document


@pytest.fixture(scope="session")
def patched():
    """The document after a JSON patch."""
    return apply_patch
