"""Runs of the sample into a scratch service, and what a sink that works makes of each."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator

from metaglean.components import Assumption, Change, Step
from metaglean.config import DeletionConfig, WorkflowConfig
from metaglean.config.rename import RenameConfig
from metaglean.errors import RemoteError
from metaglean.options import DatabaseOptions
from metaglean.selfcheck.sample import NAMES, PLAIN, Sample, SampleConfig, Stage
from metaglean.workflow import Workflow

ASSUMPTIONS = (
    Assumption("creates", "What is new is created, with its parents, and nothing is refused."),
    Assumption("writes nothing twice", "A second run finds all unchanged, whatever its name."),
    Assumption(
        "changes what differs", "A changed text and a new column change that one table alone."
    ),
    Assumption(
        "follows a rename", "A table that is renamed at the source is known again by its id."
    ),
    Assumption("marks deleted", "What is gone at the source is marked deleted, and nothing else."),
    Assumption("restores", "What comes back is the same table again, with its columns."),
)


def sample_config(
    config: WorkflowConfig, service: str, stage: Stage = "first", mark: str = ""
) -> WorkflowConfig:
    """The workflow with the sample as its source, and with nothing that other runs could notice."""
    return dataclasses.replace(
        config,
        service_name=service,
        source_class=Sample,
        source_config=SampleConfig(stage=stage, mark=mark),
        source_options=DatabaseOptions(),
        processors=(),
        profiler=None,
        observers=(),
        rename=RenameConfig(),
        deletion=DeletionConfig(),
        limits=config.limits.model_copy(update={"spool": None}),
        ingestion_pipeline_fqn=None,
        pipeline_run_id=None,
    )


class Samples:
    """The runs, one after the other; each yields the step of one assumption."""

    def __init__(self, config: WorkflowConfig, service: str, mark: str) -> None:
        self._config = config
        self._service = service
        self._mark = mark
        self._changes: list[Change] = []
        self._troubles: list[str] = []

    def steps(self) -> Iterator[Step]:
        """Raises RemoteError where the target is away."""
        self._run("first")
        created = self._tables("created")
        yield self._step("creates", len(created) == len(NAMES), f"{len(created)} of {len(NAMES)}")
        if not created:
            return  # nothing below can be told from this
        self._run("first")
        yield self._step("writes nothing twice", not self._done(), self._told())
        self._run("changed")
        yield self._changed("changes what differs", {"description", "columns"})
        self._run("renamed")
        yield self._changed("follows a rename", {"display_name"})
        self._run("without")
        right = self._done() == {"deleted": 1} and self._tables("deleted") == [PLAIN]
        yield self._step("marks deleted", right, self._told())
        self._run("renamed")
        right = self._done() == {"restored": 1}
        self._run("renamed")
        yield self._step("restores", right and not self._done(), self._told())

    def _changed(self, name: str, fields: set[str]) -> Step:
        """One table alone has changed, in these fields; not to be told where the target kept one,
        as it does for tokens that can't be told from a person's."""
        tables = [one for one in self._changes if one.ref.name == PLAIN and not one.kind]
        kept = {reason for one in tables for field, reason in one.kept.items() if field in fields}
        if kept:
            return Step(name, None, "; ".join(sorted(kept)))
        right = self._done() == {"updated": 1} and [set(one.fields) for one in tables] == [fields]
        return self._step(name, right, self._told())

    def _run(self, stage: Stage) -> None:
        self._changes = []
        config = sample_config(self._config, self._service, stage, self._mark)
        workflow = Workflow(config, on_change=self._changes.append, silent=True)
        workflow.execute()
        if isinstance(workflow.error, RemoteError):
            raise workflow.error
        assert workflow.run
        report = workflow.run.report
        self._troubles = [group.message for group in report.problems]
        if workflow.error:
            self._troubles.append(str(workflow.error))

    def _tables(self, action: str) -> list[str]:
        return [one.ref.name for one in self._changes if (one.ref.kind, one.action) ==
                ("table", action) and not one.kind]  # fmt: skip

    def _done(self) -> dict[str, int]:
        """Action → how many, of what is no silence."""
        silent = ("unchanged", "skipped")
        return dict(Counter(one.action for one in self._changes if one.action not in silent))

    def _told(self) -> str:
        """What was done, in numbers and words of our own."""
        counts = Counter((one.action, one.kind or one.ref.kind) for one in self._changes)
        return ", ".join(
            f"{number} {kind} {action}" for (action, kind), number in sorted(counts.items())
        )

    def _step(self, name: str, right: bool, detail: str) -> Step:
        ok = right and not self._troubles
        return Step(name, ok, "" if ok else "; ".join([detail, *self._troubles[:3]]))
