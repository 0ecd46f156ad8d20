"""The hook specs: five functions, each returns classes. This is hook API v1.

A plugin module is named by an entry point in the group of the kind, whose name is the `type` that
users write; it is imported when a workflow names that type, and registered with pluggy. Arguments
of the hooks never change; the classes they return may grow optional attributes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:  # a plugin module that only names its classes costs no pydantic
    from metaglean.components import Observer, Processor, Profiler, Sink, Source

PROJECT = "metaglean"
API_VERSION = "v1"
GROUPS = {
    "source": "metaglean.sources.v1",
    "processor": "metaglean.processors.v1",
    "sink": "metaglean.sinks.v1",
    "profiler": "metaglean.profilers.v1",
    "observer": "metaglean.observers.v1",
}

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_sources() -> Iterable[type[Source]]:
    """Return source classes. A complete plugin:

    ```python
    from metaglean import (
        Column,
        Config,
        Database,
        Listed,
        Schema,
        Source,
        Step,
        Table,
        hookimpl,
    )


    class Hello(Source):
        type = "hello"

        def test_connection(self, run):
            yield Step("greet", True)

        def read(self, run):
            database = self.service.child("database", "default")
            schema = database.child("databaseSchema", "default")
            yield Database(ref=database)
            yield Schema(ref=schema)
            listing = run.listing("table", schema)
            for ref, _ in listing.over([Listed("1", "greetings")]):
                yield Table(ref=ref, source_id="1", columns=(Column(name="text"),))


    @hookimpl
    def register_sources():
        return [Hello]
    ```
    with `[project.entry-points."metaglean.sources.v1"]` and `hello = "hello_plugin"`.
    """
    return ()


@hookspec
def register_processors() -> Iterable[type[Processor]]:
    """Return processor classes. A complete plugin:

    ```python
    from metaglean import Processor, Table, hookimpl


    class Shout(Processor):
        type = "shout"

        def process(self, records, run):
            for record in records:
                if isinstance(record, Table) and record.description:
                    record = record.model_copy(update={"description": record.description.upper()})
                yield record


    @hookimpl
    def register_processors():
        return [Shout]
    ```
    with `[project.entry-points."metaglean.processors.v1"]` and `shout = "shout_plugin"`.
    """
    return ()


@hookspec
def register_sinks() -> Iterable[type[Sink]]:
    """Return sink classes. A complete plugin:

    ```python
    from metaglean import Change, Sink, hookimpl


    class Print(Sink):
        type = "print"

        def write(self, records, run):
            for record in records:
                with run.item(record.ref):
                    print(record.ref)
                    yield Change(record.ref, "created")


    @hookimpl
    def register_sinks():
        return [Print]
    ```
    with `[project.entry-points."metaglean.sinks.v1"]` and `print = "print_plugin"`.
    """
    return ()


@hookspec
def register_profilers() -> Iterable[type[Profiler]]:
    """Return profiler classes; a profiler's `type` equals that of the source it profiles.

    ```python
    from metaglean import Profile, Profiler, hookimpl


    class HelloProfiler(Profiler):
        type = "hello"

        def profile(self, table, run):
            yield Profile(
                ref=table.ref,
                timestamp=int(run.started * 1000),
                column_count=len(table.columns),
            )


    @hookimpl
    def register_profilers():
        return [HelloProfiler]
    ```
    with `[project.entry-points."metaglean.profilers.v1"]` and `hello = "hello_plugin"`.
    """
    return ()


@hookspec
def register_observers() -> Iterable[type[Observer]]:
    """Return observer classes. A complete plugin:

    ```python
    from metaglean import Observer, hookimpl


    class Bell(Observer):
        type = "bell"

        def ended(self, report):
            print(report["service"], report["status"])


    @hookimpl
    def register_observers():
        return [Bell]
    ```
    with `[project.entry-points."metaglean.observers.v1"]` and `bell = "bell_plugin"`.
    """
    return ()
