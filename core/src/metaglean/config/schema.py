"""JSON Schema of one component's settings, or of a whole workflow with all that is installed.

For editors: what the parser accepts is valid, old spellings as deprecated ones; a value may be
`${VAR}` where a number or a switch is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from metaglean.components import Component, Sink, Source
from metaglean.config.frame import WorkflowFrame
from metaglean.config.keys import keys_of, spellings, without_effect
from metaglean.config.model import Components
from metaglean.config.source import profiler_options

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = {"type": "string", "pattern": r"\$\{.+\}|\$[A-Za-z_]"}
_MODE: JsonSchemaMode = "validation"

Schema = dict[str, Any]


def component_schema(component: type[Component]) -> Schema:
    """The settings of one component; of a source, its connection and what is read of it."""
    if not issubclass(component, Source):
        refs, defs = _schemas(component.Config)
        return {"$schema": DIALECT, **refs[component.Config], "$defs": defs}
    refs, defs = _schemas(component.Config, *_options(component))
    block = _source_block(component, refs, defs)
    return {"$schema": DIALECT, "title": component.type, "type": "object", **block, "$defs": defs}


def workflow_schema(installed: Mapping[str, list[type[Component]]]) -> Schema:
    """A whole workflow; `installed` has the classes by kind. Types pick their settings."""
    sources = [cls for cls in installed.get("source", []) if issubclass(cls, Source)]
    kinds = ("sink", "processor", "observer")
    others = [(kind, cls) for kind in kinds for cls in installed.get(kind, [])]
    models: list[type[BaseModel]] = [WorkflowFrame]
    models += [cls.Config for cls in (*sources, *(cls for _, cls in others))]
    models += [model for source in sources for model in _options(source)]
    servers = [cls for _, cls in others if issubclass(cls, Sink) and cls.ServerConfig]
    models += [cls.ServerConfig for cls in servers if cls.ServerConfig]
    refs, defs = _schemas(*models)
    frame = defs[refs[WorkflowFrame]["$ref"].rpartition("/")[2]]
    rules = [_source_rule(cls, refs, defs) for cls in sources]
    for kind, cls in others:
        if kind != "observer":
            rules.append({"properties": {kind: _rule(cls, refs)}})
        if kind != "sink":
            rules.append({"properties": {f"{kind}s": {"items": _rule(cls, refs)}}})
    rules += [_server_rule(cls, refs) for cls in servers]
    rules += [_known_types(kind, found) for kind, found in installed.items() if kind != "profiler"]
    return {"$schema": DIALECT, **frame, "title": "Metaglean workflow", "allOf": rules,
            "$defs": defs}  # fmt: skip


def installed_components(registry: Components) -> dict[str, list[type[Component]]]:
    """The classes of all kinds. Plugins that can't be imported are left out."""
    from metaglean.errors import PluginError

    found: dict[str, list[type[Component]]] = {}
    for kind in ("source", "processor", "sink", "observer"):
        found[kind] = []
        for name in registry.types(kind):
            try:
                found[kind].append(registry.get(kind, name))
            except PluginError:
                continue
    return found


class _Generator(GenerateJsonSchema):
    """Adds what our models say beyond pydantic: old spellings and keys without effect."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        result = super().model_schema(schema)
        model = schema["cls"]
        properties = result.setdefault("properties", {})
        for old, new in spellings(model).items():
            target = properties.get(new, {}) if "." not in new else {}
            properties[old] = {**target, "deprecated": True, "description": f"Write {new}."}
        for key, reason in without_effect(model).items():
            properties.setdefault(key, {"deprecated": True, "description": f"No effect: {reason}."})
        _relax_required(result, model)
        return result

    def int_schema(self, schema: core_schema.IntSchema) -> Schema:
        return _or_variable(super().int_schema(schema))

    def float_schema(self, schema: core_schema.FloatSchema) -> Schema:
        return _or_variable(super().float_schema(schema))

    def bool_schema(self, schema: core_schema.BoolSchema) -> Schema:
        return _or_variable(super().bool_schema(schema))


def _or_variable(schema: Schema) -> Schema:
    return {"anyOf": [schema, dict(_VARIABLE)]}


def _relax_required(schema: Schema, model: type[BaseModel]) -> None:
    """A required key may stand in an old spelling."""
    olds: dict[str, list[str]] = {}
    for old, new in spellings(model).items():
        olds.setdefault(new.partition(".")[0], []).append(old)
    for key in [key for key in schema.get("required", []) if key in olds]:
        schema["required"].remove(key)
        either = [{"required": [word]} for word in (key, *olds[key])]
        schema.setdefault("allOf", []).append({"anyOf": either})


def _schemas(*models: type[BaseModel]) -> tuple[dict[type[BaseModel], Schema], dict[str, Schema]]:
    unique = list(dict.fromkeys(models))
    refs, root = models_json_schema(
        [(model, _MODE) for model in unique], by_alias=True, schema_generator=_Generator
    )
    defs: dict[str, Schema] = root.get("$defs", {})
    return {model: refs[model, _MODE] for model in unique}, defs


def _options(source: type[Source]) -> list[type[BaseModel]]:
    model = source.Options
    profiling = profiler_options(model)
    return [model, profiling] if profiling else [model]


def _source_block(
    source: type[Source],
    refs: Mapping[type[BaseModel], Schema],
    defs: dict[str, Schema],
) -> Schema:
    connection = refs[source.Config]
    words = list(source.connection_types or (source.type, source.service_type))
    definition = defs[connection["$ref"].rpartition("/")[2]]
    if "type" not in keys_of(source.Config):
        definition.setdefault("properties", {}).setdefault(
            "type", {"enum": words, "description": "The connection's type."}
        )
    definition["patternProperties"] = {"^supports[A-Z]": {"deprecated": True}}
    settings = [refs[model] for model in _options(source)]
    return {
        "properties": {
            "serviceConnection": {"properties": {"config": connection}},
            "sourceConfig": {"properties": {"config": {"anyOf": [*settings, {"type": "null"}]}}},
        }
    }


def _source_rule(
    source: type[Source],
    refs: Mapping[type[BaseModel], Schema],
    defs: dict[str, Schema],
) -> Schema:
    return {
        "if": {"properties": {"source": _is(source)}, "required": ["source"]},
        "then": {"properties": {"source": _source_block(source, refs, defs)}},
    }


def _rule(component: type[Component], refs: Mapping[type[BaseModel], Schema]) -> Schema:
    settings = {"anyOf": [refs[component.Config], {"type": "null"}]}
    return {"if": _is(component), "then": {"properties": {"config": settings}}}


def _server_rule(sink: type[Sink], refs: Mapping[type[BaseModel], Schema]) -> Schema:
    """The server's settings belong to the sink that is named."""
    assert sink.ServerConfig
    settings = {"openMetadataServerConfig": refs[sink.ServerConfig]}
    return {
        "if": {"properties": {"sink": _is(sink)}, "required": ["sink"]},
        "then": {"properties": {"workflowConfig": {"properties": settings}}},
    }


def _is(component: type[Component]) -> Schema:
    return {"properties": {"type": {"pattern": _any_case(component.type)}}, "required": ["type"]}


def _known_types(kind: str, components: list[type[Component]]) -> Schema:
    """What an editor offers to complete; types that aren't installed stay valid."""
    examples = [component.type for component in components]
    known = {"properties": {"type": {"examples": examples}}}
    if kind == "observer":
        return {"properties": {"observers": {"items": known}}}
    return {"properties": {kind: known}}


def _any_case(word: str) -> str:
    return "^" + "".join(
        f"[{c.lower()}{c.upper()}]" if c.isalpha() else c.replace(".", r"\.") for c in word
    ) + "$"  # fmt: skip
