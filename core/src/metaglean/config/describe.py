"""The keys of a model in words: what `metaglean plugins show` and the docs list."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic_core import PydanticUndefined, to_jsonable_python

from metaglean.config.keys import keys_of, spellings

_WORDS: Mapping[Any, str] = {
    str: "text", bool: "true or false", int: "whole number", float: "number",
    SecretStr: "secret", SecretBytes: "secret", types.NoneType: "nothing", Any: "anything",
}  # fmt: skip


def settings(model: type[BaseModel]) -> list[dict[str, Any]]:
    """One entry a key: key, type, required, default, description, and its old spellings."""
    result = []
    for key, field in keys_of(model).items():
        default = field.get_default(call_default_factory=False)
        result.append(
            {
                "key": key,
                "type": type_words(field.annotation),
                "required": field.is_required(),
                "default": None
                if default is PydanticUndefined
                else to_jsonable_python(default, by_alias=True, fallback=str),
                "description": field.description or "",
                "old_spellings": [old for old, new in spellings(model).items() if new == key],
            }
        )
    return result


def type_words(annotation: Any) -> str:
    """A type as users think of it: `text`, `list of text`, `block: includes, excludes`."""
    if annotation in _WORDS:
        return _WORDS[annotation]
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is not None:
        return _generic(origin, args)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"block of {', '.join(keys_of(annotation))}"
    return getattr(annotation, "__name__", str(annotation))


def _generic(origin: Any, args: tuple[Any, ...]) -> str:
    if origin is Literal:
        return " | ".join(str(word) for word in args)
    if origin is typing.Annotated:
        return type_words(args[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_words(arg) for arg in args if arg is not types.NoneType)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "block of any keys"
    return f"list of {type_words(args[0])}" if args else "list"
