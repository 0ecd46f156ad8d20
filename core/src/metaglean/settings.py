"""`Config`: the base of everything that users configure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Config(BaseModel):
    """Base of a component's settings. Users write the camelCase of the attribute names.

    Give every field a description (it is the reference in docs and editors), secrets the type
    `SecretStr`. `SPELLINGS` maps an older key to today's, or to a dotted path of keys in blocks: it
    works and gives one warning, and `metaglean check --fix` rewrites it.
    `WITHOUT_EFFECT` maps a key that is accepted but does nothing to the reason, which is the
    warning. `DEFAULTS` maps such a key to the values that other tools write by themselves and that
    ask for nothing: they give no warning. Unknown keys are errors.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        allow_inf_nan=False,  # no limit is kept by a number that nothing is greater than
    )

    SPELLINGS: ClassVar[Mapping[str, str]] = {}
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {}
    DEFAULTS: ClassVar[Mapping[str, tuple[object, ...]]] = {}
