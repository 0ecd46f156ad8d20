"""Folder: a sink that keeps one JSON file an entity, for looking through it with git and grep.

A file is named by a hash of kind and path (names may be longer than file names, and hold slashes).
It knows what stands, plans a dry run, and marks what is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from metaglean import (
    Change,
    Config,
    Entity,
    Existing,
    ItemError,
    Record,
    Ref,
    RunError,
    Sink,
    Step,
    hookimpl,
)  # fmt: skip
from metaglean.records import whole_labels

if TYPE_CHECKING:
    from metaglean import Run

_KEPT_WHEN_EMPTY = ("description", "display_name", "owners")
_VOLATILE = ("volatile_facets",)


class FolderConfig(Config):
    directory: str = Field(description="Where the files go; it is made where it is missing.")


class Folder(Sink):
    type = "folder"
    Config = FolderConfig
    capabilities = frozenset({"plan", "deletion"})

    def __init__(self, config: FolderConfig) -> None:
        super().__init__(config)
        self._directory = Path(config.directory).expanduser()

    def open(self, run: Run) -> Iterator[Step]:
        found = self._directory if self._directory.exists() else self._directory.parent
        ok = found.is_dir() and os.access(found, os.W_OK)
        yield Step("write files", ok, str(self._directory))

    def existing(self, kind: str, scope: Ref) -> Iterator[Existing]:
        for path in self._directory.glob(f"{kind}-*.json"):
            stored = _load(path)
            ref = Ref(kind, tuple(stored["path"]))
            if ref.parent == scope:
                state = stored["state"]
                yield Existing(ref, path.name, state.get("source_id"), deleted=stored["deleted"])

    def write(self, records: Iterator[Record], run: Run) -> Iterator[Change]:
        for record in records:
            if isinstance(record, Entity):
                with run.item(record.ref):
                    yield self._settle(record, run)

    def delete(self, entities: Sequence[Existing], run: Run) -> Iterator[Change]:
        for entity in entities:
            with run.item(entity.ref):
                path = self._directory / entity.id
                self._store(path, {**_load(path), "deleted": True}, run)
                yield Change(entity.ref, "deleted")

    def _settle(self, record: Entity, run: Run) -> Change:
        """Compare one entity with its file, and write what differs."""
        path = self._directory / _file_name(record.ref)
        read = record.model_dump(mode="json", exclude_unset=True, exclude={"ref"})
        stored = _load(path) if path.exists() else None
        state, fields = _merge(stored["state"] if stored else {}, read)
        if stored is None:
            action = "created"
        elif stored["deleted"]:
            action = "restored"
        else:
            action = "updated" if set(fields) - set(_VOLATILE) else "unchanged"
        if action != "unchanged" or fields:
            new = {"kind": record.ref.kind, "path": record.ref.path, "deleted": False}
            self._store(path, {**new, "state": state}, run)
        return Change(record.ref, action, {} if action in ("created", "unchanged") else fields)

    def _store(self, path: Path, data: Mapping[str, Any], run: Run) -> None:
        """Write a file whole or not at all; nothing in a dry run."""
        if run.dry_run:
            return
        beside = path.with_suffix(".part")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
            beside.replace(path)
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}", "Is the disk full?") from error


def _merge(
    stored: Mapping[str, Any], read: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, tuple[Any, Any]]]:
    """What was read over what stands, and the fields that differ. What was not read stays, and an
    empty text or owner list clears nothing."""
    read = whole_labels(stored, read)
    told = {key: value for key, value in read.items() if value or key not in _KEPT_WHEN_EMPTY}
    fields = {key: (stored.get(key), v) for key, v in told.items() if stored.get(key) != v}
    return {**stored, **told}, fields


def _file_name(ref: Ref) -> str:
    return f"{ref.kind}-{hashlib.sha256(json.dumps(ref.path).encode()).hexdigest()[:32]}.json"


def _load(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ItemError(f"{path} can't be read", "Remove it: the next run writes it.") from error
    return data


@hookimpl
def register_sinks() -> list[type[Sink]]:
    return [Folder]
