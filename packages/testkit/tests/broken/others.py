"""Processors, sinks, profilers and observers that each break one rule, beside good ones."""

# ruff: noqa: N801  # a nested class stands for the attribute of that name; `id` is the API's

from __future__ import annotations

import json
import logging
import random
import time

import pytest
from pydantic import Field, SecretStr
from sources import TOKEN, Library

from metaglean import Change, ColumnProfile, Config, Observer, Processor, Profile, Profiler, Table
from metaglean.records import Entity
from metaglean_testkit import (
    MemorySink,
    ObserverContract,
    ProcessorContract,
    ProfilerContract,
    SinkContract,
)


class Passes(Processor):
    type = "passes"

    def process(self, records, run):
        yield from records


class TestGoodProcessor(ProcessorContract):
    processor_class = Passes


class TestRenames(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            for record in records:
                yield record.model_copy(update={"ref": record.ref.renamed("other")})


class TestReorders(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            held = None
            for record in records:
                if isinstance(record, Table) and held is None:
                    held = record
                    continue
                yield record
            if held:
                yield held


class TestGreedy(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            yield from list(records)


class TestMutates(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            for record in records:
                if isinstance(record, Entity) and record.facets:
                    record.facets["mutated"] = True
                yield record


class TestDropsUnknown(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            return (record for record in records if record.KIND != "novelty")


class TestRandom(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            return (r for r in records if not isinstance(r, Table) or random.random() < 0.5)


class TestGoesOnAfterClose(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            try:
                yield from (record for record in records)
            finally:
                next(records, None)
                yield None


class TestInvalid(ProcessorContract):
    class processor_class(Passes):
        def process(self, records, run):
            for record in records:
                wrong = {"description": 7} if isinstance(record, Table) else {}
                yield record.model_copy(update=wrong)


class SecretConfig(Config):
    password: SecretStr = Field(SecretStr("canary-of-the-sink"), description="Lets it write.")


class Shelf(MemorySink):
    """Keeps what it has between runs, as a real target does."""

    type = "shelf"
    Config = SecretConfig
    kept: dict[str, MemorySink] = {}

    def __init__(self, config):
        super().__init__(config)
        inner = self.kept.setdefault(type(self).__qualname__, self)
        self.__dict__.update({k: v for k, v in vars(inner).items() if k != "config"})


class SinkSuite(SinkContract):
    @pytest.fixture(autouse=True)
    def _fresh(self):
        Shelf.kept.clear()

    @pytest.fixture
    def snapshot(self):
        def take():
            for sink in Shelf.kept.values():
                if not (sink.standing or sink.others or sink.gone):
                    return ""
                return repr((sink.standing, sink.others, sink.gone))
            return ""

        return take


class TestGoodSink(SinkSuite):
    sink_class = Shelf


class TestLeavesRecords(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            for change in super().write(records, run):
                yield change
                if change.kind == "lineage":
                    return


class TestTwoChanges(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            for change in super().write(records, run):
                yield change
                yield change


class TestForgetsUnread(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            for record in records:
                before = self.standing.pop(record.ref, None)
                for change in super().write(iter([record]), run):
                    same = before is not None and before == self.standing.get(record.ref)
                    action = "unchanged" if same else "created" if before is None else "updated"
                    yield change._replace(action=action)


class TestTakesPartForAll(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            return super().write((self.whole(record) for record in records), run)

        def whole(self, record):
            part = isinstance(record, Table) and record.tags_of is not None
            return record.model_copy(update={"tags_of": None}) if part else record


class TestClearsTexts(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            for record in records:
                empty = isinstance(record, Table) and "description" in record.model_fields_set
                yield from super().write(iter([record]), run)
                if empty and record.description is None and not run.dry_run:
                    now = self.standing[record.ref]
                    self.standing[record.ref] = now.model_copy(update={"description": None})


class TestDeletesMore(SinkSuite):
    class sink_class(Shelf):
        def delete(self, entities, run):
            self.gone.update(ref for ref in self.standing if ref.kind == "table")
            return (Change(entity.ref, "deleted") for entity in entities)


class TestStaysDeleted(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            gone = set(self.gone)
            yield from super().write(records, run)
            self.gone.update(gone)


class TestDryRunWrites(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            run.dry_run = False
            return super().write(records, run)


class TestWritesSecret(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            self.others.append(self.config.password.get_secret_value())
            return super().write(records, run)


class TestMixesScopes(SinkSuite):
    class sink_class(Shelf):
        def existing(self, kind, scope):
            for parent in {ref.parent for ref in self.standing if ref.kind == kind}:
                yield from super().existing(kind, parent)


class TestQuotesNames(SinkSuite):
    class sink_class(Shelf):
        def existing(self, kind, scope):
            for entity in super().existing(kind, scope):
                yield entity._replace(ref=entity.ref.renamed(json.dumps(entity.ref.name)))


class TestSaysNothing(SinkSuite):
    class sink_class(Shelf):
        def write(self, records, run):
            for change in super().write(records, run):
                yield Change(change.ref, "updated")


class Counts(Profiler):
    type = "library"

    def profile(self, table, run):
        yield self.made(table, run)

    def made(self, table, run, **more):
        columns = tuple(ColumnProfile(name=c.name, null_count=1.0) for c in table.columns)
        made = {"ref": table.ref, "timestamp": int(run.started * 1000), "row_count": 3}
        return Profile(**{**made, "columns": columns, **more})


class ProfilerSuite(ProfilerContract):
    @pytest.fixture
    def connection(self):
        return {"token": TOKEN}


class TestGoodProfiler(ProfilerSuite):
    profiler_class = Counts
    source_class = Library


class TestNotANumber(ProfilerSuite):
    source_class = Library

    class profiler_class(Counts):
        def profile(self, table, run):
            nan = (ColumnProfile(name=c.name, mean=float("nan")) for c in table.columns)
            yield self.made(table, run, columns=tuple(nan))


class TestStrangeColumns(ProfilerSuite):
    source_class = Library

    class profiler_class(Counts):
        def profile(self, table, run):
            yield self.made(table, run, columns=(ColumnProfile(name="stranger"),))


class TestWallClock(ProfilerSuite):
    source_class = Library

    class profiler_class(Counts):
        def profile(self, table, run):
            yield self.made(table, run, timestamp=int(time.time() * 1000) + 10**12)


class TestNeedsColumns(ProfilerSuite):
    source_class = Library

    class profiler_class(Counts):
        def profile(self, table, run):
            yield self.made(table, run, row_count=len(table.columns[0].name))


class TestOtherType(ProfilerSuite):
    source_class = Library

    class profiler_class(Counts):
        type = "other"


class TestSaysTheToken(ProfilerSuite):
    source_class = Library

    class profiler_class(Counts):
        def profile(self, table, run):
            secret = self.source.config.token.get_secret_value()
            said = (ColumnProfile(name=column.name, min=secret) for column in table.columns)
            yield self.made(table, run, columns=tuple(said))


class KeyConfig(Config):
    key: SecretStr = Field(SecretStr(TOKEN), description="Its own secret.")


class Quiet(Observer):
    type = "quiet"
    Config = KeyConfig


class TestGoodObserver(ObserverContract):
    observer_class = Quiet


class TestFailsAtChanges(ObserverContract):
    class observer_class(Quiet):
        def changed(self, changes):
            raise ValueError(changes)


class TestExpectsSuccess(ObserverContract):
    class observer_class(Quiet):
        def ended(self, report):
            assert report["error"] is None


class TestKnowsAllPhases(ObserverContract):
    class observer_class(Quiet):
        def phase_began(self, phase):
            self.number = ["open", "read", "write", "delete", "close"].index(phase.name)


class TestNeedsPhases(ObserverContract):
    class observer_class(Quiet):
        def phase_ended(self, phase):
            self.last = phase

        def ended(self, report):
            self.told = (self.last, report)


class TestPrints(ObserverContract):
    class observer_class(Quiet):
        def started(self, run):
            print(run.id)


class TestLogsItsKey(ObserverContract):
    class observer_class(Quiet):
        def started(self, run):
            logging.getLogger("elsewhere").warning(self.config.key.get_secret_value())


class TestHidesThatItFails(ObserverContract):
    observer_class = Quiet

    @pytest.fixture
    def away(self):
        return {}
