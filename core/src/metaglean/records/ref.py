"""`Ref`: the identity of an entity, a kind and a path of raw names."""

from __future__ import annotations

from typing import NamedTuple

# Kind → the kinds of its ancestors, outermost first. The words are OpenMetadata's entity types.
ANCESTORS: dict[str, tuple[str, ...]] = {
    "databaseService": (),
    "pipelineService": (),
    "dashboardService": (),
    "database": ("databaseService",),
    "databaseSchema": ("databaseService", "database"),
    "table": ("databaseService", "database", "databaseSchema"),
    "pipeline": ("pipelineService",),
    "dashboard": ("dashboardService",),
    "chart": ("dashboardService",),
    "classification": (),
    "tag": ("classification",),
}


class Ref(NamedTuple):
    """Names one entity: `kind` is OpenMetadata's entity type, `path` the raw names from the service
    (or classification) down to the entity itself, neither quoted nor encoded."""

    kind: str
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def parent(self) -> Ref | None:
        """The ref one level up, or None for what has no parent, or is of an unknown kind."""
        ancestors = ANCESTORS.get(self.kind)
        return Ref(ancestors[-1], self.path[:-1]) if ancestors else None

    def child(self, kind: str, name: str) -> Ref:
        """The ref of an entity of `kind` called `name` below this one."""
        return Ref(kind, (*self.path, name))

    def renamed(self, name: str) -> Ref:
        return Ref(self.kind, (*self.path[:-1], name))

    def __str__(self) -> str:
        return ".".join(self.path)
