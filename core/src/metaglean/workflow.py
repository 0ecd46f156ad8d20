"""The workflow: source → processors → sink, then the deletion pass, then the verdict.

`Workflow` keeps the calls of OpenMetadata's recipes (create, execute, raise_from_status,
print_status, stop); `run_workflow` is the same in one call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaglean.clock import Clock
from metaglean.components import Change, Sink, Source, Step
from metaglean.errors import (
    ConfigError,
    MetagleanError,
    PluginError,
    RunError,
    Spooled,
    catching,
    ends_run,
)
from metaglean.logs import logging_to
from metaglean.observing import Watch
from metaglean.phases import phase
from metaglean.plugins import Registry
from metaglean.profiles import profiled
from metaglean.records import Record, Ref
from metaglean.redaction import Redactor
from metaglean.run import Run
from metaglean.spool import Direct, Journal, Replay, spool_of
from metaglean.stream import Stream, counted, read, renamed
from metaglean.summary import summary
from metaglean.sweep import sweep
from metaglean.text import write_line
from metaglean.verdict import first_of, report_listings, verdict

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig

Probe = Callable[[Run, Source, Sink], Iterator[Step]]


class Workflow:
    """One workflow, made by `create` or from a resolved configuration.

    `execute` may be called again: each call is a run of its own. `on_change` is called with every
    change of the sink (in a dry run: with what would change). A failed run prints its summary at
    once, because a recipe's `raise_from_status` keeps `print_status` from being reached; not so if
    `silent`. `status` is success, partialSuccess, failed or stopped.

    `push` names a spool: its records are sent, the source is not read, nothing is deleted; with
    `overwrite` also over what a later run wrote. Raises ConfigError for what is no spool of it.
    """

    def __init__(
        self,
        config: WorkflowConfig,
        *,
        dry_run: bool = False,
        limit: int | None = None,
        clock: Clock | None = None,
        on_change: Callable[[Change], None] | None = None,
        silent: bool = False,
        debug: bool = False,
        push: str | Path | None = None,
        overwrite: bool = False,
    ) -> None:
        self.config = config
        self.dry_run = dry_run
        self.limit = limit
        self.error: BaseException | None = None
        self.run: Run | None = None
        self.status = "success"
        self._replay = Replay(Path(push), config, overwrite=overwrite) if push else None
        self._spool = Direct()
        self._clock = clock
        self._on_change = on_change
        self._silent = silent
        self._level = "DEBUG" if debug else config.logger_level

    @classmethod
    def create(cls, config: Mapping[str, Any], **options: Any) -> Workflow:
        """A workflow from the configuration as a dict; nothing in it is interpolated.

        Raises ConfigError or PluginError (exit code 2).
        """
        from metaglean.config import parse_workflow

        return cls(parse_workflow(config, Registry()), **options)

    # -- the calls of the recipes -----------------------------------------------------------------

    def execute(self) -> None:
        """Run it. Errors of the run are kept for `raise_from_status`; a signal or an exception of
        the host is raised once everything is in order."""
        # A push has its spool already.
        self._spool = spool_of(self.config, needed=not (self.dry_run or self._replay))
        run = self._begin()
        with logging_to(run, self._level):
            self._watch = self._watching(run)
            with catching(ending=True) as caught:
                self._ingest(run)
            report_listings(run)
            error = caught.error or verdict(run, self.config.success_threshold)
            self.status = _status(run, error)
            with catching(ending=True) as closing, self._watch.during("close"):
                self._close(run)
            self.error = _cleaned(first_of(error, closing.error), run)
            self.status = _status(run, self.error)
            self._watch.close(self.report)
        if self.error and not self._silent:
            self.print_status()
        if self.error and not isinstance(self.error, MetagleanError):
            raise self.error

    def raise_from_status(self, raise_warnings: bool = False) -> None:
        """Raise what went wrong: ConfigError, RemoteError or RunError. With `raise_warnings` a
        single warning is enough."""
        if self.error:
            # What lies below is in the log at DEBUG; a task's log needs the message.
            raise self.error.with_traceback(None) from None
        if raise_warnings and self.run and self.run.report.warnings.count:
            raise RunError(f"the run ended with {self.run.report.warnings.count} warnings")

    @property
    def excused(self) -> bool:
        """Whether the run failed with what `raiseOnError: false` lets pass."""
        lets = not self.config.raise_on_error and isinstance(self.error, RunError)
        return lets and not isinstance(self.error, Spooled)

    def print_status(self, *, with_error: bool = True) -> None:
        """Print the summary of the last run; `with_error` ends it with what went wrong."""
        if self.run:
            text = summary(self.run, self.status, self.error if with_error else None)
            write_line(text, sys.stdout)

    def report(self) -> dict[str, Any]:
        """What `--report` writes: JSON-ready, secrets removed, its size bounded."""
        run = self.run
        if run is None:
            return {}
        code = getattr(self.error, "exit_code", 70) if self.error else 0
        data = {
            "run": run.id,
            "service": str(run.service),
            "status": self.status,
            "exit_code": 130 if type(self.error) is KeyboardInterrupt else code,
            "started": run.started,
            "seconds": round(run.clock.now() - run.started, 3),
            "dry_run": run.dry_run,
            "error": run.describe(self.error) if self.error else None,
            **run.report.as_dict(),
        }
        cleaned: dict[str, Any] = run.redactor.clean_value(data)
        return cleaned

    def stop(self) -> None:
        """Ask a run that goes on in another thread to end; nothing otherwise."""
        if self.run:
            self.run.stop()

    def test_connection(self) -> Iterator[Step]:
        """The steps of the source, then those of the sink; the sink comes first where it keeps the
        source's connection."""
        return self._asked(self._test_steps, "the connection test broke off")

    def probe(self, ask: Probe, *, sink: bool = True) -> Iterator[Step]:
        """What `ask` yields, in a run that reads and writes nothing itself; `sink` opens the sink,
        which is done anyway where it keeps the source's connection."""

        def steps(run: Run) -> Iterator[Step]:
            if sink or self._source is None:
                self._open(run)
            yield from ask(run, self._connected(run), self._sink)

        return self._asked(steps, "the check broke off")

    def _asked(self, ask: Callable[[Run], Iterator[Step]], broken: str) -> Iterator[Step]:
        run = self._begin()
        with logging_to(run, self._level):
            try:
                with phase(run, broken):
                    for step in ask(run):
                        yield step._replace(detail=run.redactor.clean(step.detail))
            finally:
                self.status = "stopped"
                self._close(run)

    def _test_steps(self, run: Run) -> Iterator[Step]:
        if self._source is not None:
            yield from self._source.test_connection(run)
        failed = False
        for step in _steps(self._sink.open(run.at("sink"))):
            failed = failed or (step.required and step.ok is False)
            yield step
        if self._source is None and not failed:
            yield from self._connected(run).test_connection(run)

    # -- one run ----------------------------------------------------------------------------------

    def _begin(self) -> Run:
        config = self.config
        redactor = Redactor()
        redactor.add(*config.secrets)
        service = Ref(config.source_class.service_kind, (config.service_name,))
        self._source: Source | None = None
        with self._making(redactor):
            if config.source_config is not None:
                self._source = config.source_class(
                    config.source_config, config.source_options, service
                )
            self._sink: Sink = config.sink_class(config.sink_config)
        if self.dry_run and "plan" not in self._sink.capabilities:
            raise ConfigError(
                f"the sink {config.sink_type!r} can't tell what it would change",
                "Leave --dry-run out, or use a sink with the capability plan.",
            )
        run = Run(
            service,
            clock=self._clock,
            workers=config.source_options.threads,
            filters=config.source_options.filters(),
            renaming=None if self._replay else config.rename.renaming(config.service_name),
            sink=self._sink,
            gone=lambda kind, ids: self._connected(run).confirm_gone(run, kind, ids),
            id_in_url=lambda url: self._connected(run).id_in_url(url),
            redactor=redactor,
            dry_run=self.dry_run,
            limit=self.limit,
            override_metadata=config.source_options.override_metadata,
            limits=config.limits.of,
            server=config.server,
            connection=lambda version: self._source.connection(version) if self._source else None,
            classifications=config.classifications,
            other_classifications=config.other_classifications,
            ingestion_pipeline_fqn=config.ingestion_pipeline_fqn,
            run_id=config.pipeline_run_id,
            recorder=self._spool if isinstance(self._spool, Journal) else None,
        )
        if self.dry_run:
            run.renaming.remember()
        self.run, self.error, self.status = run, None, "success"
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

    def _connected(self, run: Run) -> Source:
        """The source; where the workflow has no connection, made with the one the sink keeps."""
        if self._source is None:
            from metaglean.config.stored import stored_config, stored_secrets

            config = self.config
            self._spool.needs_sink()
            with phase(run, "the stored connection could not be read"):
                data = self._sink.stored_connection(run.service)
                run.redactor.add(*stored_secrets(config.source_class, data or {}))
                settings = stored_config(
                    config.source_class, config.source_options, data, config.service_name
                )
            with self._making(run.redactor):
                self._source = config.source_class(settings, config.source_options, run.service)
        return self._source

    def _ingest(self, run: Run) -> None:
        with self._watch.during("open"):
            self._open(run)
            self._spool.begin(run, self._connected(run))
        stream = Stream(self._records(run), run)
        with catching(ending=True) as writing, self._watch.during("write"):
            self._write(run, stream)
        error = first_of(self._of_source(run, stream.error), writing.error)
        if error:
            raise error
        if run.limit is None and not self.config.profiler and self._replay is None:
            with self._watch.during("delete"):
                sweep(run, self._sink, self.config, self._changed)

    def _open(self, run: Run) -> None:
        what = f"the sink {self.config.sink_type} could not be opened"
        with self._spool.sink_away(), phase(run, what):
            for step in _steps(self._sink.open(run.at("sink"))):
                if step.required and step.ok is False:
                    raise RunError(f"{self.config.sink_type}: {step.name} failed", step.detail)
                run.log.debug("%s: %s %s", self.config.sink_type, step.name, step.detail)
        run.names = self._sink.names  # a server's rules are known once it was asked

    def _records(self, run: Run) -> Iterator[Record]:
        """The source's records, counted, through the profiler and the processors; what a spool
        holds has been through them."""
        if self._replay:
            return counted(self._replay.records(run, self._sink), run)
        source = self._connected(run)
        records = self._watch.reading(read(source, run))
        if self.config.profiler:
            profiler_class, config = self.config.profiler
            records = profiled(records, profiler_class(config, source), run)
        records = counted(renamed(records, run), run)
        for processor_class, config in self.config.processors:
            records = processor_class(config).process(records, run.at("processor"))
        return records

    def _write(self, run: Run, stream: Stream) -> None:
        with phase(run.at("sink"), "the sink stopped"):
            for change in self._spool.write(self._sink, stream, run.at("sink")):
                self._changed(change, run)

    def _watching(self, run: Run) -> Watch:
        config = self.config
        return Watch(config.observers, run, config.source_class.type, config.sink_type)

    def _changed(self, change: Change, run: Run) -> None:
        self._watch.changed(change)
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

    # -- the end ----------------------------------------------------------------------------------

    def _close(self, run: Run) -> None:
        """Everything is closed, whatever of it fails."""
        with catching(ending=True) as source:
            if self._source is not None:
                self._source.close(run)
        with catching(ending=True) as sink, phase(run, "the sink could not be closed"):
            self._sink.close(self.status)
        run.close()
        self._spool.finish()
        if self._replay:
            self._replay.close(run)
        error = first_of(self._spool.minded(sink.error), source.error)
        if error:
            raise error


def run_workflow(config: Mapping[str, Any] | WorkflowConfig, **options: Any) -> Workflow:
    """Create a workflow (from a dict or a resolved configuration), execute it, and raise what went
    wrong, unless the workflow says `raiseOnError: false`. Returns the workflow; its `run.report`
    has the counts."""
    if isinstance(config, Mapping):
        workflow = Workflow.create(config, **options)
    else:
        workflow = Workflow(config, **options)
    workflow.execute()
    if not workflow.excused:
        workflow.raise_from_status()
    return workflow


def _steps(steps: Iterator[Step] | None) -> Iterator[Step]:
    """An `open` that yields nothing returns None."""
    return steps or iter(())


def _status(run: Run, error: BaseException | None) -> str:
    if error is None:
        return "partialSuccess" if run.report.problems.count else "success"
    stopped = run.stopping or not isinstance(error, Exception)
    return "stopped" if stopped else "failed"


def _cleaned(error: BaseException | None, run: Run) -> BaseException | None:
    """The same error; of ours, message and hint without secrets."""
    if isinstance(error, MetagleanError):
        error.message = run.redactor.clean(error.message)
        error.hint = run.redactor.clean(error.hint)
        error.args = (error.message,)
    return error
