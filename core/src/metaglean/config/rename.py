"""`rename:` of a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from metaglean.components import Config
from metaglean.filters import checked_text, compiled
from metaglean.renaming import Renaming


class RenameRule(Config):
    """One rule of `rename:`."""

    pattern: str = Field(
        description="A regular expression, matched from the start of the source's name (of this "
        "level alone), ignoring case."
    )
    replacement: str = Field(
        description="What stands instead of what `pattern` matched; `\\1` is its first group."
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compiled(pattern)
        return pattern

    @field_validator("replacement")
    @classmethod
    def _has_groups(cls, replacement: str, info: ValidationInfo) -> str:
        return checked_text(replacement, info.data.get("pattern"))


class RenameConfig(Config):
    """`rename:`, rules by level; of a level's the first that matches decides."""

    KINDS: ClassVar[Mapping[str, str]] = {
        "databases": "database",
        "schemas": "databaseSchema",
        "tables": "table",
        "pipelines": "pipeline",
        "dashboards": "dashboard",
        "charts": "chart",
    }

    databases: tuple[RenameRule, ...] = Field((), description="Rules for databases.")
    schemas: tuple[RenameRule, ...] = Field((), description="Rules for schemas.")
    tables: tuple[RenameRule, ...] = Field((), description="Rules for tables and views.")
    pipelines: tuple[RenameRule, ...] = Field((), description="Rules for pipelines.")
    dashboards: tuple[RenameRule, ...] = Field((), description="Rules for dashboards.")
    charts: tuple[RenameRule, ...] = Field((), description="Rules for charts.")

    def renaming(self, service: str) -> Renaming:
        """The function that the rules make, for one run."""
        rules = {
            kind: [(rule.pattern, rule.replacement) for rule in getattr(self, level)]
            for level, kind in self.KINDS.items()
        }
        return Renaming(service, {kind: found for kind, found in rules.items() if found})
