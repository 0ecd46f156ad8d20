"""From plain data, or a file, to a `WorkflowConfig`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple, cast

from metaglean.components import Component, Config, Observer, Processor, Profiler, Sink
from metaglean.config.document import Document, Path, load_document
from metaglean.config.frame import WorkflowFrame, WorkflowSettings
from metaglean.config.interpolation import interpolate
from metaglean.config.keys import keys_of
from metaglean.config.limits import LimitsConfig
from metaglean.config.model import (
    Components,
    DeletionConfig,
    WorkflowConfig,
)
from metaglean.config.problems import Problems, expected_words
from metaglean.config.rename import RenameConfig
from metaglean.config.source import OPTIONS, ResolvedSource, pick, resolve_source
from metaglean.config.stored import keeps_connections
from metaglean.config.validation import validate, validate_keeping
from metaglean.config.values import check_keys, check_values, model_secrets, written_secrets
from metaglean.errors import ConfigError, PluginError

SERVER: Path = ("workflowConfig", "openMetadataServerConfig")
SERVER_SINK = "metadata-rest"
DEFAULT_SINK = "catalog"
ORM_PROFILER = "orm-profiler"
_ORM_KEYS = ("profiler", "tableConfig", "schemaConfig", "databaseConfig")


def load_workflow(
    path: str | FilePath, registry: Components, environ: Mapping[str, str] | None = None
) -> WorkflowConfig:
    """The workflow of a file, its variables filled in from `environ` (default: the process's).

    Raises ConfigError with all that is wrong (`FILE:LINE:COLUMN  path: what`, and on the next line
    what was expected), or PluginError where only components can't be had.
    """
    return read_workflow(load_document(path), registry, environ).result()


class Reading(NamedTuple):
    """What a document says: the workflow or what is wrong, and all that was noticed on the way."""

    document: Document
    problems: Problems
    workflow: WorkflowConfig | None
    error: ConfigError | PluginError | None

    def result(self) -> WorkflowConfig:
        """The workflow; raises the error."""
        if self.workflow is None:
            raise self.error or ConfigError("the workflow is not valid")
        return self.workflow


def read_workflow(
    document: Document, registry: Components, environ: Mapping[str, str] | None = None
) -> Reading:
    """As `load_workflow`, of a document that was read; what is wrong with it is not raised."""
    problems = Problems(document)
    data = interpolate(document, os.environ if environ is None else environ, problems)
    problems.unfilled = set(problems.reported)
    try:
        workflow = _Parser(data, registry, problems).parse(document.name)
    except (ConfigError, PluginError) as error:
        return Reading(document, problems, None, error)
    return Reading(document, problems, workflow, None)


def parse_workflow(data: Any, registry: Components) -> WorkflowConfig:
    """The workflow in a mapping; nothing is interpolated. Raises as `load_workflow` does, without
    lines."""
    problems = Problems()
    if not isinstance(data, Mapping):
        problems.error((), "a workflow is a mapping with keys such as source")
    check_keys(data, (), problems)
    problems.raise_if_any()
    return _Parser(data, registry, problems).parse(None)


def _server_block(clean: Mapping[str, Any]) -> Any:
    settings = clean.get("workflowConfig")
    return settings.get("openMetadataServerConfig") if isinstance(settings, Mapping) else None


class Picked(NamedTuple):
    """A sink, processor, profiler or observer, configured."""

    name: str
    cls: type[Component]
    config: Config


class _Parser:
    """One pass over one workflow; errors are gathered and raised at the end."""

    def __init__(self, data: Mapping[str, Any], registry: Components, problems: Problems) -> None:
        self._data = data
        self._registry = registry
        self._problems = problems
        problems.secrets.update(written_secrets(data))

    def parse(self, path: str | None) -> WorkflowConfig:
        problems = self._problems
        frame, clean = validate_keeping(WorkflowFrame, self._data, (), problems)
        block = clean.get("source")
        source = None
        sink = self._sink(clean)
        if isinstance(block, Mapping):
            stored = sink is not None and keeps_connections(cast("type[Sink]", sink.cls))
            source = resolve_source(block, self._registry, problems, stored=stored)
        server = self._server(clean, sink)
        profiler, processors = self._processors(clean, block, source)
        observers = self._observers(clean)
        if frame is not None and frame.limits and source is not None and sink is not None:
            parts = [sink, *processors, *observers, *([profiler] if profiler else [])]
            self._check_systems(frame.limits, [source.cls, *(part.cls for part in parts)])
        problems.raise_if_any()
        if frame is None or source is None or sink is None:
            raise ConfigError("the workflow is not valid")  # each of them left an error above
        return self._resolved(frame, source, sink, server, profiler, processors, observers, path)

    def _resolved(
        self,
        frame: WorkflowFrame,
        source: ResolvedSource,
        sink: Picked,
        server: Config | None,
        profiler: Picked | None,
        processors: list[Picked],
        observers: list[Picked],
        path: str | None,
    ) -> WorkflowConfig:
        settings = frame.workflow_config or WorkflowSettings()
        parts = [sink, *processors, *observers, *([profiler] if profiler else [])]
        configs = [source.config, server, *(part.config for part in parts)]
        return WorkflowConfig(
            service_name=frame.source.service_name,
            source_class=source.cls,
            source_config=source.config,
            source_options=source.options,
            sink_type=sink.name,
            sink_class=cast("type[Sink]", sink.cls),
            sink_config=sink.config,
            processors=tuple((cast("type[Processor]", p.cls), p.config) for p in processors),
            profiler=(cast("type[Profiler]", profiler.cls), profiler.config) if profiler else None,
            observers=tuple((cast("type[Observer]", o.cls), o.config) for o in observers),
            server=server,
            rename=frame.rename or RenameConfig(),
            deletion=frame.deletion or DeletionConfig(),
            limits=frame.limits or LimitsConfig(),
            logger_level=settings.logger_level,
            success_threshold=settings.success_threshold,
            raise_on_error=settings.raise_on_error,
            ingestion_pipeline_fqn=frame.ingestion_pipeline_fqn,
            pipeline_run_id=frame.pipeline_run_id,
            warnings=tuple(dict.fromkeys(self._problems.warnings)),
            secrets=self._secrets(configs),
            path=path,
        )

    def _check_systems(self, limits: LimitsConfig, classes: list[type[Component]]) -> None:
        """Limits are for systems that a component of this workflow talks to."""
        known = {name for cls in classes for name in cls.systems}
        for name in limits.systems:
            if name not in known:
                path = ("limits", "systems", name)
                what = expected_words(name, known)
                self._problems.error(path, "no system of this workflow", what, key=True)

    def _secrets(self, configs: list[Config | None]) -> tuple[str, ...]:
        found = set(self._problems.secrets)
        for config in configs:
            found.update(model_secrets(config))
        return tuple(sorted(secret for secret in found if secret))

    def _sink(self, clean: Mapping[str, Any]) -> Picked | None:
        block = clean.get("sink")
        if block is None:
            block = {"type": DEFAULT_SINK if _server_block(clean) is None else SERVER_SINK}
        return self._component("sink", block, ("sink",))

    def _server(self, clean: Mapping[str, Any], sink: Picked | None) -> Config | None:
        """`openMetadataServerConfig` as the sink's model of it; None after errors were added, and
        for sinks that write to no such server."""
        data = _server_block(clean)
        if sink is None:
            return None
        model = cast("type[Sink]", sink.cls).ServerConfig
        if model is None:
            if data is not None:
                what = f"has no effect: the sink {sink.name} doesn't write to it"
                self._problems.warn(SERVER, what, key=True)
            return None
        if data is None:
            self._problems.error(SERVER, "missing", f"the sink {sink.name} needs a server")
            return None
        if not isinstance(data, Mapping):
            return None  # reported with the outer keys
        check_values(data, SERVER, self._problems)
        return validate(model, data, SERVER, self._problems)

    def _processors(
        self, clean: Mapping[str, Any], block: Any, source: ResolvedSource | None
    ) -> tuple[Picked | None, list[Picked]]:
        """The profiler of a profile workflow, and the processors. `processor:` may name either."""
        profiles = source is not None and source.profiles
        names = {ORM_PROFILER}
        if profiles:
            names.add(str(block.get("type")).lower())
        own: Any = {}
        own_path: Path = ("processor",)
        found = []
        for frame, path in self._processor_blocks(clean):
            name = frame.get("type") if isinstance(frame, Mapping) else None
            if not isinstance(name, str):
                continue  # reported with the outer keys
            if name.lower() not in names:
                if path == ("processor",):
                    self._problems.old_list(path, "processors")
                picked = self._component("processor", frame, path)
                if picked and source:
                    self._check_owned(picked, source, path)
                found += [picked] if picked else []
            elif profiles:
                own, own_path = frame, path
            elif source is not None:
                self._problems.error(
                    (*path, "type"), f"{ORM_PROFILER} belongs to profile workflows",
                    "expected `type: Profiler` in sourceConfig.config",
                )  # fmt: skip
        if not profiles:
            return None, found
        return self._profiler(str(block["type"]), own, own_path), found

    def _observers(self, clean: Mapping[str, Any]) -> list[Picked]:
        blocks = clean.get("observers")
        if not isinstance(blocks, list):
            return []
        paths = [("observers", number) for number in range(len(blocks))]
        found = [self._component("observer", *one) for one in zip(blocks, paths, strict=True)]
        return [picked for picked in found if picked]

    def _check_owned(self, picked: Picked, source: ResolvedSource, path: Path) -> None:
        """Labels of one classification can't follow the source and a processor both."""
        found = cast("type[Processor]", picked.cls).classifications(picked.config)
        own = {name for name, is_own in found.items() if is_own}
        for name in sorted(own & set(source.cls.classifications)):
            self._problems.error(
                (*path, "config"),
                f"the classification {name} is the source's own",
                f"expected another one for the processor {picked.name}, or `mode: add`",
            )

    @staticmethod
    def _processor_blocks(clean: Mapping[str, Any]) -> list[tuple[Any, Path]]:
        several = clean.get("processors")
        blocks: list[tuple[Any, Path]] = []
        if clean.get("processor") is not None:
            blocks.append((clean["processor"], ("processor",)))
        if isinstance(several, list):
            blocks += [(frame, ("processors", n)) for n, frame in enumerate(several)]
        return blocks

    def _profiler(self, name: str, block: Mapping[str, Any], path: Path) -> Picked | None:
        at = OPTIONS if not block else path
        found = pick(self._registry, "profiler", name, (*at, "type"), self._problems)
        if found is None:
            return None
        data = dict(config) if isinstance(config := block.get("config") or {}, Mapping) else {}
        known = keys_of(found.Config)
        for key in [key for key in _ORM_KEYS if key in data and key not in known]:
            self._problems.warn(
                (*path, "config", key), "has no effect: the profiler decides", key=True
            )
            del data[key]
        config = validate(found.Config, data, (*path, "config"), self._problems)
        return Picked(name.lower(), found, config) if config is not None else None

    def _component(self, kind: str, block: Any, path: Path) -> Picked | None:
        name = block.get("type") if isinstance(block, Mapping) else None
        if not isinstance(name, str):
            return None
        found = pick(self._registry, kind, name, (*path, "type"), self._problems)
        if found is None:
            return None
        data = block.get("config") or {}
        if not isinstance(data, Mapping):
            return None
        config = validate(found.Config, data, (*path, "config"), self._problems)
        return Picked(name.lower(), found, config) if config is not None else None
