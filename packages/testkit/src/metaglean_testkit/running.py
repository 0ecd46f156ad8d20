"""Runs one component outside of a workflow, and whole workflows with classes that need not be
installed."""

from __future__ import annotations

import contextlib
import io
import json
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from metaglean.clock import Clock
from metaglean.components import Component, Observer, Processor, Profiler, Sink, Source
from metaglean.config import parse_workflow
from metaglean.errors import MetagleanError, catching
from metaglean.listing import Listing
from metaglean.logs import logging_to
from metaglean.names import Listed
from metaglean.plugins import Registry
from metaglean.records import Record, Ref
from metaglean.redaction import Redactor
from metaglean.run import Run
from metaglean.workflow import Workflow
from metaglean_testkit.clock import VirtualClock
from metaglean_testkit.secrets import logged, secrets_of

SERVICE = "testkit"
"""Name of the service under which the suites let a source write."""

_KINDS: tuple[tuple[str, type[Component]], ...] = (
    ("source", Source),
    ("processor", Processor),
    ("sink", Sink),
    ("profiler", Profiler),
    ("observer", Observer),
)
Item = TypeVar("Item")
Result = TypeVar("Result")


class SerialRun(Run):
    """A run whose `map` works on the caller's thread, one item at a time and none ahead.

    With a `shuffle` seed every inventory arrives in another order than the source gave.
    """

    shuffle: int | None = None

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        workers: int | None = None,
        ahead: int | None = None,
    ) -> Iterator[Result]:
        for item in items:
            results: list[Result] = []
            with catching() as caught:
                results.append(function(item))
            if caught.error:
                self.failed(str(item)[:200], caught.error)
            yield from results

    def listing(self, kind: str, scope: Ref, *, followed: bool = True) -> Listing:
        listing = super().listing(kind, scope, followed=followed)
        if self.shuffle is not None:
            shuffled = _ShuffledListing(self, kind, scope, listing.standing, followed)
            shuffled.seed = self.shuffle
            self.listings[-1] = listing = shuffled
        return listing


class _ShuffledListing(Listing):
    seed: int = 0

    def over(self, inventory: Iterable[Listed]) -> Iterator[tuple[Ref, Listed]]:
        yield from super().over(self._shuffled(inventory))

    def _shuffled(self, inventory: Iterable[Listed]) -> Iterator[Listed]:
        items = list(inventory)
        random.Random(self.seed).shuffle(items)
        yield from items


@dataclass
class Reading:
    """A source, made ready: `records()` reads it, `run` has its report and listings."""

    source: Source
    run: Run
    secrets: frozenset[str]

    def records(self) -> Iterator[Record]:
        return self.source.read(self.run)

    def close(self) -> None:
        """Close the source, then the run, as the end of a workflow does."""
        self.source.close(self.run)
        self.run.close()


def prepare(
    source_class: type[Source],
    connection: Mapping[str, Any],
    *,
    options: Mapping[str, Any] | None = None,
    sink: Sink | None = None,
    clock: Clock | None = None,
    run_class: type[Run] = Run,
    **run_options: Any,
) -> Reading:
    """A source and a run for it, configured as a workflow would; nothing is read yet.

    `connection` and `options` are `serviceConnection.config` and `sourceConfig.config` as users
    write them. Raises pydantic's ValidationError where they don't fit.
    """
    config = source_class.Config.model_validate(_without_type(source_class, connection))
    chosen = source_class.Options.model_validate(dict(options or {}))
    secrets = secrets_of(config)
    service = Ref(source_class.service_kind, (SERVICE,))
    source = source_class(config, chosen, service)
    run = run_class(
        service,
        clock=clock or VirtualClock(),
        sink=sink,
        filters=chosen.filters(),
        workers=chosen.threads,
        gone=lambda kind, ids: source.confirm_gone(run, kind, ids),
        redactor=Redactor(*secrets),
        **run_options,
    )
    return Reading(source, run, secrets)


def run_source(
    source_class: type[Source],
    connection: Mapping[str, Any],
    *,
    options: Mapping[str, Any] | None = None,
    sink: Sink | None = None,
    **run_options: Any,
) -> tuple[Run, list[Record]]:
    """Read a source to its end: the run (report, listings) and the records.

    With a `sink` its standing entities decide names, and the records are written to it.
    """
    reading = prepare(source_class, connection, options=options, sink=sink, **run_options)
    with logging_to(reading.run, "DEBUG"):
        records = list(reading.records())
        if sink is not None:
            for _ in sink.write(iter(records), reading.run.at("sink")):
                pass
    reading.close()
    return reading.run, records


class Classes:
    """The components that are installed, and classes that needn't be (a `Components`)."""

    def __init__(self, *classes: type[Component]) -> None:
        self._installed = Registry()
        self._given = {
            (kind, given.type): given
            for kind, base in _KINDS
            for given in classes
            if issubclass(given, base)
        }

    def get(self, kind: str, type: str) -> type[Component]:  # noqa: A002  # Components' own word
        given = self._given.get((kind, type.lower()))
        return given or self._installed.get(kind, type)

    def types(self, kind: str) -> list[str]:
        given = {type_ for given_kind, type_ in self._given if given_kind == kind}
        return sorted(given | set(self._installed.types(kind)))


@dataclass
class Outcome:
    """What a workflow left: exit code, report (`--report`), log and summary as text."""

    exit_code: int
    report: dict[str, Any]
    log: str
    summary: str
    error: BaseException | None = field(default=None, repr=False)

    @property
    def written(self) -> str:
        """All text that a user could see."""
        raised = str(self.error) if isinstance(self.error, MetagleanError) else ""
        return "\n".join([self.log, self.summary, json.dumps(self.report), raised])


def run_classes(
    config: Mapping[str, Any], *classes: type[Component], clock: Clock | None = None, **options: Any
) -> Outcome:
    """Run a workflow (as `metaglean ingest` would) whose components may be these classes.

    Raises ConfigError or PluginError where the workflow can't be started; what goes wrong later
    is in the outcome.
    """
    printed = io.StringIO()
    workflow = Workflow(
        parse_workflow(config, Classes(*classes)),
        clock=clock or VirtualClock(),
        silent=True,
        debug=True,
        **options,
    )
    with logged() as log, contextlib.redirect_stdout(printed), catching(ending=True) as caught:
        workflow.execute()
        workflow.print_status()
    error = caught.error or workflow.error
    return Outcome(_exit_code(error), workflow.report(), log.text, printed.getvalue(), error)


def _exit_code(error: BaseException | None) -> int:
    return int(getattr(error, "exit_code", 70)) if error else 0


def _without_type(source_class: type[Source], connection: Mapping[str, Any]) -> dict[str, Any]:
    """`type` is the workflow's; a model that doesn't ask for it is spared it."""
    data = dict(connection)
    known = {field.alias or name for name, field in source_class.Config.model_fields.items()}
    if "type" not in known:
        data.pop("type", None)
    return data


def secrets_of_connection(
    source_class: type[Source], connection: Mapping[str, Any]
) -> frozenset[str]:
    """The secret values of a connection as users write it."""
    return secrets_of(source_class.Config.model_validate(_without_type(source_class, connection)))


def catalog_state(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What stands in a catalog file: (kind, qualified name) → `source_id`, `deleted`, and the
    fields as `state`."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows: Sequence[Any] = connection.execute(
            "SELECT kind, fqn, source_id, deleted_run, state FROM entities"
        ).fetchall()
    return {
        (kind, name): {
            "source_id": source_id,
            "deleted": deleted_run is not None,
            "state": json.loads(state),
        }
        for kind, name, source_id, deleted_run, state in rows
    }
