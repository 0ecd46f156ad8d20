"""One model validated against its part of the workflow, with errors that a user can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from metaglean.config.document import Path
from metaglean.config.keys import keys_of, keys_of_field, nested_models, normalise
from metaglean.config.problems import Problems, expected_words

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "string_type": "expected text",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "float_parsing": "expected a number",
    "decimal_type": "expected a number",
    "decimal_parsing": "expected a number",
    "model_type": "expected a block of keys",
    "model_attributes_type": "expected a block of keys",
    "dict_type": "expected a block of keys",
    "mapping_type": "expected a block of keys",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "set_type": "expected a list",
    "frozen_set_type": "expected a list",
    "url_parsing": "expected a URL such as https://host:port/path",
    "none_required": "expected nothing",
}
_LIMITS = {
    "greater_than": ("gt", "expected a number greater than {}"),
    "greater_than_equal": ("ge", "expected a number of at least {}"),
    "less_than": ("lt", "expected a number less than {}"),
    "less_than_equal": ("le", "expected a number of at most {}"),
    "string_too_short": ("min_length", "expected at least {} characters"),
    "string_too_long": ("max_length", "expected at most {} characters"),
    "too_short": ("min_length", "expected at least {} values"),
    "too_long": ("max_length", "expected at most {} values"),
}


def validate(model: type[M], data: Any, path: Path, problems: Problems) -> M | None:
    """The settings at `path` as an instance of `model`; None after errors were added."""
    return validate_keeping(model, data, path, problems)[0]


def validate_keeping(
    model: type[M], data: Any, path: Path, problems: Problems
) -> tuple[M | None, dict[str, Any]]:
    """The same, and the data with today's keys, to go on with where there were errors.

    Numbers are taken for text where text is expected, as they were written (`clientId: 0042`):
    published workflows leave such values unquoted.
    """
    if not isinstance(data, Mapping):
        problems.error(path, "wrong type", "expected a block of keys", key=True)
        return None, {}
    before = problems.count
    clean = normalise(model, data, path, problems)
    instance, error = _attempt(model, clean)
    if error and _numbers_to_text(error, clean, path, problems):
        instance, error = _attempt(model, clean)
    if error:
        _report(model, error, clean, path, problems)
    for inner, number in booleans_as_numbers(clean, instance):
        kind = "int_type" if isinstance(number, int) else "float_type"
        problems.error((*path, *inner), "wrong type", _EXPECTED[kind])
    return (instance if problems.count == before else None), clean


def booleans_as_numbers(data: Any, value: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    """Where `data` has true or false and pydantic made a number of it, and that number."""
    if isinstance(data, bool):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield path, value
    elif isinstance(data, Mapping):
        if isinstance(value, BaseModel):
            value = {
                key: getattr(value, name)
                for name, field in type(value).model_fields.items()
                for key in keys_of_field(name, field)
            }
        if isinstance(value, Mapping):
            for key in [key for key in data if key in value]:
                yield from booleans_as_numbers(data[key], value[key], (*path, key))
    elif isinstance(data, list | tuple) and isinstance(value, list | tuple):
        for number, (given, made) in enumerate(zip(data, value, strict=False)):
            yield from booleans_as_numbers(given, made, (*path, number))


def _attempt(model: type[M], data: Mapping[str, Any]) -> tuple[M | None, ValidationError | None]:
    try:
        return model.model_validate(data), None
    except ValidationError as error:
        return None, error


def _numbers_to_text(
    error: ValidationError, data: dict[str, Any], path: Path, problems: Problems
) -> bool:
    texts = problems.document.texts if problems.document else {}
    changed = False
    for detail in error.errors(include_url=False):
        value = detail["input"]
        if detail["type"] != "string_type" or isinstance(value, bool):
            continue
        if not isinstance(value, int | float):
            continue
        inner = _resolve(detail["loc"], data) or ()
        block: Any = data
        for part in inner[:-1]:
            block = block[part]
        block[inner[-1]] = texts.get(problems.origin((*path, *inner)), str(value))
        changed = True
    return changed


def _resolve(
    location: tuple[str | int, ...], data: Any, members: Mapping[Path, str] | None = None
) -> Path | None:
    """The path in the data of a location that pydantic gives: it names union members as well.

    None for the errors of a member that is not the one of `members` (by path in the data).
    """
    path: list[str | int] = []
    for position, part in enumerate(location):
        # A list as a mapping from its indexes, so that both are walked alike.
        held = dict(enumerate(data)) if isinstance(data, list) else data
        if isinstance(held, Mapping) and part in held:
            data = held[part]
        elif position < len(location) - 1 or not isinstance(held, Mapping):
            member = (members or {}).get(tuple(path))
            if member and not re.search(rf"\b{member}\b", str(part)):
                return None
            continue
        path.append(part)
    return tuple(path)


def _report(
    model: type[BaseModel],
    error: ValidationError,
    data: Mapping[str, Any],
    path: Path,
    problems: Problems,
) -> None:
    """Several members of a union fail at one place: one error, with all that would be right."""
    found: dict[Path, list[tuple[str, str]]] = {}
    covered = set(problems.reported)
    members = {at[len(path) :]: name for at, name in problems.members.items()}
    for detail in error.errors(include_url=False):
        inner = _resolved(detail, data, members)
        at = (*path, *_spelt(model, inner or ()))
        if (
            inner is None
            or at in problems.suggested
            or _covered(problems.origin(at), covered, path)
        ):
            continue
        said = _described(detail, model, at[len(path) :], problems)
        if said not in found.setdefault(at, []):
            found[at].append(said)
    for at, reasons in found.items():
        expected = " or ".join(
            [reasons[0][1], *(text.removeprefix("expected ") for _, text in reasons[1:])]
        )
        problems.error(at, reasons[0][0], expected)


def _resolved(
    detail: ErrorDetails, data: Mapping[str, Any], members: Mapping[Path, str]
) -> Path | None:
    location = detail["loc"]
    if detail["type"] != "missing":
        return _resolve(location, data, members)
    parent = _resolve((*location[:-1], ""), data, members)  # the key itself is not in the data
    return None if parent is None else (*parent[:-1], location[-1])


def _spelt(model: type[BaseModel], path: Path) -> Path:
    """The same path; a default that is refused is named as the model's field, not as its key."""
    field = _inner(model, path).model_fields.get(str(path[-1])) if path else None
    return (*path[:-1], field.alias) if field and field.alias else path


def _covered(at: Path, reported: set[Path], base: Path) -> bool:
    """Whether this place, or one below it, was reported before pydantic looked at it."""
    return any(
        len(p) > len(base) and (at[: len(p)] == p or p[: len(at)] == at) and len(at) > len(base)
        for p in reported
    )


def _described(
    detail: ErrorDetails, model: type[BaseModel], path: Path, problems: Problems
) -> tuple[str, str]:
    """What is wrong, and what was expected. The value is never repeated: it may be secret."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "missing":
        return "missing", _purpose(model, path)
    if kind in _LIMITS:
        return _limit(kind, context)
    if kind in {"literal_error", "enum"}:
        words = [word.strip("' ") for word in context["expected"].replace(" or ", ", ").split(",")]
        return "unknown value", expected_words(value if isinstance(value, str) else "", words)
    if kind in {"value_error", "assertion_error"}:
        return "not valid", problems.masked(str(context.get("error") or detail["msg"]))
    said = detail["msg"].replace("Input should be", "expected")
    text = _EXPECTED.get(kind) or problems.masked(said)
    if kind == "string_type" and isinstance(value, bool):
        text += "; put words such as yes, no, on and off in quotes"
    return "has no value" if value is None else "wrong type", text


def _limit(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    key, text = _LIMITS[kind]
    if kind == "string_too_short" and context[key] == 1:
        return "empty", "expected text"
    limit = context[key]
    whole = isinstance(limit, float) and limit.is_integer()
    return "out of range", text.format(int(limit) if whole else limit)


def _purpose(model: type[BaseModel], path: Path) -> str:
    """What a missing key is for, from its description."""
    model = _inner(model, path)
    field = keys_of(model).get(str(path[-1]))
    if field is not None and field.description:
        return f"expected: {field.description.rstrip('.')}"
    return "it is required"


def _inner(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model that has the last key of a path."""
    for part in path[:-1]:
        field = keys_of(model).get(str(part))
        nested = nested_models(field.annotation) if field else None
        if nested:
            model = nested.models[0]
    return model
