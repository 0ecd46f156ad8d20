"""A service's connection: its keys by type, masked values, and what a PUT over one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata.errors import MASK, Json, bad, unmapped

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.world import World

_DEFAULTS = {"apiHost": "api.domo.com", "supportsMetadataExtraction": True}


def check(world: World, service: Json) -> None:
    """Refuse a key that the connection's type doesn't know; complete it. Raises `Refused`."""
    connection = service.get("connection")
    kind = service["serviceType"]
    if connection is None:
        if not world.features.has("unmask_checks_missing"):
            raise bad("[connection must not be null]")
        return
    config = connection.get("config")
    if not isinstance(config, dict):
        return
    known = world.models.keys(f"{kind}Connection")
    for key in config:
        if known is not None and key not in known:
            raise bad(
                f"Failed to encrypt '{kind}' connection stored in DB due to an unrecognized "
                f"field: '{key}'"
            )
    added = {key: value for key, value in _DEFAULTS.items() if known and key in known}
    service["connection"] = {**connection, "config": {"type": kind, **added, **config}}


def unmask(old: Json, new: Json) -> None:
    """Put the stored secrets where the new connection is masked. Raises `Refused`."""
    stored, sent = old.get("connection"), new.get("connection")
    kind = new["serviceType"]
    if sent is None and stored is None:
        raise unmapped(f'Cannot invoke "{kind}Connection.getConfig()" because it is null')
    if sent is None:
        raise bad(
            f"InvalidServiceConnectionException for service [{kind}] due to "
            f"[Failed to unmask connection instance of {kind}]."
        )
    new["connection"] = _unmasked(sent, stored)


def _unmasked(sent: Any, stored: Any) -> Any:
    if sent == MASK and stored is not None:
        return stored
    if isinstance(sent, dict):
        old = stored if isinstance(stored, dict) else {}
        return {key: _unmasked(value, old.get(key)) for key, value in sent.items()}
    return sent
