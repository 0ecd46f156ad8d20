"""What a sink promises. Inherit, name the class, say where it writes and how to look at it:

```python
class TestJsonDirectory(SinkContract):
    sink_class = JsonDirectory

    @pytest.fixture
    def settings(self, tmp_path):
        return {"directory": str(tmp_path / "out")}

    @pytest.fixture
    def snapshot(self, tmp_path):
        return lambda: directory_snapshot(tmp_path / "out")
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from metaglean.components import Change, Config, Sink, Step
from metaglean.logs import logging_to
from metaglean.records import Entity, Record, Ref, Table
from metaglean.run import Run
from metaglean.standing import Existing
from metaglean_testkit import sample
from metaglean_testkit.clock import VirtualClock
from metaglean_testkit.component_contract import ComponentContract
from metaglean_testkit.secrets import assert_unseen, logged, secrets_of

_ACTIONS = {"created", "updated", "restored", "unchanged", "skipped", "deleted"}
Snapshot = Callable[[], Any]


def directory_snapshot(directory: Path) -> dict[str, bytes]:
    """The content of every file below a directory; empty where there is none."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


class SinkContract(ComponentContract):
    """Rules for sinks. The author names `sink_class` and gives the fixtures `settings` (`config:`)
    and `snapshot` (a callable that returns what the target holds, comparable with `==`).

    A sink with the capability `deletion` keeps entities and tells what stands; the rules about
    second runs apply to it. One without (a file, a console) is asked to write, no more.
    """

    __test__ = False
    kind: ClassVar[str] = "sink"
    sink_class: ClassVar[type[Sink]]

    @pytest.fixture
    def snapshot(self) -> Snapshot:
        """What the target holds; without it "writes nothing" and secrets can't be looked at."""
        raise NotImplementedError("give the suite a fixture `snapshot`")

    @pytest.fixture
    def clock(self) -> VirtualClock:
        return VirtualClock()

    @pytest.fixture
    def server(self) -> Mapping[str, Any] | None:
        """`openMetadataServerConfig`, for a sink with a `ServerConfig`."""
        return None

    @pytest.fixture
    def target(
        self,
        settings: Mapping[str, Any],
        clock: VirtualClock,
        server: Mapping[str, Any] | None,
    ) -> Target:
        """Opens, writes and closes the sink; each call is a run of its own."""
        return Target(self.sink_class, settings, clock, server)

    @property
    def keeps(self) -> bool:
        """Whether the sink says that it knows what stands."""
        return "deletion" in self.sink_class.capabilities

    # -- writing ----------------------------------------------------------------------------------

    def test_open_yields_passing_steps(self, target: Target) -> None:
        """`open` yields steps; those that are required are there."""
        with target.opened() as (sink, run):
            steps = list(sink.open(run))
        assert all(isinstance(step, Step) for step in steps)
        assert all(step.ok for step in steps if step.required), f"failed: {steps}"

    def test_every_record_is_pulled(self, target: Target) -> None:
        """`write` pulls its records to the end, those of an unknown kind included."""
        novelty = sample.Novelty(ref=sample.SCHEMA.child("table", "novelty"))
        records: Iterator[Record] = iter([*sample.records(), novelty])
        with target.opened() as (sink, run):
            list(sink.open(run))
            for _ in sink.write(records, run):
                pass
        assert next(records, None) is None, "records were left"
        assert not target.problems, f"problems: {target.problems}"

    def test_one_change_a_record(self, target: Target) -> None:
        """Every entity has exactly one change, with a known action."""
        changes = target.write(sample.entities())
        wanted = Counter(entity.ref for entity in sample.entities())
        assert Counter(change.ref for change in changes) == wanted
        assert {change.action for change in changes} <= {"created", "updated", "unchanged"}
        links = target.write(sample.lineage())
        assert all(change.action in _ACTIONS for change in links)
        assert all(change.kind == "lineage" for change in links), "Change.kind is the record's"

    def test_nothing_to_write(self, target: Target) -> None:
        """A run without a record is fine."""
        assert target.write([]) == []

    def test_end_in_the_middle_keeps_what_was_written(self, target: Target) -> None:
        """An error of the source is the end of the stream: what came until then stays."""
        entities = sample.entities()
        half = entities[: len(entities) // 2]
        target.write(half, status="failed")
        if self.keeps:
            changes = target.write(entities)
            actions = {change.ref: change.action for change in changes}
            assert {actions[entity.ref] for entity in half} == {"unchanged"}
            assert {actions[entity.ref] for entity in entities[len(half) :]} == {"created"}

    def test_stops_when_it_is_closed(self, target: Target) -> None:
        """A `write` that is closed in the middle raises nothing, and the sink still closes."""
        with target.opened() as (sink, run):
            list(sink.open(run))
            changes = sink.write(iter(sample.entities()), run)
            next(iter(changes), None)
            getattr(changes, "close", lambda: None)()

    def test_can_be_opened_again(self, target: Target) -> None:
        """Two runs after each other, each with a sink of its own, both end well."""
        assert len(target.write(sample.entities())) == len(target.write(sample.entities()))

    def test_secrets_are_unseen(
        self,
        settings: Mapping[str, Any],
        server: Mapping[str, Any] | None,
        target: Target,
        snapshot: Snapshot,
    ) -> None:
        """No secret of its settings is written to the target, logged or reported."""
        secrets = secrets_of(self.sink_class.Config.model_validate(dict(settings)))
        if self.sink_class.ServerConfig and server:
            secrets |= secrets_of(self.sink_class.ServerConfig.model_validate(dict(server)))
        with logged() as log:
            changes = target.write(sample.records())
        assert_unseen(repr(snapshot()), secrets, "the target")
        assert_unseen(log.text + repr(changes) + repr(target.problems), secrets, "log or report")

    # -- a second run -----------------------------------------------------------------------------

    def test_second_run_changes_nothing(self, target: Target) -> None:
        """The same records again leave every entity unchanged."""
        assert self._actions(target.write(sample.entities())) <= {"created"}
        if self.keeps:
            assert self._actions(target.write(sample.entities())) == {"unchanged"}

    def test_change_names_its_fields(self, target: Target) -> None:
        """An update says what changed, from what, to what; the others stay unchanged."""
        target.write(sample.entities())
        changes = target.write(self._with(description="A new description."))
        if self.keeps:
            for change in changes:
                updated = change.ref.kind == "table"
                assert change.action == ("updated" if updated else "unchanged")
                if updated:
                    assert change.fields["description"][1] == "A new description."

    def test_unread_fields_stay(self, target: Target) -> None:
        """A field that was not read (not set) leaves what stands as it is."""
        self._stays(target, [self._bare(entity) for entity in sample.entities()])

    def test_unread_labels_stay(self, target: Target) -> None:
        """Where the tags of some classifications only were read (`tags_of`), all others stay."""
        self._stays(target, self._with(tags=(), tags_of=("Other",)))

    def test_empty_values_clear_no_text(self, target: Target) -> None:
        """A description, display name or owner list that is empty clears nothing that stands."""
        self._stays(target, self._with(description=None, display_name=None, owners=()))

    # -- what stands ------------------------------------------------------------------------------

    def test_existing_tells_what_was_written(self, target: Target) -> None:
        """`existing` streams what stands right below a scope: raw refs, source ids, all live."""
        target.write(sample.entities())
        for scope, kind in ((sample.SCHEMA, "table"), (sample.OTHER_SCHEMA, "table"),
                            (sample.DATABASE, "databaseSchema")):  # fmt: skip
            wanted = {
                entity.ref: entity.source_id
                for entity in sample.entities()
                if entity.ref.kind == kind and entity.ref.parent == scope
            }
            found = target.existing(kind, scope)
            if self.keeps:
                assert {entity.ref: entity.source_id for entity in found} == wanted
                assert not any(entity.deleted for entity in found)
            else:
                assert found == [], "a sink without the capability deletion tells nothing"

    def test_existing_of_nothing(self, target: Target) -> None:
        """In a target that is empty, or a scope that isn't there, nothing stands."""
        assert target.existing("table", sample.SCHEMA) == []

    def test_looking_changes_nothing(self, target: Target, snapshot: Snapshot) -> None:
        """Opened and closed without a write (as a connection test does it: in a dry run where it
        can plan), it leaves the target as it was."""
        target.write(sample.entities())
        before = snapshot()
        with target.opened(dry_run="plan" in self.sink_class.capabilities) as (sink, run):
            list(sink.open(run))
        assert snapshot() == before

    def test_delete_marks_only_what_is_given(self, target: Target) -> None:
        """`delete` marks (or removes) the entities given, and no other."""
        if not self.keeps:
            return
        target.write(sample.entities())
        before = target.existing("table", sample.SCHEMA)
        for entity in before[1:3]:
            changes = target.delete([entity])
            assert [(c.ref, c.action) for c in changes] == [(entity.ref, "deleted")]
        gone = {entity.ref for entity in before[1:3]}
        live = {e.ref for e in target.existing("table", sample.SCHEMA) if not e.deleted}
        assert live == {entity.ref for entity in before} - gone

    def test_deleted_ones_come_back(self, target: Target) -> None:
        """What is read again after it was deleted stands again, with all it had."""
        if not self.keeps:
            return
        target.write(sample.entities())
        standing = target.existing("table", sample.SCHEMA)
        target.delete(standing[:1])
        changes = {change.ref: change.action for change in target.write(sample.entities())}
        assert changes[standing[0].ref] in ("restored", "created")
        assert not any(entity.deleted for entity in target.existing("table", sample.SCHEMA))
        assert self._actions(target.write(sample.entities())) == {"unchanged"}

    # -- dry run ----------------------------------------------------------------------------------

    def test_dry_run_writes_nothing(self, target: Target, snapshot: Snapshot) -> None:
        """With the capability `plan`, a dry run tells what it would do and does none of it."""
        if "plan" not in self.sink_class.capabilities:
            return
        empty = snapshot()
        planned = target.write(sample.entities(), dry_run=True)
        assert snapshot() == empty, "a dry run wrote into an empty target"
        written = target.write(sample.entities())
        assert planned == written, "the plan differs from what was done"
        before = snapshot()
        planned = target.write(self._with(description="Planned."), dry_run=True)
        assert snapshot() == before, "a dry run changed the target"
        if self.keeps:
            target.delete(target.existing("table", sample.SCHEMA)[:1], dry_run=True)
            assert snapshot() == before, "the deletions of a dry run were carried out"
            assert planned == target.write(self._with(description="Planned."))

    # -- tools ------------------------------------------------------------------------------------

    def _stays(self, target: Target, poorer: list[Entity]) -> None:
        """After `poorer` was written, the full entities are still unchanged."""
        target.write(sample.entities())
        changes = target.write(poorer)
        if self.keeps:
            changed = [change for change in changes if change.action != "unchanged"]
            assert not changed, f"changed: {changed[:2]}"
            again = target.write(sample.entities())
            changed = [change for change in again if change.action != "unchanged"]
            assert not changed, f"something had been lost: {changed[:2]}"

    @staticmethod
    def _with(**fields: Any) -> list[Entity]:
        """The sample entities, their tables with other values."""
        return [
            entity.model_copy(update=fields) if isinstance(entity, Table) else entity
            for entity in sample.entities()
        ]

    @staticmethod
    def _bare(entity: Entity) -> Entity:
        """The same entity with its ref, its id and what it can't be without."""
        needed = {"ref", "source_id", "service_type"} & entity.model_fields_set
        return type(entity)(**{name: getattr(entity, name) for name in needed})

    @staticmethod
    def _actions(changes: Iterable[Change]) -> set[str]:
        return {change.action for change in changes}


class Target:
    """A sink's target, used run by run as core uses it."""

    def __init__(
        self,
        sink_class: type[Sink],
        settings: Mapping[str, Any],
        clock: VirtualClock,
        server: Mapping[str, Any] | None = None,
    ) -> None:
        self._sink_class = sink_class
        self._settings = dict(settings)
        self._clock = clock
        self._server = server
        self.problems: list[dict[str, Any]] = []

    def opened(self, *, dry_run: bool = False, status: str = "success") -> _Opened:
        """A context of (sink, run): the sink isn't open yet, and is closed at the end."""
        self._clock.advance(60)
        config = self._sink_class.Config.model_validate(self._settings)
        model = self._sink_class.ServerConfig
        server = model.model_validate(self._server) if model and self._server else None
        return _Opened(self, self._sink_class(config), self._clock, dry_run, status, server)

    def write(
        self, records: Iterable[Record], *, dry_run: bool = False, status: str = "success"
    ) -> list[Change]:
        """One run: open, write, close."""
        with self.opened(dry_run=dry_run, status=status) as (sink, run):
            list(sink.open(run))
            return list(sink.write(iter(list(records)), run))

    def existing(self, kind: str, scope: Ref) -> list[Existing]:
        with self.opened() as (sink, run):
            list(sink.open(run))
            return list(run.stands(kind, scope))

    def delete(self, entities: list[Existing], *, dry_run: bool = False) -> list[Change]:
        with self.opened(dry_run=dry_run) as (sink, run):
            list(sink.open(run))
            return list(sink.delete(entities, run))


class _Opened:
    def __init__(
        self,
        target: Target,
        sink: Sink,
        clock: VirtualClock,
        dry_run: bool,
        status: str,
        server: Config | None,
    ) -> None:
        self._target = target
        self._sink = sink
        self._status = status
        run = Run(
            sample.SERVICE, clock=clock, sink=sink, names=sink.names, dry_run=dry_run, workers=2,
            server=server, id_in_url=sample.id_in_url,
        )  # fmt: skip
        run.redactor.add(*secrets_of(sink.config), *(secrets_of(server) if server else ()))
        self._run = run.at("sink")
        self._logging = logging_to(self._run, "DEBUG")

    def __enter__(self) -> tuple[Sink, Run]:
        self._logging.__enter__()
        return self._sink, self._run

    def __exit__(self, *_: object) -> None:
        try:
            self._sink.close(self._status)
            self._run.close()
        finally:
            self._logging.__exit__(None, None, None)
        self._target.problems += [group.as_dict() for group in self._run.report.problems]
