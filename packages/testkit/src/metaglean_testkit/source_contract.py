"""What a source promises. Inherit, name the class, give a connection:

```python
class TestBookshelf(SourceContract):
    source_class = Bookshelf

    @pytest.fixture
    def connection(self, api):
        return {"hostPort": api.url, "token": "a-canary-that-is-not-secret"}
```
"""

from __future__ import annotations

import time
import traceback
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from metaglean.components import Source, Step
from metaglean.errors import ItemError, MetagleanError, RemoteError, catching
from metaglean.logs import logging_to
from metaglean.options import SourceOptions
from metaglean.records import ANCESTORS, Entity, Lineage, Record, Ref, dump, load
from metaglean.run import Run
from metaglean.stream import LEAVES
from metaglean.summary import summary
from metaglean_testkit.component_contract import ComponentContract
from metaglean_testkit.memory import MemorySink
from metaglean_testkit.running import Reading, SerialRun, prepare
from metaglean_testkit.secrets import SHORTEST, assert_unseen, logged

_SERVICES = ("databaseService", "pipelineService", "dashboardService")
_MOST_BREAKS = 25


class SourceContract(ComponentContract):
    """Rules for sources. The author names `source_class` and gives the fixture `connection`.

    `options` is `sourceConfig.config` with everything switched on that the capabilities promise.
    """

    __test__ = False
    kind: ClassVar[str] = "source"
    source_class: ClassVar[type[Source]]
    options: ClassVar[Mapping[str, Any]] = {}
    checks_credentials: ClassVar[bool] = True
    """False for a system that lets everybody in."""
    reads_ahead: ClassVar[int] = 0
    """How many entities `read` takes from an inventory before it yields the first of them."""
    unknown_id: ClassVar[str] = "no-such-id-0"
    """An id, in the platform's form, that never was; for sources that confirm what is gone."""
    memory_megabytes: ClassVar[float] = 32.0
    """What one reading may hold at its peak."""

    @pytest.fixture
    def connection(self) -> Mapping[str, Any]:
        """`serviceConnection.config` as users write it; its secrets are the canaries."""
        raise NotImplementedError("give the suite a fixture `connection`")

    @pytest.fixture
    def settings(self, connection: Mapping[str, Any]) -> Mapping[str, Any]:
        return {key: value for key, value in connection.items() if key != "type"}

    @pytest.fixture
    def full(self, connection: Mapping[str, Any]) -> Reading:
        """The source, made ready, before its first reading."""
        return self._prepare(connection)

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        """Close what a test opened, however it ends."""
        self._opened: list[Reading] = []
        yield
        for reading in self._opened:
            reading.close()

    # -- what it says about itself ----------------------------------------------------------------

    def test_says_what_it_writes(self) -> None:
        """`service_kind`, `service_type` and `Options` are declared and fit each other."""
        source = self.source_class
        assert source.service_kind in _SERVICES
        assert source.service_type, "service_type names OpenMetadata's type, or Custom…"
        options = source.Options
        assert issubclass(options, SourceOptions)
        for kind, attribute in {**options.PATTERNS, **options.DELETABLE}.items():
            assert kind in ANCESTORS, f"{kind!r} is no kind of entity"
            assert attribute in options.model_fields, f"{attribute!r} is no option"

    def test_options_are_valid(self) -> None:
        """The options given to this suite are valid, and an unknown one is an error."""
        model = self.source_class.Options
        model.model_validate(dict(self.options))
        assert model.model_config.get("extra") == "forbid"

    # -- connection -------------------------------------------------------------------------------

    def test_connection_test_passes_quickly(self, full: Reading) -> None:
        """`test_connection` yields steps, within seconds, and all required ones are there."""
        began = time.monotonic()
        steps = list(full.source.test_connection(full.run))
        assert steps, "at least one step"
        assert all(isinstance(step, Step) for step in steps)
        failed = [step for step in steps if step.required and not step.ok]
        assert not failed, f"required steps that failed: {failed}"
        assert time.monotonic() - began < 10

    def test_wrong_credentials_are_noticed(self, connection: Mapping[str, Any]) -> None:
        """With any one secret replaced `test_connection` fails a step, or says who refused."""
        if not self.checks_credentials:
            return
        for name, secret in self._secrets(connection):
            other = {**connection, name: "wrong-" + secret[::-1]}
            reading = self._prepare(other)
            steps: list[Step] = []
            with catching(ending=True) as caught:
                steps.extend(reading.source.test_connection(reading.run))
            if caught.error is None:
                assert any(step.ok is False for step in steps), f"a wrong {name} went unnoticed"
            else:
                assert isinstance(caught.error, (RemoteError, ItemError)), repr(caught.error)

    # -- records ----------------------------------------------------------------------------------

    def test_reads_something(self, full: Reading) -> None:
        """A full reading yields entities, without a problem."""
        records = self._read(full)
        assert any(_is_leaf(record) for record in records), "no table, pipeline or dashboard"
        problems = [group.as_dict() for group in full.run.report.problems]
        assert not problems, f"problems: {problems}"

    def test_parents_come_first(self, full: Reading) -> None:
        """Every entity's parent was yielded before it (the service is there from the start)."""
        seen = {full.run.service}
        for record in self._entities(full):
            parent = record.ref.parent
            assert parent is None or parent in seen, f"{record.ref} comes before its parent"
            seen.add(record.ref)

    def test_refs_are_below_the_service(self, full: Reading) -> None:
        """Refs have known kinds, one name a level, and lie below the service that is written."""
        for record in self._entities(full):
            ref = record.ref
            assert ref.kind in ANCESTORS, f"unknown kind {ref.kind!r}"
            assert len(ref.path) == len(ANCESTORS[ref.kind]) + 1, f"{ref!r}: wrong depth"
            assert all(ref.path), f"{ref!r}: empty name"
            root = (*ANCESTORS[ref.kind], ref.kind)[0]
            if root in _SERVICES:
                assert ref.path[:1] == full.run.service.path, f"{ref!r} is not ours"

    def test_no_ref_twice(self, full: Reading) -> None:
        """No two entities have one ref."""
        refs = [record.ref for record in self._entities(full)]
        twice = {ref for ref in refs if refs.count(ref) > 1}
        assert not twice, f"yielded more than once: {sorted(map(str, twice))}"

    def test_source_ids_are_set_and_unique(self, full: Reading) -> None:
        """Tables, pipelines and dashboards carry the platform's own id; no two share one."""
        leaves = [record for record in self._entities(full) if _is_leaf(record)]
        ids = [(record.ref.kind, record.source_id) for record in leaves]
        assert all(source_id for _, source_id in ids), "source_id is not set"
        assert len(set(ids)) == len(ids), "two entities share one source_id"

    def test_records_survive_json(self, full: Reading) -> None:
        """`load(dump(record))` is the record, with the same fields read."""
        for record in self._read(full):
            again = load(dump(record))
            assert again == record, f"{dump(record)} comes back changed"
            assert again.model_fields_set == record.model_fields_set

    def test_two_readings_are_equal(self, connection: Mapping[str, Any]) -> None:
        """Nothing at the source changed, so nothing in the records does: no time, no order."""
        first, second = (
            [dump(record) for record in self._read(self._prepare(connection))] for _ in range(2)
        )
        assert first == second

    def test_second_run_changes_nothing(self, connection: Mapping[str, Any]) -> None:
        """Over a target that holds the first run's entities, a second run changes none."""
        sink = MemorySink()
        for expected in ("created", "unchanged"):
            reading = self._prepare(connection, sink=sink)
            records = iter(self._entities(reading))
            changed = {c.ref: c for c in sink.write(records, reading.run) if c.action != expected}
            assert not changed, f"not {expected}: {list(changed.values())[:3]}"

    def test_unread_fields_are_unset(self, full: Reading) -> None:
        """Owners, tags and lineage are declared as capabilities if and only if they are read."""
        records = self._read(full)
        entities = [record for record in records if isinstance(record, Entity)]
        for word in ("owners", "tags"):
            if word in self.source_class.capabilities:
                assert any(getattr(entity, word) for entity in entities), f"no {word} were read"
            else:
                told = [str(e.ref) for e in entities if word in e.model_fields_set]
                assert not told, f"{word} is set, but no capability: {told[:3]} (leave it unset)"
        lineage = any(isinstance(record, Lineage) for record in records)
        assert lineage == ("lineage" in self.source_class.capabilities)

    def test_texts_are_not_blank(self, full: Reading) -> None:
        """A text that isn't there is None, never an empty string."""
        for record in self._entities(full):
            for name in ("description", "display_name", "source_url"):
                assert getattr(record, name) != "", f"{record.ref}: {name} is '' (use None)"

    # -- inventories ------------------------------------------------------------------------------

    def test_inventories_are_listed(self, full: Reading) -> None:
        """Every table, pipeline and dashboard went through `run.listing` of its very scope."""
        leaves = [record for record in self._entities(full) if _is_leaf(record)]
        listed = {(listing.kind, listing.scope): set(listing.ids) for listing in full.run.listings}
        for record in leaves:
            parent = record.ref.parent
            assert parent is not None
            ids = listed.get((record.ref.kind, parent))
            assert ids is not None, f"no listing of {record.ref.kind} in {parent}"
            assert record.source_id in ids, f"{record.ref} was not listed under its source_id"

    def test_full_reading_is_complete(self, full: Reading) -> None:
        """After a full reading every listing is complete."""
        assert self._read(full)
        reasons = [reason for listing in full.run.listings for reason in listing.reasons]
        assert not reasons, f"incomplete: {reasons}"

    def test_breaking_out_is_incomplete(self, connection: Mapping[str, Any]) -> None:
        """Whoever stops after n records leaves each listing that had more to give incomplete, and
        a listing that calls itself complete names all that a full reading names."""
        whole = self._prepare(connection, run_class=SerialRun)
        records = self._read(whole)
        ids = _ids(whole.run)
        ends = _ends(records)
        for n in range(min(len(records), _MOST_BREAKS)):
            reading = self._prepare(connection, run_class=SerialRun)
            stream = reading.records()
            for _ in range(n):
                next(stream)
            getattr(stream, "close", lambda: None)()
            for listing in reading.run.listings:
                key = (listing.kind, listing.scope)
                if not listing.complete:
                    continue
                assert set(listing.ids) == ids[key], f"{key}: complete, but not whole, after {n}"
                left = ends.get(key, 0) - n - self.reads_ahead
                assert left <= 0, f"{key} calls itself complete after {n} of {len(records)} records"

    def test_limit_leaves_nothing_out_unsaid(self, connection: Mapping[str, Any]) -> None:
        """With `--limit 1` a listing is whole, or calls itself incomplete."""
        whole = self._prepare(connection)
        self._read(whole)
        ids = _ids(whole.run)
        limited = self._prepare(connection, limit=1)
        self._read(limited)
        for listing in limited.run.listings:
            if listing.complete:
                assert set(listing.ids) == ids[listing.kind, listing.scope]

    def test_filters_hide_nothing(self, connection: Mapping[str, Any]) -> None:
        """A filter pattern keeps entities from being yielded, never from being listed."""
        whole = self._prepare(connection)
        kinds = {record.ref.kind for record in self._entities(whole) if _is_leaf(record)}
        ids = _ids(whole.run)
        model = self.source_class.Options
        for kind in kinds & model.PATTERNS.keys():
            key = model.model_fields[model.PATTERNS[kind]].alias or model.PATTERNS[kind]
            options = {**self.options, key: {"excludes": [".*"]}}
            reading = self._prepare(connection, options=options)
            kept = [e.ref for e in self._entities(reading) if e.ref.kind == kind]
            assert not kept, f"{key} excludes all, but {kept[:3]} came"
            assert _ids(reading.run) == ids, f"{key} hides entities from the listing"

    def test_names_do_not_depend_on_order(self, connection: Mapping[str, Any]) -> None:
        """In whatever order the platform lists them, the same entities get the same names."""
        expected = self._names(self._prepare(connection, run_class=SerialRun))
        for seed in range(3):
            reading = self._prepare(connection, run_class=SerialRun)
            assert isinstance(reading.run, SerialRun)
            reading.run.shuffle = seed
            assert self._names(reading) == expected

    def test_confirms_only_what_is_gone(self, full: Reading) -> None:
        """Where the source can tell, nothing that is listed is gone, and what never was is."""
        if self.source_class.confirm_gone is Source.confirm_gone:
            return
        self._read(full)
        for (kind, _), ids in _ids(full.run).items():
            unknown = [self.unknown_id] if kind in LEAVES else []
            gone = full.source.confirm_gone(full.run, kind, [*sorted(ids), *unknown])
            assert gone is None or sorted(gone) == unknown, f"{kind}: {gone}"

    def test_deletion_is_possible_if_declared(self, full: Reading) -> None:
        """The capability `deletion` needs a listed kind with a switch (`Options.DELETABLE`)."""
        if "deletion" not in self.source_class.capabilities:
            return
        self._read(full)
        listed = {listing.kind for listing in full.run.listings}
        assert listed & self.source_class.Options.DELETABLE.keys()

    # -- secrets and memory -----------------------------------------------------------------------

    def test_secrets_are_unseen(self, connection: Mapping[str, Any]) -> None:
        """No secret in what is yielded, logged (at DEBUG), reported or shown."""
        reading = self._prepare(connection)
        with logged() as log, logging_to(reading.run, "DEBUG"):
            list(reading.source.test_connection(reading.run))
            records = self._read(reading)
        for record in records:
            assert_unseen(dump(record), reading.secrets, f"a record ({type(record).__name__})")
        self._assert_unseen(reading, log.text, None)

    def test_secrets_are_unseen_in_errors(self, connection: Mapping[str, Any]) -> None:
        """No secret in what a refused credential makes the source say, tracebacks included."""
        for name, secret in self._secrets(connection):
            reading = self._prepare({**connection, name: "canary-" + secret[::-1]})
            with (
                logged() as log,
                logging_to(reading.run, "DEBUG"),
                catching(ending=True) as caught,
            ):
                list(reading.records())
            self._assert_unseen(reading, log.text, caught.error)

    def test_memory_is_bounded(self, full: Reading) -> None:
        """A reading whose records nobody keeps needs little memory."""
        tracemalloc.start()
        try:
            for _ in full.records():
                pass
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < self.memory_megabytes * 1e6, f"{peak / 1e6:.1f} MB at the peak"

    # -- tools ------------------------------------------------------------------------------------

    def _prepare(
        self,
        connection: Mapping[str, Any],
        *,
        options: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> Reading:
        chosen = self.options if options is None else options
        reading = prepare(self.source_class, connection, options=chosen, **rest)
        self._opened.append(reading)
        return reading

    def _read(self, reading: Reading) -> list[Record]:
        return list(reading.records())

    def _entities(self, reading: Reading) -> list[Entity]:
        return [record for record in self._read(reading) if isinstance(record, Entity)]

    def _names(self, reading: Reading) -> dict[tuple[str, str | None], Ref]:
        return {(e.ref.kind, e.source_id): e.ref for e in self._entities(reading) if e.source_id}

    def _secrets(self, connection: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(key as the connection has it, value) of the secrets that were given at the top."""
        config = self._prepare(connection).source.config
        for name, field in type(config).model_fields.items():
            value = getattr(config, name)
            if isinstance(value, SecretStr) and value.get_secret_value():
                secret = value.get_secret_value()
                assert len(secret) >= SHORTEST, f"{name}: give {SHORTEST} characters or more"
                key = name if name in connection else field.alias or name
                yield key, secret

    def _assert_unseen(self, reading: Reading, log: str, error: BaseException | None) -> None:
        secrets = reading.secrets
        assert_unseen(log, secrets, "the log")
        assert_unseen(repr(reading.run.report.as_dict()), secrets, "the report")
        assert_unseen(summary(reading.run, "failed", error), secrets, "the summary")
        assert_unseen(f"{reading.source.config!r}", secrets, "the settings' repr")
        if isinstance(error, MetagleanError):
            assert_unseen(f"{error}", secrets, "the error's message")
        if error is not None:
            shown = "".join(traceback.format_exception(error))
            assert_unseen(reading.run.redactor.clean(shown), secrets, "the traceback")


def _is_leaf(record: Record) -> bool:
    return isinstance(record, Entity) and record.ref.kind in LEAVES


def _ids(run: Run) -> dict[tuple[str, Ref], set[str]]:
    """What each listing of a run names."""
    return {(listing.kind, listing.scope): set(listing.ids) for listing in run.listings}


def _ends(records: list[Record]) -> dict[tuple[str, Ref], int]:
    """After how many records the last entity of each listing has been yielded."""
    ends: dict[tuple[str, Ref], int] = {}
    for number, record in enumerate(records, start=1):
        if isinstance(record, Entity) and record.ref.parent:
            ends[record.ref.kind, record.ref.parent] = number
    return ends
