"""One run of a workflow: its source, its sink, and what flows from the one to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaglean.clock import Clock
from metaglean.components import Change, Sink, Source, Step
from metaglean.errors import ConfigError, PluginError, RunError, catching, ends_run
from metaglean.observing import Watch
from metaglean.phases import phase
from metaglean.profiles import profiled
from metaglean.records import Record, Ref
from metaglean.redaction import Redactor
from metaglean.run import Run
from metaglean.spool import Direct, Journal, Replay
from metaglean.stream import Stream, counted, read, renamed
from metaglean.sweep import sweep
from metaglean.verdict import first_of

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig


@dataclass(frozen=True)
class Options:
    """How one workflow is run: as `Workflow` was told."""

    dry_run: bool = False
    limit: int | None = None
    clock: Clock | None = None
    on_change: Callable[[Change], None] | None = None


class Execution:
    """One run. `spool` takes what the sink can't, `replay` is a spool that is sent instead of
    reading the source, which is None until it is connected to."""

    def __init__(
        self,
        config: WorkflowConfig,
        options: Options,
        *,
        spool: Direct | None = None,
        replay: Replay | None = None,
    ) -> None:
        """Raises ConfigError or PluginError where the components can't be made."""
        self.config = config
        self.source: Source | None = None
        self._options = options
        self._on_change = options.on_change
        self._spool = spool or Direct()
        self._replay = replay
        self._types = (config.source_class.type, config.sink_type)
        redactor = Redactor()
        redactor.add(*config.secrets)
        service = Ref(config.source_class.service_kind, (config.service_name,))
        with self._making(redactor):
            if config.source_config is not None:
                self.source = config.source_class(
                    config.source_config, config.source_options, service
                )
            self.sink: Sink = config.sink_class(config.sink_config)
        if options.dry_run and "plan" not in self.sink.capabilities:
            raise ConfigError(
                f"the sink {config.sink_type!r} can't tell what it would change",
                "Leave --dry-run out, or use a sink with the capability plan.",
            )
        self.run = self._run(service, redactor)
        self.watch = Watch((), self.run, *self._types)

    def _run(self, service: Ref, redactor: Redactor) -> Run:
        config, options = self.config, self._options
        run = Run(
            service,
            clock=options.clock,
            workers=config.source_options.threads,
            filters=config.source_options.filters(),
            renaming=None if self._replay else config.rename.renaming(config.service_name),
            sink=self.sink,
            gone=lambda kind, ids: self.connected().confirm_gone(run, kind, ids),
            id_in_url=lambda url: self.connected().id_in_url(url),
            redactor=redactor,
            dry_run=options.dry_run,
            limit=options.limit,
            override_metadata=config.source_options.override_metadata,
            limits=config.limits.of,
            server=config.server,
            connection=lambda version: self.source.connection(version) if self.source else None,
            classifications=config.classifications,
            other_classifications=config.other_classifications,
            ingestion_pipeline_fqn=config.ingestion_pipeline_fqn,
            run_id=config.pipeline_run_id,
            recorder=self._spool if isinstance(self._spool, Journal) else None,
        )
        if options.dry_run:
            run.renaming.remember()
        for warning in config.warnings:
            run.at("configuration").warn(warning)
        return run

    @contextmanager
    def _making(self, redactor: Redactor) -> Iterator[None]:
        """What a component's constructor raises is the plugin's fault."""
        with catching() as caught:
            yield
        if caught.error:
            cause = redactor.clean(f"{type(caught.error).__name__}: {caught.error}")
            names = f"{self.config.source_class.type} or {self.config.sink_type}"
            raise PluginError(f"{names}: {cause}") from None

    def connected(self) -> Source:
        """The source; where the workflow has no connection, made with the one the sink keeps."""
        if self.source is None:
            from metaglean.config.stored import stored_config, stored_secrets

            config, run = self.config, self.run
            self._spool.needs_sink()
            with phase(run, "the stored connection could not be read"):
                data = self.sink.stored_connection(run.service)
                run.redactor.add(*stored_secrets(config.source_class, data or {}))
                settings = stored_config(
                    config.source_class, config.source_options, data, config.service_name
                )
            with self._making(run.redactor):
                self.source = config.source_class(settings, config.source_options, run.service)
        return self.source

    def ingest(self) -> None:
        """Read, write, mark deleted. Raises what ended the run."""
        run = self.run
        self.watch = Watch(self.config.observers, run, *self._types)
        with self.watch.during("open"):
            self.open()
            self._spool.begin(run, self.connected())
        stream = Stream(self._records(run), run)
        with catching(ending=True) as writing, self.watch.during("write"):
            self._write(run, stream)
        error = first_of(self._of_source(run, stream.error), writing.error)
        if error:
            raise error
        if run.limit is None and not self.config.profiler and self._replay is None:
            with self.watch.during("delete"):
                sweep(run, self.sink, self.config, self._changed)

    def open(self) -> None:
        """Open the sink. Raises RunError where it lacks what it needs."""
        run = self.run
        what = f"the sink {self.config.sink_type} could not be opened"
        with self._spool.sink_away(), phase(run, what):
            for step in _steps(self.sink.open(run.at("sink"))):
                if step.required and step.ok is False:
                    raise RunError(f"{self.config.sink_type}: {step.name} failed", step.detail)
                run.log.debug("%s: %s %s", self.config.sink_type, step.name, step.detail)
        run.names = self.sink.names  # a server's rules are known once it was asked

    def test(self) -> Iterator[Step]:
        """The steps of the source, then those of the sink; the sink comes first where it keeps the
        source's connection."""
        source = self.source
        if source is not None:
            yield from source.test_connection(self.run)
        failed = False
        for step in _steps(self.sink.open(self.run.at("sink"))):
            failed = failed or (step.required and step.ok is False)
            yield step
        if source is None and not failed:
            yield from self.connected().test_connection(self.run)

    def _records(self, run: Run) -> Iterator[Record]:
        """The source's records, counted, through the profiler and the processors; what a spool
        holds has been through them."""
        if self._replay:
            return counted(self._replay.records(run, self.sink), run)
        source = self.connected()
        records = self.watch.reading(read(source, run))
        if self.config.profiler:
            profiler_class, config = self.config.profiler
            records = profiled(records, profiler_class(config, source), run)
        records = counted(renamed(records, run), run)
        for processor_class, config in self.config.processors:
            records = processor_class(config).process(records, run.at("processor"))
        return records

    def _write(self, run: Run, stream: Stream) -> None:
        with phase(run.at("sink"), "the sink stopped"):
            for change in self._spool.write(self.sink, stream, run.at("sink")):
                self._changed(change, run)

    def _changed(self, change: Change, run: Run) -> None:
        self.watch.changed(change)
        run.report.count("sink", change.kind or change.ref.kind, change.action)
        if change.action == "updated" and "display_name" in change.fields:
            run.report.count("names", change.ref.kind, "renamed")
        if self._on_change:
            with catching() as caught:
                self._on_change(change)
            if caught.error:  # nobody looks any more (`| head`): that is no fault of the run
                self._on_change = None

    def _of_source(self, run: Run, error: BaseException | None) -> BaseException | None:
        """The error that ended the source's stream, as one of ours."""
        if error is None or ends_run(error):
            return error
        run.problem(f"the source stopped: {run.describe(error)}", error=error)
        return RunError(f"the source stopped: {run.describe(error)}")

    def close(self, status: str) -> None:
        """Everything is closed, whatever of it fails; raises the first that did."""
        run = self.run
        with catching(ending=True) as source:
            if self.source is not None:
                self.source.close(run)
        with catching(ending=True) as sink, phase(run, "the sink could not be closed"):
            self.sink.close(status)
        run.close()
        self._spool.finish()
        if self._replay:
            self._replay.close(run)
        error = first_of(self._spool.minded(sink.error), source.error)
        if error:
            raise error


def _steps(steps: Iterator[Step] | None) -> Iterator[Step]:
    """An `open` that yields nothing returns None."""
    return steps or iter(())
