"""The keys of a configuration: old spellings, keys without effect, unknown ones.

Works on a model's class attributes `SPELLINGS` and `WITHOUT_EFFECT`, at every level of nesting, so
that what reaches pydantic has today's keys only.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from metaglean.config.document import Path
from metaglean.config.problems import Problems, dotted, expected_words, nearest


class Nested(NamedTuple):
    """The models that may stand in a field: alone, in a list, or as a mapping's values."""

    shape: Literal["one", "list", "map"]
    models: tuple[type[BaseModel], ...]


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Key → field, as users write them."""
    return {
        key: field
        for name, field in model.model_fields.items()
        for key in keys_of_field(name, field)
    }


def keys_of_field(name: str, field: FieldInfo) -> Iterator[str]:
    alias = field.validation_alias or field.alias
    if isinstance(alias, AliasChoices):
        yield from (choice for choice in alias.choices if isinstance(choice, str))
    else:
        yield alias if isinstance(alias, str) else name


def spellings(model: type[BaseModel]) -> Mapping[str, str]:
    return getattr(model, "SPELLINGS", {})


def without_effect(model: type[BaseModel]) -> Mapping[str, str]:
    return getattr(model, "WITHOUT_EFFECT", {})


def _defaults(model: type[BaseModel], key: str) -> tuple[object, ...]:
    """The values of a key without effect that ask for nothing."""
    defaults: Mapping[str, tuple[object, ...]] = getattr(model, "DEFAULTS", {})
    return (None, *defaults[key]) if key in defaults else ()


def normalise(
    model: type[BaseModel], data: Mapping[str, Any], path: Path, problems: Problems
) -> dict[str, Any]:
    """A copy of `data` with the keys that `model` has. Old spellings and keys without effect are
    warnings, unknown keys are errors; both name the key at `path`."""
    fields = keys_of(model)
    result: dict[str, Any] = {}
    for key, value in data.items():
        if key in fields:
            result[key] = value
        elif key in spellings(model):
            _move(model, key, data, result, path, problems)
        elif key in without_effect(model):
            if any(value is one or value == one for one in _defaults(model, key)):
                continue
            reason = without_effect(model)[key]
            problems.warn((*path, key), f"has no effect: {reason}", key=True)
        elif model.model_config.get("extra") == "allow":
            result[key] = value
        else:
            _unknown(key, fields, path, problems)
    for key, field in fields.items():
        if "Secret" in repr(field.annotation) and key in result:
            problems.secret((*path, key), result[key])
        nested = nested_models(field.annotation)
        if nested and result.get(key) is not None:
            result[key] = _descend(nested, result[key], (*path, key), problems)
    return result


def _unknown(key: str, fields: Mapping[str, Any], path: Path, problems: Problems) -> None:
    meant = nearest(key, fields)
    if meant:
        problems.suggested.add((*path, meant))
    problems.error((*path, key), "unknown key", expected_words(key, fields), key=True)


def _move(
    model: type[BaseModel],
    key: str,
    data: Mapping[str, Any],
    result: dict[str, Any],
    path: Path,
    problems: Problems,
) -> None:
    """Put the value of an old spelling where today's is; that may be a dotted path."""
    *parents, last = spellings(model)[key].split(".")
    target = (*path, *parents, last)
    block, given = result, data
    for parent in parents:
        given = given.get(parent) if isinstance(given.get(parent), Mapping) else {}  # type: ignore[assignment]  # a Mapping by the test before
        block[parent] = {**given, **block.get(parent, {})}
        block = block[parent]
    if last in given and given[last] != data[key]:
        what = f"stands here beside its new spelling {dotted((*parents, last))}"
        problems.error((*path, key), what, "remove one of the two", key=True)
        return
    problems.old_key((*path, key), spellings(model)[key])
    problems.moved(target, (*path, key))
    block[last] = data[key]


def nested_models(annotation: Any) -> Nested | None:
    """The pydantic models in a field's type, or None where it has none."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    # Python 3.10 takes `list[int]` for a type.
    if origin is None and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Nested("one", (annotation,))
    if origin is typing.Annotated:
        return nested_models(args[0])
    if origin in {typing.Union, types.UnionType}:
        found = [nested for arg in args if (nested := nested_models(arg))]
        models = tuple(model for nested in found for model in nested.models)
        return Nested(found[0].shape, models) if found else None
    if isinstance(origin, type) and args:
        return _collected(origin, args)
    return None


def _collected(origin: type, args: tuple[Any, ...]) -> Nested | None:
    mapping = issubclass(origin, Mapping)
    inner = nested_models(args[-1 if mapping else 0])
    return Nested("map" if mapping else "list", inner.models) if inner else None


def _descend(nested: Nested, value: Any, path: Path, problems: Problems) -> Any:
    if nested.shape == "list" and isinstance(value, list | tuple):
        return [_one(nested, item, (*path, n), problems) for n, item in enumerate(value)]
    if nested.shape == "map" and isinstance(value, Mapping):
        return {key: _one(nested, item, (*path, key), problems) for key, item in value.items()}
    return _one(nested, value, path, problems) if nested.shape == "one" else value


def _one(nested: Nested, value: Any, path: Path, problems: Problems) -> Any:
    if not isinstance(value, Mapping):
        return value  # pydantic says what was expected
    if len(nested.models) == 1:
        return normalise(nested.models[0], value, path, problems)
    words = {word: model for model in nested.models for word in _type_words(model)}
    if not words:
        return value
    given = value.get("type")
    if isinstance(given, str) and given in words:
        problems.members[path] = words[given].__name__
        return normalise(words[given], value, path, problems)
    problems.reported.add(problems.origin(path))  # pydantic would go through all the members
    if "type" in value:
        problems.error((*path, "type"), "unknown type", expected_words(str(given), words))
    else:
        problems.error((*path, "type"), "missing", f"expected one of {', '.join(words)}")
    return value


def _type_words(model: type[BaseModel]) -> tuple[str, ...]:
    field = model.model_fields.get("type")
    if field is None or typing.get_origin(field.annotation) is not Literal:
        return ()
    return tuple(str(word) for word in typing.get_args(field.annotation))
