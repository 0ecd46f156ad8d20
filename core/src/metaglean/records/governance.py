"""Classifications and their tags."""

from __future__ import annotations

from typing import ClassVar

from metaglean.records.base import Entity


class Classification(Entity):
    """A set of tags."""

    KIND: ClassVar[str] = "classification"


class Tag(Entity):
    """A tag; its ref is ("tag", (classification, name))."""

    KIND: ClassVar[str] = "tag"
