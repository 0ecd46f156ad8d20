"""The workflow: source → processors → sink, then the deletion pass, then the verdict.

`Workflow` keeps the calls of OpenMetadata's recipes (create, execute, raise_from_status,
print_status, stop); `run_workflow` is the same in one call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from metaglean import deletion
from metaglean.clock import Clock
from metaglean.components import Change, Sink, Source, Step
from metaglean.errors import ConfigError, Interrupted, MetagleanError, RunError, catching, ends_run
from metaglean.logs import logging_to
from metaglean.plugins import Registry
from metaglean.profiles import profiled
from metaglean.records import Entity, Record, Ref, Service
from metaglean.redaction import Redactor
from metaglean.run import Run
from metaglean.summary import summary

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig

LEAVES = ("table", "pipeline", "dashboard")
Observer = Callable[[Change], None]


class Workflow:
    """One workflow, made by `create` or from a resolved configuration.

    `execute` may be called again: each call is a run of its own. `on_change` is called with every
    change of the sink (in a dry run: with what would change). A failed run prints its summary at
    once, because a recipe's `raise_from_status` keeps `print_status` from being reached; not so if
    `silent`.
    """

    def __init__(
        self,
        config: WorkflowConfig,
        *,
        dry_run: bool = False,
        limit: int | None = None,
        clock: Clock | None = None,
        on_change: Observer | None = None,
        silent: bool = False,
        debug: bool = False,
    ) -> None:
        self.config = config
        self.dry_run = dry_run
        self.limit = limit
        self.error: BaseException | None = None
        self.run: Run | None = None
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
        """Run it. Errors of ours are kept for `raise_from_status`; a signal or an exception of the
        host is raised once everything is in order."""
        run = self._begin()
        self.error = None
        with logging_to(run, self._level):
            with catching(ending=True) as caught:
                self._ingest(run)
            self.error = caught.error or self._verdict(run)
            with catching(ending=True) as closing:
                self._sink.close(self.status)
                run.close()
            self.error = self.error or closing.error
        if self.error and not self._silent:
            self.print_status()
        if self.error and not isinstance(self.error, MetagleanError):
            raise self.error

    def raise_from_status(self, raise_warnings: bool = False) -> None:
        """Raise what went wrong: ConfigError, RemoteError or RunError. With `raise_warnings` a
        single warning is enough."""
        if self.error:
            raise self.error
        if raise_warnings and self.run and self.run.report.warnings.count:
            raise RunError(f"the run ended with {self.run.report.warnings.count} warnings")

    def print_status(self) -> None:
        """Print the summary of the last run."""
        if self.run:
            sys.stdout.write(summary(self.run, self.status, self.error) + "\n")
            sys.stdout.flush()

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

    @property
    def status(self) -> str:
        """success, partialSuccess, failed or stopped."""
        if isinstance(self.error, KeyboardInterrupt):
            return "stopped"
        if self.error:
            return "failed"
        problems = self.run.report.problems.count if self.run else 0
        return "partialSuccess" if problems else "success"

    def test_connection(self) -> Iterator[Step]:
        """The steps of the source, then those of the sink."""
        run = self._begin()
        with logging_to(run, self._level):
            yield from self._source.test_connection(run)
            yield from self._sink.open(run.at("sink"))
            self._sink.close("success")
            run.close()

    # -- one run ----------------------------------------------------------------------------------

    def _begin(self) -> Run:
        config = self.config
        redactor = Redactor()
        redactor.add(*config.secrets)
        service = Ref(config.source_class.service_kind, (config.service_name,))
        self._source: Source = config.source_class(
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
            sink=self._sink,
            gone=lambda ids: self._source.confirm_gone(run, ids),
            id_in_url=self._source.id_in_url,
            redactor=redactor,
            dry_run=self.dry_run,
            limit=self.limit,
            override_metadata=config.source_options.override_metadata,
            requests_per_second=config.limits.requests_per_second,
            run_id=config.pipeline_run_id,
        )
        self.run = run
        for warning in config.warnings:
            run.at("configuration").warn(warning)
        return run

    def _ingest(self, run: Run) -> None:
        self._open(run)
        stream = Stream(self._records(run), run)
        self._write(run, stream)
        if stream.error:
            self._ended_early(run, stream.error)
        if run.limit is None and not run.stopping and not self.config.profiler:
            self._delete(run)

    def _open(self, run: Run) -> None:
        for step in self._sink.open(run.at("sink")):
            if step.required and step.ok is False:
                raise RunError(f"{self.config.sink_type}: {step.name} failed", step.detail)
            run.log.debug("%s: %s %s", self.config.sink_type, step.name, step.detail)
        run.names = self._sink.names  # a server's rules are known once it was asked

    def _records(self, run: Run) -> Iterator[Record]:
        """The source's records, counted, through the processors."""
        records = self._counted(self._read(run), run)
        for processor_class, config in self.config.processors:
            records = processor_class(config).process(records, run.at("processor"))
        return records

    def _read(self, run: Run) -> Iterator[Record]:
        yield Service(ref=run.service, service_type=self._source.service_type)
        records = self._source.read(run)
        if self.config.profiler:
            profiler_class, config = self.config.profiler
            records = profiled(records, profiler_class(config, self._source), run)
        if run.limit is None:
            yield from records
            return
        leaves = 0
        for record in records:
            yield record
            leaves += isinstance(record, Entity) and record.ref.kind in LEAVES
            if leaves >= run.limit:
                return

    def _counted(self, records: Iterator[Record], run: Run) -> Iterator[Record]:
        for record in records:
            if run.stopping:
                return
            run.count(record.kind, "read")
            yield record

    def _write(self, run: Run, stream: Stream) -> None:
        sink_run = run.at("sink")
        with catching() as caught:
            for change in self._sink.write(stream, sink_run):
                self._changed(change, sink_run)
        if caught.error:
            sink_run.problem(f"the sink stopped: {run.describe(caught.error)}", error=caught.error)
            raise RunError(f"the sink stopped: {run.describe(caught.error)}") from caught.error

    def _changed(self, change: Change, run: Run) -> None:
        run.count(change.kind or change.ref.kind, change.action)
        if change.action == "updated" and "display_name" in change.fields:
            run.report.count("names", change.ref.kind, "renamed")
        if self._on_change:
            self._on_change(change)

    def _ended_early(self, run: Run, error: BaseException) -> None:
        """The source's stream ended with an error: raise what ends the run, as ours."""
        if ends_run(error):
            raise error
        run.problem(f"the source stopped: {run.describe(error)}", error=error)
        raise RunError(f"the source stopped: {run.describe(error)}") from error

    # -- the end ----------------------------------------------------------------------------------

    def _delete(self, run: Run) -> None:
        """The deletion pass: core decides, the sink is given what goes."""
        if "deletion" not in self._sink.capabilities:
            return
        policy = deletion.Policy(
            self.config.deletion.max_percent,
            self.config.deletion.empty,
            self.config.deletion.filtered == "delete",
        )
        sink_run = run.at("deletion")
        for listing in run.listings:
            on = self.config.source_options.deletes(listing.kind)
            decision = deletion.decide(listing, on, policy, run.confirm_gone)
            if decision.refused:
                sink_run.problem(decision.refused, hint=decision.hint)
            if decision.unconfirmed:
                sink_run.warn(
                    f"{decision.unconfirmed} ({listing.kind}) in {listing.scope} were not listed, "
                    "but the source does not confirm that they are gone: kept"
                )
            for change in self._sink.delete(decision.delete, sink_run) if decision.delete else ():
                run.at("sink").count(change.ref.kind, change.action)
                if self._on_change:
                    self._on_change(change)
            if decision.missing:
                run.report.deletions.append(
                    {
                        "kind": listing.kind,
                        "scope": str(listing.scope),
                        "missing": decision.missing,
                        "deleted": len(decision.delete),
                        "refused": decision.refused,
                    }
                )

    def _verdict(self, run: Run) -> BaseException | None:
        """The error that the run's result amounts to, if any."""
        for listing in run.listings:
            run.report.listings.append(
                {
                    "kind": listing.kind,
                    "scope": str(listing.scope),
                    "listed": len(listing.ids),
                    "complete": listing.complete,
                    "reasons": list(listing.reasons),
                }
            )
        if run.stopping:
            return Interrupted(run.signal) if run.signal else RunError("stopped before its end")
        return self._incomplete(run) or self._too_little(run)

    def _incomplete(self, run: Run) -> RunError | None:
        if run.limit is not None:
            return None
        for listing in run.listings:
            if not listing.complete:
                return RunError(
                    f"the listing of {listing.scope} ({listing.kind}) is incomplete: "
                    f"{'; '.join(listing.reasons)}",
                    "What was read is written, nothing was deleted; run it again.",
                )
        return None

    def _too_little(self, run: Run) -> RunError | None:
        for stage in ("source", "sink"):
            percent = run.report.success_percent(stage)
            if percent < self.config.success_threshold:
                return RunError(
                    f"only {percent:g} % of the {stage}'s entities succeeded "
                    f"(successThreshold: {self.config.success_threshold})",
                    "The problems above name what failed and why.",
                )
        return None


class Stream(Iterator[Record]):
    """The source's records as a sink sees them: an error or a signal is the end of the stream, and
    `error` keeps it for the time after. A signal is raised only in here, never inside a sink."""

    def __init__(self, records: Iterator[Record], run: Run) -> None:
        self._records = records
        self._run = run
        self.error: BaseException | None = None

    def __next__(self) -> Record:
        record = None
        with catching(ending=True) as caught:
            self._run.reading(True)
            record = next(self._records, None)
            self._run.reading(False)
        if caught.error:
            self._run.reading(False)
            self.error = caught.error
        if record is None or self._run.stopping:
            raise StopIteration
        return record


def run_workflow(config: Mapping[str, Any] | WorkflowConfig, **options: Any) -> Workflow:
    """Create a workflow (from a dict or a resolved configuration), execute it, and raise what went
    wrong. Returns the workflow; its `run.report` has the counts."""
    if isinstance(config, Mapping):
        workflow = Workflow.create(config, **options)
    else:
        workflow = Workflow(config, **options)
    workflow.execute()
    workflow.raise_from_status()
    return workflow
