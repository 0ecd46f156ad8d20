"""The workflow as users call it: runs it, keeps what came of it, and prints that.

`Workflow` keeps the calls of OpenMetadata's recipes (create, execute, raise_from_status,
print_status, stop); `run_workflow` is the same in one call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaglean.clock import Clock
from metaglean.components import Change, Sink, Source, Step
from metaglean.errors import MetagleanError, RunError, Spooled, catching
from metaglean.execution import Execution, Options
from metaglean.logs import logging_to
from metaglean.phases import phase
from metaglean.plugins import Registry
from metaglean.run import Run
from metaglean.spool import Direct, Replay, spool_of
from metaglean.summary import summary
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
        self.error: BaseException | None = None
        self.run: Run | None = None
        self.status = "success"
        self._replay = Replay(Path(push), config, overwrite=overwrite) if push else None
        self._options = Options(dry_run, limit, clock, on_change)
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
        needed = not (self._options.dry_run or self._replay)
        execution = self._begin(spool_of(self.config, needed=needed))
        run = execution.run
        with logging_to(run, self._level):
            with catching(ending=True) as caught:
                execution.ingest()
            report_listings(run)
            error = caught.error or verdict(run, self.config.success_threshold)
            self.status = _status(run, error)
            with catching(ending=True) as closing, execution.watch.during("close"):
                execution.close(self.status)
            self.error = _cleaned(first_of(error, closing.error), run)
            self.status = _status(run, self.error)
            execution.watch.close(self.report)
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
        return self._asked(lambda execution: execution.test(), "the connection test broke off")

    def probe(self, ask: Probe, *, sink: bool = True) -> Iterator[Step]:
        """What `ask` yields, in a run that reads and writes nothing itself; `sink` opens the sink,
        which is done anyway where it keeps the source's connection."""

        def steps(execution: Execution) -> Iterator[Step]:
            if sink or execution.source is None:
                execution.open()
            yield from ask(execution.run, execution.connected(), execution.sink)

        return self._asked(steps, "the check broke off")

    def _asked(self, ask: Callable[[Execution], Iterator[Step]], broken: str) -> Iterator[Step]:
        execution = self._begin(Direct())
        run = execution.run
        with logging_to(run, self._level):
            try:
                with phase(run, broken):
                    for step in ask(execution):
                        yield step._replace(detail=run.redactor.clean(step.detail))
            finally:
                self.status = "stopped"
                execution.close(self.status)

    def _begin(self, spool: Direct) -> Execution:
        execution = Execution(self.config, self._options, spool=spool, replay=self._replay)
        self.run, self.error, self.status = execution.run, None, "success"
        return execution


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
