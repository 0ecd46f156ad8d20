"""A connection that the sink's target keeps, where the workflow has none of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metaglean.components import Config, Sink, Source
from metaglean.config.keys import keys_of, spellings, without_effect
from metaglean.config.problems import Problems
from metaglean.config.source import check_together, connection_of
from metaglean.config.values import MASKED, model_secrets, written_secrets
from metaglean.errors import ConfigError
from metaglean.options import SourceOptions

_WRITE_IT = "write serviceConnection into the workflow"


def keeps_connections(sink: type[Sink]) -> bool:
    """Whether a workflow for this sink may leave its connection out."""
    return sink.stored_connection is not Sink.stored_connection


def stored_secrets(source: type[Source], data: Mapping[str, Any]) -> Iterator[str]:
    """Every value of a stored connection that may be a secret, before it was validated."""
    yield from written_secrets(data)
    keys = keys_of(source.Config)
    for key, value in data.items():
        field = keys.get(spellings(source.Config).get(key, key))
        if field is not None and "Secret" in repr(field.annotation):
            yield from written_secrets({"secret": value})


def stored_config(
    source: type[Source], options: SourceOptions, data: Mapping[str, Any] | None, service: str
) -> Config:
    """The source's settings from the connection that is kept for `service`.

    Old spellings and keys without effect are accepted in silence: it is another version's, and
    nobody can write it otherwise. Keys that the source doesn't know, and empty ones, are left out.
    Raises ConfigError where nothing is kept, its secrets are masked, or it isn't valid.
    """
    if not data:
        raise ConfigError(
            f"the workflow has no serviceConnection, and nothing is stored for {service!r}",
            f"For the first run of a service {_WRITE_IT}.",
        )
    masked = sorted(key for key, value in data.items() if _is_masked(value))
    if masked:
        raise ConfigError(
            f"the connection that is stored for {service!r} comes with masked secrets: "
            f"{', '.join(masked)}",
            f"Use the token of a bot, who is given them in clear, or {_WRITE_IT}.",
        )
    known = {
        *keys_of(source.Config), *spellings(source.Config), *without_effect(source.Config), "type",
    }  # fmt: skip
    kept = {key: value for key, value in data.items() if key in known and value is not None}
    problems = Problems()
    problems.secrets.update(stored_secrets(source, data))
    config = connection_of(source, kept, (), problems)
    if config is not None:
        problems.secrets.update(model_secrets(config))
        check_together(source, config, options, (), problems)
    try:
        problems.raise_if_any()
    except ConfigError as error:
        raise ConfigError(
            f"the connection that is stored for {service!r} can't be used: {error.message}",
            f"Correct it on the server, or {_WRITE_IT}.",
        ) from None
    assert config is not None
    return config


def _is_masked(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_masked(inner) for inner in value.values())
    return isinstance(value, str) and bool(MASKED.fullmatch(value))
