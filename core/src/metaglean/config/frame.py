"""The outer keys of a workflow, as published from OpenMetadata 0.12 to 2.x, and ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from metaglean.components import Config
from metaglean.config.limits import LimitsConfig
from metaglean.config.model import DeletionConfig
from metaglean.config.rename import RenameConfig


class Configured(Config):
    """A `config:` block; which keys it has, the component's type decides."""

    config: dict[str, Any] | None = Field(None, description="The settings.")


class ComponentFrame(Config):
    """One component with its settings."""

    type: str = Field(description="The component's type; `metaglean plugins` lists them.")
    config: dict[str, Any] | None = Field(None, description="Its settings.")


class SourceFrame(Config):
    """`source:`, the system that is read."""

    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "sourcePythonClass": "sources are plugins, found by their type (docs/authors/porting.md)",
    }

    type: str = Field(description="The source's type; `metaglean plugins` lists them.")
    service_name: str = Field(
        min_length=1, description="The name of the service that the entities are written under."
    )
    service_connection: Configured | None = Field(
        None, description="How the system is reached: `config:` with its settings."
    )
    source_config: Configured | None = Field(None, description="What is read of it.")


class WorkflowSettings(Config):
    """`workflowConfig:`, settings of the run."""

    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {"config": "nothing reads it"}

    logger_level: Literal["DEBUG", "INFO", "WARN", "WARNING", "ERROR"] = Field(
        "INFO", description="What is logged."
    )
    raise_on_error: bool = Field(
        True, description="Whether too many failures end with exit code 1."
    )
    success_threshold: int = Field(
        90, ge=0, le=100, description="The share of entities, in percent, that must succeed."
    )
    open_metadata_server_config: dict[str, Any] | None = Field(
        None, description="The OpenMetadata server that is written to."
    )


class WorkflowFrame(Config):
    """A whole workflow."""

    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {
        "stage": "there are no staged workflows",
        "bulkSink": "there are no staged workflows",
        "enableStreamableLogs": "logs are not sent to the server",
        "ingestionRunnerName": "nothing reads it",
    }

    source: SourceFrame
    processor: ComponentFrame | None = Field(None, description="One processor.")
    processors: tuple[ComponentFrame, ...] = Field(
        (), description="Processors, in the order in which the records pass them."
    )
    observers: tuple[ComponentFrame, ...] = Field(
        (), description="What is told of the run while it goes on."
    )
    sink: ComponentFrame | None = Field(
        None, description="Where to write; by default the catalog, or the server if one is given."
    )
    workflow_config: WorkflowSettings | None = Field(None, description="Settings of the run.")
    rename: RenameConfig | None = Field(None, description="What is called otherwise in the target.")
    deletion: DeletionConfig | None = Field(None, description="What may be marked deleted.")
    limits: LimitsConfig | None = Field(None, description="What may be asked of the systems.")
    ingestion_pipeline_fqn: str | None = Field(
        None, alias="ingestionPipelineFQN", description="The pipeline on the server to report to."
    )
    pipeline_run_id: str | None = Field(None, description="The id of the run.")
