"""`limits:`: what a run may ask of each system, and how it ends when that is used up."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from metaglean.builtin.catalog.sink import CatalogSink
from metaglean.components import Change, Config, Sink, Source, Step
from metaglean.config import parse_workflow
from metaglean.config.limits import LimitsConfig
from metaglean.errors import ConfigError, LimitReached
from metaglean.http import SystemStats
from metaglean.names import Listed
from metaglean.quota import Bound, Limits, Quota
from metaglean.records import Column, Database, Ref, Schema, Table
from metaglean.run import Run
from metaglean_testkit import Answer, Classes, FaultProxy, VirtualClock, catalog_state, run_classes

NAMES = [f"t{number:02}" for number in range(20)]


class ApiConfig(Config):
    host: str


class Api(Source):
    """A listing in pages of five, a call for each table."""

    type = "api"
    Config = ApiConfig
    systems = ("Api",)
    service_type = "CustomDatabase"

    def session(self, run):
        return run.session("Api", self.config.host)

    def test_connection(self, run):
        yield Step("read", True)

    def pages(self, run):
        for start in range(0, len(NAMES), 5):
            for name in self.session(run).get_json("/tables", start=start):
                yield Listed(name, name)

    def read(self, run):
        database = self.service.child("database", "d")
        schema = database.child("databaseSchema", "x")
        yield Database(ref=database)
        yield Schema(ref=schema)

        def table(found):
            ref, _ = found
            names = self.session(run).get_json(f"/tables/{ref.name}")
            return Table(ref=ref, columns=tuple(Column(name=name) for name in names))

        yield from run.map(table, run.listing("table", schema).over(self.pages(run)))


class Far(Sink):
    """Sends each record to the system `Far`, as the workflow's server might."""

    type = "far"
    Config = ApiConfig
    systems = ("Far",)
    capabilities = frozenset({"deletion"})

    def open(self, run):
        self.server = run.session("Far", self.config.host)
        yield Step("write", True)

    def write(self, records, run):
        for record in records:
            self.server.get(f"/tables/{record.ref.name}")
            yield Change(record.ref, "created")


@pytest.fixture(scope="module")
def host():
    def answer(request):
        page = "start=" in request.target
        start = int(request.target.rpartition("=")[2]) if page else 0
        body = NAMES[start : start + 5] if page else ["id"]
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    with FaultProxy(answer) as server:
        yield server.url


def ingest(host, limits, tmp_path=None, sink="catalog", **options):
    into = {"path": str(tmp_path / "c.db")} if sink == "catalog" else {"host": host}
    config = {
        "source": {"type": "api", "serviceName": "s",
                   "serviceConnection": {"config": {"host": host}},
                   "sourceConfig": {"config": {"threads": 4}}},
        "sink": {"type": sink, "config": into}, "limits": limits,
    }  # fmt: skip
    return run_classes(config, Api, CatalogSink, Far, **options)


def tables(tmp_path):
    state = catalog_state(tmp_path / "c.db")
    return {name for (kind, name), one in state.items() if kind == "table" and not one["deleted"]}


def test_a_run_without_limits_says_what_it_cost(host, tmp_path):
    outcome = ingest(host, {}, tmp_path)
    assert outcome.exit_code == 0, outcome.summary
    assert "calls to Api: 24, 0 retried, 0.0 s waited" in outcome.summary
    assert len(tables(tmp_path)) == 20


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        ({"requestsPerRun": 12}, "limits.requestsPerRun"),
        ({"requestsPerRun": 99, "systems": {"Api": {"requestsPerRun": 12}}},
         "limits.systems.Api.requestsPerRun"),
    ],
)  # fmt: skip
def test_requests_a_run(host, tmp_path, limits, setting):
    assert ingest(host, {}, tmp_path).exit_code == 0
    before = tables(tmp_path)
    outcome = ingest(host, limits, tmp_path)
    assert outcome.exit_code == 1
    assert f"Api: the run has used up its 12 requests ({setting})" in outcome.summary
    assert outcome.summary.count("used up") == 1
    assert outcome.report["problems"] == []
    (system,) = outcome.report["systems"]
    assert system["calls"] + system["retries"] == 12
    assert outcome.report["counts"]["sink"]["table"]["unchanged"] >= 4
    assert tables(tmp_path) == before


def test_a_limit_within_the_listing_leaves_it_incomplete(host, tmp_path):
    outcome = ingest(host, {"requestsPerRun": 3}, tmp_path)
    assert outcome.exit_code == 1
    assert [one["complete"] for one in outcome.report["listings"]] == [False]
    assert outcome.report["deletions"] == []
    assert outcome.report["counts"]["sink"]["databaseSchema"] == {"created": 1}


def test_minutes(host, tmp_path):
    outcome = ingest(host, {"minutes": 0.1, "requestsPerSecond": 2}, tmp_path)
    assert outcome.exit_code == 1
    assert "Api: the run has used up its 0.1 minutes (limits.minutes)" in outcome.summary
    (system,) = outcome.report["systems"]
    assert 10 <= system["calls"] <= 13
    assert system["waited_seconds"] > 5


def test_the_sinks_system_has_limits_of_its_own(host):
    limits = {"requestsPerRun": 30}
    outcome = ingest(host, limits, sink="far")
    assert outcome.exit_code == 0, outcome.summary
    assert {one["name"]: one["calls"] for one in outcome.report["systems"]} == {
        "Far": 23, "Api": 24
    }  # fmt: skip
    limits["systems"] = {"Far": {"requestsPerRun": 7}}
    outcome = ingest(host, limits, sink="far")
    assert outcome.exit_code == 1
    assert "Far: the run has used up its 7 requests (limits.systems.Far" in outcome.summary
    assert outcome.report["counts"]["sink"]["table"] == {"created": 4}
    assert outcome.report["deletions"] == []


# -- the parts ------------------------------------------------------------------------------------


def test_what_counts_for_a_system():
    config = LimitsConfig.model_validate(
        {"requestsPerSecond": 5, "minutes": 2, "systems": {"A": {"requestsPerSecond": 9}}}
    )
    minutes = Bound(120, "limits.minutes")
    assert config.of("A", of_source=True) == Limits(9, None, minutes)
    assert config.of("B", of_source=True) == Limits(5, None, minutes)
    assert config.of("A", of_source=False) == Limits(9, None, None)
    assert config.of("B", of_source=False) == Limits()


def test_it_is_shared_by_threads():
    quota = Quota("A", Limits(requests=Bound(50, "x")), VirtualClock(), 0)
    taken, refused, lock = [], [], threading.Lock()

    def take(_):
        try:
            quota.take()
            with lock:
                taken.append(1)
        except LimitReached:
            refused.append(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(200)))
    assert (len(taken), len(refused)) == (50, 150)


def test_sessions_of_one_system_share_it():
    limits = LimitsConfig.model_validate({"requestsPerRun": 1, "requestsPerSecond": 1})
    run = Run(Ref("databaseService", ("s",)), clock=VirtualClock(), limits=limits.of)
    one, two = (run.session("A", f"https://{host}.test") for host in ("a", "b"))
    assert one is not two
    assert one.stats is two.stats
    assert [system.name for system in run.report.systems] == ["A"]
    assert one._caller._quota is two._caller._quota is not None
    assert one._caller._governor is two._caller._governor
    status = run.at("status").session("A", "https://a.test")
    assert status._caller._quota is None, "how the run ended is told in any case"


def checked(limits):
    config = {
        "source": {"type": "api", "serviceName": "s",
                   "serviceConnection": {"config": {"host": "https://h.test"}}},
        "sink": {"type": "far", "config": {"host": "https://h.test"}}, "limits": limits,
    }  # fmt: skip
    return parse_workflow(config, Classes(Api, Far))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"systems": {"api": {}}}, "expected one of Api, Far; did you mean Api?"),
        ({"systems": {"Api": {"requestPerRun": 1}}}, "did you mean requestsPerRun?"),
        ({"requestsPerRun": 0}, "expected a number greater than 0"),
        ({"requestsPerRun": 1.5}, "expected a whole number"),
        ({"systems": {"Api": {"minutes": "x"}}}, "expected a number"),
        ({"systems": ["Api"]}, "expected a block of keys"),
    ],
)  # fmt: skip
def test_wrong_limits_are_errors(limits, expected):
    with pytest.raises(ConfigError) as caught:
        checked(limits)
    assert expected in str(caught.value)


def test_right_limits():
    config = checked({"systems": {"Far": {"minutes": 1}, "Api": {"requestsPerSecond": 0.5}}})
    assert config.limits.of("Far", of_source=False).seconds == (60, "limits.systems.Far.minutes")


def test_threads_that_ask_at_once_get_one_session(monkeypatch):
    made = threading.Barrier(2)
    run = Run(Ref("databaseService", ("s",)))
    started = SystemStats.__init__

    def slow(self, name):
        with contextlib.suppress(threading.BrokenBarrierError):
            made.wait(0.2)  # both get here at once only where nothing keeps them apart
        started(self, name)

    monkeypatch.setattr(SystemStats, "__init__", slow)
    with ThreadPoolExecutor(2) as pool:
        sessions = list(pool.map(lambda _: run.session("Api", "https://api.example.com"), range(2)))
    assert sessions[0] is sessions[1]
    assert len(run.report.systems) == 1
    run.close()
