"""Judge one body by an official model, pydantic 1 or 2.

The servers refuse every key that they don't know, at any depth; the generated models forbid them
only in places and ignore them elsewhere. So a key of the body that the validated object doesn't
have is a finding too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pydantic

PYDANTIC_1 = pydantic.VERSION.startswith("1.")
_SHOWN = 5
# Keys that servers take and give in stored entities whether or not the model has them: their Java
# classes share one interface.
OF_THE_SERVER = frozenset(
    {"children", "reviewers", "experts", "style", "votes", "followers", "dataProducts"}
)


def findings(model: Any, body: Any, *, stored: bool = False) -> list[str]:
    """What is wrong with the body; empty where it fits. `stored`: it is an entity that a server
    answered with."""
    if stored:
        body = _of_the_model(model, body)
    try:
        found = model.parse_obj(body) if PYDANTIC_1 else model.model_validate(body)
    except pydantic.ValidationError as error:
        # Values never: a body can hold a secret.
        problems = [
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        ]
        more = len(problems) - _SHOWN
        return problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return [f"{key}: the model has no such key" for key in unknown(found, body)]


def _of_the_model(model: Any, entity: dict[str, Any]) -> dict[str, Any]:
    """The entity without keys that a server adds and this version's model doesn't have."""
    known = model.__fields__ if PYDANTIC_1 else model.model_fields
    return {key: value for key, value in entity.items() if key not in OF_THE_SERVER or key in known}


def unknown(found: Any, body: Any, path: str = "") -> Iterator[str]:
    """The keys of the body that are not in the validated object, at any depth."""
    if isinstance(found, pydantic.BaseModel):
        yield from _unknown_in_model(found, body, path)
    elif isinstance(body, list) and isinstance(found, list | tuple):
        for number, (one, item) in enumerate(zip(found, body, strict=True)):
            yield from unknown(one, item, f"{path}.{number}" if path else str(number))
    elif isinstance(body, dict) and isinstance(found, dict):
        for key, value in body.items():
            yield from unknown(found.get(key), value, f"{path}.{key}" if path else key)
    elif found is None and body is not None:
        yield path or "everything"


def _unknown_in_model(found: pydantic.BaseModel, body: Any, path: str) -> Iterator[str]:
    values = found.__dict__
    for root in ("root", "__root__"):
        if list(values) == [root]:
            yield from unknown(values[root], body, path)
            return
    if not isinstance(body, dict):
        return
    extra = {} if PYDANTIC_1 else (found.__pydantic_extra__ or {})
    fields: Any = type(found).__fields__ if PYDANTIC_1 else type(found).model_fields
    names = {(field.alias or name): name for name, field in fields.items()}
    for key, value in body.items():
        name, below = names.get(key, key), f"{path}.{key}" if path else key
        if name in values:
            yield from unknown(values[name], value, below)
        elif key not in extra:
            yield below
