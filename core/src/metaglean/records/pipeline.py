"""Pipelines, their tasks and their runs. All times are epoch milliseconds (UTC)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from metaglean.records.base import Entity, Owner, Part, Record, TagLabel

Status = Literal["Successful", "Failed", "Pending", "Skipped"]


class Task(Part):
    """A task of a pipeline; `downstream_tasks` are names of other tasks of it."""

    name: str = Field(min_length=1)
    display_name: str | None = None
    description: str | None = None
    source_url: str | None = None
    task_type: str | None = None
    task_sql: str | None = None
    downstream_tasks: tuple[str, ...] = ()
    owners: tuple[Owner, ...] = ()
    tags: tuple[TagLabel, ...] = ()


class Pipeline(Entity):
    """A pipeline with its tasks; `start_date` is in epoch milliseconds (UTC)."""

    KIND: ClassVar[str] = "pipeline"
    tasks: tuple[Task, ...] = ()
    state: Literal["Active", "Inactive"] | None = None
    schedule_interval: str | None = None
    concurrency: int | None = None
    pipeline_location: str | None = None
    start_date: int | None = None


class TaskRun(Part):
    """How a task fared in one run of its pipeline."""

    name: str
    execution_status: Status
    start_time: int | None = None
    end_time: int | None = None
    log_link: str | None = None


class PipelineRun(Record):
    """One execution of the pipeline `ref`; `timestamp` is the key by which it is replaced."""

    KIND: ClassVar[str] = "pipelineRun"
    timestamp: int
    execution_status: Status
    execution_id: str | None = None
    end_time: int | None = None
    task_status: tuple[TaskRun, ...] = ()
