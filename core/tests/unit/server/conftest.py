"""A stand-in for `Server`: answers from a table, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import copy

import pytest

from metaglean.builtin.server.client import Answer, Server
from metaglean.builtin.server.config import ServerConfig
from metaglean.builtin.server.features import Features
from metaglean.builtin.server.sink import MetadataRestSink
from metaglean.errors import ItemError, NotFound
from metaglean.records import Classification, Column, Database, Ref, Schema, Service, Table, Tag
from metaglean.run import Run
from metaglean_testkit import VirtualClock
from metaglean_testkit.openmetadata import FakeServer


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


class OfServer:
    """The sink with a fake server: each `write` is a run of its own, on a virtual clock."""

    service = Ref("databaseService", ("s",))
    service_type = "CustomDatabase"
    schema = Ref("databaseSchema", ("s", "d", "x"))

    def __init__(self, server):
        self.server = server
        self.run = None

    def base(self):
        database = self.schema.parent
        return [
            Service(ref=self.service, service_type=self.service_type),
            Classification(ref=Ref("classification", ("Ours",))),
            Tag(ref=Ref("tag", ("Ours", "one"))),
            Database(ref=database),
            Schema(ref=self.schema),
        ]

    def table(self, name="t", **fields):
        fields.setdefault("columns", (Column(name="id", data_type="LONG"),))
        fields.setdefault("source_url", f"https://source.example/{name}")
        return Table(ref=self.schema.child("table", name), **fields)

    def write(self, *records, between=None, token=None, workers=1, **options):
        """The changes of what isn't unchanged: (kind, name) → change. `between` is called once it
        is known what stands; `workers` is 1 so that faults meet the calls in their order."""
        sink = MetadataRestSink(MetadataRestSink.Config())
        settings = {
            "hostPort": self.server.url,
            "authProvider": "openmetadata",
            "securityConfig": {"jwtToken": token or self.server.token},
        }
        self.run = Run(
            self.service, clock=VirtualClock(), sink=sink, workers=workers,
            server=ServerConfig.model_validate(settings), **options,
        ).at("sink")  # fmt: skip
        assert all(step.ok for step in sink.open(self.run) if step.required)
        self.run.names = sink.names
        self.run.stands("table", self.schema)
        if between:
            between()
        self.server.forget()
        try:
            changes = list(sink.write(iter([*self.base(), *records]), self.run))
        finally:
            sink.close("success")
            self.run.close()
        return {(c.ref.kind, c.ref.name): c for c in changes if c.action != "unchanged"}

    def stored(self, name="t", collection="tables"):
        """A table as a person sees it, with all its fields."""
        owner = self.server.app.world.owner_key
        definition = self.server.app.world.definition_key
        fields = f"{owner},tags,{definition},columns,tableConstraints,domain,dataProducts"
        if owner == "owners":
            fields = fields.replace("domain", "domains")
        path = f"/{collection}/name/s.d.x.{name}?include=all&fields={fields}"
        return self.server.call("GET", path)

    def edit(self, *operations, name="t"):
        """A person's patch."""
        return self.server.call("PATCH", f"/tables/{self.stored(name)['id']}", list(operations))

    def delete(self, name="t", *, hard=False):
        word = "true" if hard else "false"
        self.server.call("DELETE", f"/tables/{self.stored(name)['id']}?hardDelete={word}")

    def sent(self, *methods):
        """(method, path) of the requests of the last run that write."""
        methods = methods or ("PUT", "PATCH", "POST", "DELETE")
        return [(r.method, r.path) for r in self.server.requests if r.method in methods]

    def problems(self):
        return [group.message for group in self.run.report.problems]


@pytest.fixture
def of_version():
    """A sink with a fake server of the given version."""
    with contextlib.ExitStack() as stack:
        yield lambda version: OfServer(stack.enter_context(FakeServer(version)))


@pytest.fixture(params=["1.2.0", "2.0.0"])
def target(request, of_version):
    """The same, of both versions."""
    return of_version(request.param)
