"""A workflow, resolved: every component picked, every setting validated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import Field

from metaglean.components import (
    Component,
    Config,
    Observer,
    Processor,
    Profiler,
    Sink,
    Source,
)
from metaglean.config.limits import LimitsConfig
from metaglean.config.rename import RenameConfig
from metaglean.options import SourceOptions


class Components(Protocol):
    """Where component classes come from (`metaglean.plugins.Registry`)."""

    def get(self, kind: str, name: str) -> type[Component]:
        """The class of the type `name`; raises PluginError."""

    def types(self, kind: str) -> list[str]:
        """The types that are installed of one kind."""


class DeletionConfig(Config):
    """`deletion:`, the limits within which a run may mark entities deleted."""

    max_percent: float = Field(
        25, ge=0, le=100, description="At most this share of a scope is marked deleted by one run."
    )
    filtered: Literal["keep", "delete"] = Field(
        "keep", description="What becomes of entities that a filter pattern now leaves out."
    )
    empty: bool = Field(
        False, description="Let a listing without any entity mark all that stand deleted."
    )


@dataclass(frozen=True)
class WorkflowConfig:
    """What `Workflow` runs.

    `source_config` is None where the connection is to be asked of the sink. `server` is
    `openMetadataServerConfig` as the sink's `ServerConfig`, None for sinks without one. `secrets`
    are all values that must never be printed; `warnings` is what was accepted but should be
    written otherwise.
    """

    service_name: str
    source_class: type[Source]
    source_config: Config | None
    source_options: SourceOptions
    sink_type: str
    sink_class: type[Sink]
    sink_config: Config
    processors: tuple[tuple[type[Processor], Config], ...] = ()
    profiler: tuple[type[Profiler], Config] | None = None
    observers: tuple[tuple[type[Observer], Config], ...] = ()
    server: Config | None = None
    rename: RenameConfig = field(default_factory=RenameConfig)
    deletion: DeletionConfig = field(default_factory=DeletionConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    logger_level: str = "INFO"
    success_threshold: int = 90
    raise_on_error: bool = True
    ingestion_pipeline_fqn: str | None = None
    pipeline_run_id: str | None = None
    warnings: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    path: str | None = None

    @property
    def classifications(self) -> tuple[str, ...]:
        """Names of those whose labels are the workflow's own: the source's, the processors'."""
        return (*self.source_class.classifications, *self._labelled(own=True))

    @property
    def other_classifications(self) -> tuple[str, ...]:
        """Names of those that processors only add labels of."""
        return tuple(self._labelled(own=False))

    def _labelled(self, *, own: bool) -> Iterator[str]:
        for cls, config in self.processors:
            found = cls.classifications(config)
            yield from (name for name, is_own in found.items() if is_own is own)
