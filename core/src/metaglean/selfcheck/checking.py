"""Source, then sink; the scratch service is removed whatever happens."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

from metaglean.components import Assumption, Sink, Source, Step
from metaglean.config import WorkflowConfig
from metaglean.errors import MetagleanError, RunError, catching
from metaglean.records import Ref
from metaglean.run import Run
from metaglean.selfcheck.samples import ASSUMPTIONS, Samples, sample_config
from metaglean.workflow import Workflow

MARK = "Scratch service of a Metaglean self-check, may be removed; begun at "
_INFIX = "_selfcheck_"
_LONGEST = 80  # of the service's own name: servers hold 128 characters
_OLD = 3600.0  # seconds; a younger one may be another's that still runs


class Finding(NamedTuple):
    """What became of one assumption: `ok` is None where it was not tested, and `detail` says why,
    or what was found instead."""

    component: str
    name: str
    text: str
    ok: bool | None
    detail: str = ""


class Selfcheck:
    """One self-check of a workflow.

    `scratch` is the service that is made in the target and removed again; `notes` is what else is
    to be told: what earlier self-checks left; `left` what could not be removed; `error` what kept
    a part from being tested at all (a system that is away).
    """

    def __init__(self, config: WorkflowConfig, *, now: Callable[[], float] = time.time) -> None:
        self.config = config
        self.notes: list[str] = []
        self.left: list[str] = []
        self.error: MetagleanError | None = None
        self._now = now
        self._prefix = prefix(config)
        self.scratch = f"{self._prefix}{secrets.token_hex(4)}"
        self._mark = f"{MARK}{int(now())}."

    def findings(self) -> Generator[Finding, None, None]:
        """One by one, as they are found."""
        source = self.config.source_class
        yield from self._findings(f"source {source.type}", source.assumptions, self._source())
        sink = self.config.sink_class
        name = f"sink {self.config.sink_type}"
        yield from self._findings(name, (*ASSUMPTIONS, *sink.assumptions), self._sink())

    def _findings(
        self, component: str, assumptions: Iterable[Assumption], steps: Generator[Step, None, None]
    ) -> Generator[Finding, None, None]:
        """Steps as findings; what gets none is one that was not tested."""
        open_ones = {one.name: one.text for one in assumptions}
        reason = "nothing tests it"
        with catching() as caught, closing(steps):
            try:
                for step in steps:
                    text = open_ones.pop(step.name, step.name)
                    yield Finding(component, step.name, text, step.ok, step.detail)
            except MetagleanError as error:
                reason = error.message
                if not isinstance(error, RunError):
                    self.error = self.error or error
        if caught.error:
            reason = type(caught.error).__name__
        for name, text in open_ones.items():
            yield Finding(component, name, text, None, reason)

    def plan(self) -> list[tuple[str, tuple[Assumption, ...]]]:
        """What would be tested, by component."""
        source, sink = self.config.source_class, self.config.sink_class
        return [
            (f"source {source.type}", source.assumptions),
            (f"sink {self.config.sink_type}", (*ASSUMPTIONS, *sink.assumptions)),
        ]

    def _source(self) -> Generator[Step, None, None]:
        def ask(run: Run, source: Source, _sink: Sink) -> Iterator[Step]:
            return source.selfcheck(run)

        yield from Workflow(self.config, silent=True).probe(ask, sink=False)

    def _sink(self) -> Generator[Step, None, None]:
        """Whatever ends this (an error, a signal, a caller who has enough), the service goes."""
        if self.config.sink_class.discard is Sink.discard:
            raise RunError("this sink can't remove what a self-check makes")
        self._clear()
        try:
            yield from Samples(self.config, self.scratch, self._mark).steps()
            yield from self._probe(lambda run, _, sink: sink.selfcheck(run.at("sink")))
        finally:
            self._remove(self.scratch)

    def _probe(self, ask: Callable[[Run, Source, Sink], Iterable[Step]]) -> Iterator[Step]:
        config = sample_config(self.config, self.scratch)
        workflow = Workflow(config, silent=True)
        return workflow.probe(lambda run, source, sink: iter(ask(run, source, sink)))

    # -- nothing is left ------------------------------------------------------------------------

    def _clear(self) -> None:
        """Remove what earlier self-checks left; tell of those that may still run."""
        for name, description in self._standing().items():
            begun = _begun(description)
            if begun is None or not re.fullmatch(r"[0-9a-f]{8}", name.removeprefix(self._prefix)):
                continue
            if self._now() - begun < _OLD:
                self.notes.append(
                    f"{name} is of another self-check that began less than an hour ago: left alone"
                )
            else:
                self._discard(name)
                self.notes.append(f"{name}, left by an earlier self-check, was removed")

    def _remove(self, name: str) -> None:
        """Remove our own, and look whether it is gone."""
        removed = False
        with catching(ending=True) as caught:
            if name in self._standing():
                self._discard(name)
            removed = name not in self._standing()
        if not removed:
            self.left.append(name)
        if caught.error and not isinstance(caught.error, MetagleanError):
            raise caught.error

    def _standing(self) -> dict[str, str]:
        """Name → description of the services that are called as those that self-checks make."""
        found: dict[str, str] = {}

        def ask(_run: Run, _source: Source, sink: Sink) -> Iterator[Step]:
            found.update((ref.name, text) for ref, text in sink.services(self._prefix))
            return iter(())

        list(self._probe(ask))
        return found

    def _discard(self, name: str) -> None:
        def ask(_run: Run, _source: Source, sink: Sink) -> Iterator[Step]:
            sink.discard(Ref("databaseService", (name,)))
            return iter(())

        list(self._probe(ask))


def prefix(config: WorkflowConfig) -> str:
    """What the names of scratch services begin with; eight hexadecimal digits follow."""
    return f"{config.service_name[:_LONGEST]}{_INFIX}"


def _begun(description: str) -> float | None:
    """When the self-check began whose mark this is; None for a service that bears none."""
    found = re.match(rf"{re.escape(MARK)}(\d+)", description)
    return float(found[1]) if found else None
