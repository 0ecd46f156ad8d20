"""Metaglean: metadata ingestion with a minimal core and plugins.

These are the public names. Each is imported on first use, so that importing the package costs
nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost something

if TYPE_CHECKING:
    from typing import Any

    from metaglean.components import (
        Assumption,
        Change,
        Component,
        Config,
        Existing,
        ObservedRun,
        Observer,
        Phase,
        Processor,
        Profiler,
        Sink,
        Source,
        Step,
    )
    from metaglean.errors import (
        AccessDenied,
        ConfigError,
        Interrupted,
        ItemError,
        MetagleanError,
        NotFound,
        PluginError,
        RemoteError,
        RunEndingError,
        RunError,
    )
    from metaglean.fqn import NameRules
    from metaglean.hooks import hookimpl, hookspec
    from metaglean.http import (
        Auth,
        Basic,
        Bearer,
        ClientCredentials,
        Header,
        Session,
        cursor_pages,
        link_pages,
        offset_pages,
    )
    from metaglean.names import Listed
    from metaglean.options import DatabaseOptions, FilterPattern, ProfilerOptions, SourceOptions
    from metaglean.records import (
        Classification,
        Column,
        ColumnLineage,
        ColumnProfile,
        Database,
        Entity,
        LifeCycle,
        Lineage,
        Owner,
        Pipeline,
        PipelineRun,
        Profile,
        Record,
        Ref,
        Schema,
        Service,
        Table,
        TableConstraint,
        Tag,
        TagLabel,
        Task,
        TaskRun,
    )
    from metaglean.report import Notice
    from metaglean.run import Run
    from metaglean.workflow import Workflow, run_workflow

    __version__: str

_MODULES = {
    "components": "Assumption Change Component Config Existing ObservedRun Observer Phase "
    "Processor Profiler Sink Source Step",
    "errors": "AccessDenied ConfigError Interrupted ItemError MetagleanError NotFound PluginError "
    "RemoteError RunEndingError RunError",
    "fqn": "NameRules",
    "hooks": "hookimpl hookspec",
    "http": "Auth Basic Bearer ClientCredentials Header Session cursor_pages link_pages "
    "offset_pages",
    "names": "Listed",
    "options": "DatabaseOptions FilterPattern ProfilerOptions SourceOptions",
    "records": "Classification Column ColumnLineage ColumnProfile Database Entity LifeCycle "
    "Lineage Owner Pipeline PipelineRun Profile Record Ref Schema Service Table TableConstraint "
    "Tag TagLabel Task TaskRun",
    "report": "Notice",
    "run": "Run",
    "workflow": "Workflow run_workflow",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [  # written out, as type checkers need it; a test compares it with _MODULES
    "AccessDenied",
    "Assumption",
    "Auth",
    "Basic",
    "Bearer",
    "Change",
    "Classification",
    "ClientCredentials",
    "Column",
    "ColumnLineage",
    "ColumnProfile",
    "Component",
    "Config",
    "ConfigError",
    "Database",
    "DatabaseOptions",
    "Entity",
    "Existing",
    "FilterPattern",
    "Header",
    "Interrupted",
    "ItemError",
    "LifeCycle",
    "Lineage",
    "Listed",
    "MetagleanError",
    "NameRules",
    "NotFound",
    "Notice",
    "ObservedRun",
    "Observer",
    "Owner",
    "Phase",
    "Pipeline",
    "PipelineRun",
    "PluginError",
    "Processor",
    "Profile",
    "Profiler",
    "ProfilerOptions",
    "Record",
    "Ref",
    "RemoteError",
    "Run",
    "RunEndingError",
    "RunError",
    "Schema",
    "Service",
    "Session",
    "Sink",
    "Source",
    "SourceOptions",
    "Step",
    "Table",
    "TableConstraint",
    "Tag",
    "TagLabel",
    "Task",
    "TaskRun",
    "Workflow",
    "__version__",
    "cursor_pages",
    "hookimpl",
    "hookspec",
    "link_pages",
    "offset_pages",
    "run_workflow",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("metaglean-core")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
