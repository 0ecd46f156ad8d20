"""The source of a workflow: its class, its connection, and what is read of it."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from pydantic import create_model

from metaglean.components import Component, Config, Source
from metaglean.config.document import Path
from metaglean.config.keys import keys_of
from metaglean.config.model import Components
from metaglean.config.problems import Problems, expected_words
from metaglean.config.rewrites import Rewrite
from metaglean.config.validation import validate
from metaglean.config.values import check_values
from metaglean.errors import PluginError, catching
from metaglean.options import DatabaseOptions, FilterPattern, ProfilerOptions, SourceOptions

CONNECTION: Path = ("source", "serviceConnection", "config")
OPTIONS: Path = ("source", "sourceConfig", "config")
PROFILER = "Profiler"
_NAME = re.compile(r"[\w -]+")
PORTING = "docs/authors/porting.md"
_PYTHON_CLASS = "sourcePythonClass"
_ARE_PLUGINS = "sources are plugins, found by their type"
_HOW_TO_PORT = f"{PORTING} makes a plugin of the class that {_PYTHON_CLASS} names"
_CUSTOM = re.compile(
    "custom[-_]?(api|dashboard|database|drive|messaging|mlmodel|pipeline|search|storage)"
)
_CAPABILITY = re.compile(r"supports[A-Z]\w*")
_NO_CONNECTION = (
    "the source's settings are expected in `serviceConnection: {config: …}`; the connection that "
    "a server stores is used with the sink metadata-rest only"
)


class ResolvedSource(NamedTuple):
    """A source, picked and configured."""

    cls: type[Source]
    config: Config | None  # None: the sink is asked for it
    options: SourceOptions

    @property
    def profiles(self) -> bool:
        """Whether this is a profile workflow."""
        return self.options.type == PROFILER


def pick(
    registry: Components, kind: str, name: str, path: Path, problems: Problems
) -> type[Component] | None:
    """The class of a component that `path` names, or None after an error was added there."""
    try:
        found = registry.get(kind, name)
    except PluginError as error:
        problems.plugin_error(path, error)
        return None
    if name != found.type and name.lower() == found.type.lower() and kind != "profiler":
        # In any case it is right; a profiler is named by its source's type.
        problems.rewrites.append(Rewrite("value", path, found.type, name))
    return found


@cache
def profiler_options(options: type[SourceOptions]) -> type[SourceOptions] | None:
    """The same for `type: Profiler`: what the source has of its own stays available."""
    if not issubclass(options, DatabaseOptions):
        return None
    if options is DatabaseOptions:
        return ProfilerOptions
    name = f"{options.__name__}Profiler"
    mixed = cast("Any", create_model(name, __base__=(ProfilerOptions, options)))
    mixed.WITHOUT_EFFECT = {**options.WITHOUT_EFFECT, **ProfilerOptions.WITHOUT_EFFECT}
    mixed.SPELLINGS = {**options.SPELLINGS, **ProfilerOptions.SPELLINGS}
    return cast("type[SourceOptions]", mixed)


def resolve_source(
    block: Mapping[str, Any], registry: Components, problems: Problems, *, stored: bool = False
) -> ResolvedSource | None:
    """Pick the source by its type and validate its settings; None after errors were added.

    `block` is `source:` with today's keys; what is wrong with its outer shape was reported before.
    With `stored` a missing connection is that which the sink's target keeps.
    """
    check_values(block.get("serviceName"), ("source", "serviceName"), problems)
    name = block.get("type")
    found = _pick_source(name, block, registry, problems) if isinstance(name, str) else None
    config, options = None, None
    asked = stored and block.get("serviceConnection") is None
    if found is not None:
        config = None if asked else _connection(found, block, problems)
        options = _options(found, block, problems)
    if found is None or (config is None and not asked) or options is None:
        return None
    if config is not None and not problems.unfilled:
        check_together(found, config, options, CONNECTION, problems)
    return ResolvedSource(found, config, options)


def check_together(
    source: type[Source], config: Config, options: SourceOptions, path: Path, problems: Problems
) -> None:
    """What the source says about settings that are valid alone but not together."""
    with catching() as caught:
        for message in source.check_config(config, options):
            problems.error(path, problems.masked(message), key=True)
    if caught.error:
        kind = type(caught.error).__name__
        problems.error(path, f"the settings could not be checked: {kind}", key=True)


def _pick_source(
    name: str, block: Mapping[str, Any], registry: Components, problems: Problems
) -> type[Source] | None:
    if _loads_a_class(name, block) and name.lower() not in registry.types("source"):
        what = f"there is no source {name!r}: {_ARE_PLUGINS}"
        problems.error(("source", "type"), what, _HOW_TO_PORT)
        return None
    base, _, suffix = name.lower().rpartition("-")
    if suffix in ("usage", "lineage") and base in registry.types("source"):
        problems.error(
            ("source", "type"), f"{suffix} workflows are not supported", f"expected {base}"
        )
        return None
    found = pick(registry, "source", name, ("source", "type"), problems)
    return cast("type[Source] | None", found)


def _loads_a_class(name: str, block: Mapping[str, Any]) -> bool:
    """Whether it is a source of OpenMetadata's own kind: a Python class that the workflow names."""
    connection = _config_of(block.get("serviceConnection")) or {}
    return _PYTHON_CLASS in connection or _CUSTOM.fullmatch(name.lower()) is not None


def _connection(
    source: type[Source], block: Mapping[str, Any], problems: Problems
) -> Config | None:
    if block.get("serviceConnection") is None:
        problems.error(CONNECTION[:2], "missing", _NO_CONNECTION)
        return None
    data = _config_of(block["serviceConnection"])
    if data is None:
        return None
    return connection_of(source, data, CONNECTION, problems)


def connection_of(
    source: type[Source], data: dict[str, Any], path: Path, problems: Problems
) -> Config | None:
    """The source's settings from the connection that stands at `path`; consumes `data`."""
    check_values(data, path, problems)
    known = keys_of(source.Config)
    for key in [key for key in data if _CAPABILITY.fullmatch(key) and key not in known]:
        problems.warn((*path, key), "has no effect: the source knows it itself", key=True)
        del data[key]
    if _PYTHON_CLASS in data and _PYTHON_CLASS not in known:
        problems.error((*path, _PYTHON_CLASS), _ARE_PLUGINS, _HOW_TO_PORT, key=True)
        del data[_PYTHON_CLASS]
    if "type" in data or source.connection_types:
        _check_type(source, data, path, problems)
    return validate(source.Config, data, path, problems)


def _check_type(source: type[Source], data: dict[str, Any], path: Path, problems: Problems) -> None:
    """`type` is the source's connection type; a model that doesn't ask for it is spared it."""
    types = source.connection_types
    given = data.pop("type", None)
    accepted = types or (source.type, source.service_type)
    if given is not None and given not in accepted and not _is_source(given, source):
        expected = expected_words(str(given), accepted)
        problems.error((*path, "type"), "unknown connection type", expected)
    elif given is not None and types and given != types[0]:
        problems.old_value((*path, "type"), given, types[0])
    if "type" in keys_of(source.Config):
        data["type"] = types[0] if types else given


def _is_source(given: Any, source: type[Source]) -> bool:
    """Sources that name no connection types take their own type, in any case."""
    return (
        not source.connection_types
        and isinstance(given, str)
        and given.lower() == source.type.lower()
    )


def _options(
    source: type[Source], block: Mapping[str, Any], problems: Problems
) -> SourceOptions | None:
    model = source.Options
    data = _config_of(block.get("sourceConfig") or {})
    if data is None:
        return None
    given = data.get("type")
    if given is not None:
        chosen = _options_of_type(model, given, problems)
        if chosen is None:
            return None
        model = chosen
    options = validate(model, data, OPTIONS, problems)
    if options is not None:
        _check_patterns(options, problems)
    return options


def _check_patterns(options: SourceOptions, problems: Problems) -> None:
    """Filter patterns are compiled here, where the line is known."""
    for attribute in options.PATTERNS.values():
        pattern: FilterPattern | None = getattr(options, attribute)
        key = type(options).model_fields[attribute].alias or attribute
        for side in ("includes", "excludes"):
            for number, expression in enumerate(getattr(pattern, side, ())):
                at = (*OPTIONS, key, side, number)
                if _NAME.fullmatch(expression) and not options.use_fqn_for_filtering:
                    problems.loose_patterns[at] = expression
                try:
                    re.compile(expression, re.IGNORECASE)
                except re.error as error:
                    problems.error(
                        at,
                        f"not a regular expression ({error})",
                        "escape special characters with a backslash",
                    )


def _config_of(block: Any) -> dict[str, Any] | None:
    """The `config:` of a block; None where either has the wrong shape."""
    config = (block.get("config") or {}) if isinstance(block, Mapping) else None
    return dict(config) if isinstance(config, Mapping) else None


def _options_of_type(
    model: type[SourceOptions], given: Any, problems: Problems
) -> type[SourceOptions] | None:
    words = _literal_words(model)
    profiling = profiler_options(model)
    if given == PROFILER and profiling is not None:
        return profiling
    if given in words or (not words and str(given).endswith("Metadata")):
        return model
    if profiling is not None:
        words = (*words, PROFILER)
    what = "unknown type of source configuration"
    if given in PEER_TYPES:
        what = f"workflows of the type {given} are not supported"
    problems.error((*OPTIONS, "type"), what, expected_words(str(given), words))
    return None


def _literal_words(model: type[SourceOptions]) -> tuple[str, ...]:
    """The words that the model's `type` takes: `Literal["…"] | None`."""
    annotation = model.model_fields["type"].annotation
    members = typing.get_args(annotation)
    words = [w for m in members for w in typing.get_args(m)] or list(members)
    return tuple(word for word in words if isinstance(word, str))


PEER_TYPES = frozenset(
    {
        "ApiMetadata", "AutoClassification", "DBT", "DashboardMetadata", "DatabaseLineage",
        "DatabaseMetadata", "DatabaseUsage", "DriveMetadata", "MessagingMetadata",
        "MetadataToElasticSearch", "MlModelMetadata", "PipelineMetadata", "Profiler",
        "SearchMetadata", "StorageMetadata", "TestSuite", "dataInsight",
    }
)  # fmt: skip
