"""What the other tools know about this repository: its distributions and their metadata."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
GLOBS = ("core", "plugins/*", "packages/*", "packages/aliases/*")


class Distribution(NamedTuple):
    """One distribution: its folder, and the `[project]` table of its pyproject.toml."""

    folder: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.project["name"])

    @property
    def alias(self) -> bool:
        """Whether it exists for a local wheelhouse only."""
        return self.folder.parent.name == "aliases"


def load(path: Path) -> dict[str, Any]:
    """A TOML file, read with the standard library, or on Python 3.10 with the tomli beside pip."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        from pip._vendor import tomli as tomllib
    with path.open("rb") as file:
        return dict(tomllib.load(file))


def distributions(*globs: str) -> list[Distribution]:
    """All distributions below these globs (by default, everything but the examples)."""
    found: list[Distribution] = []
    for pattern in globs or GLOBS:
        paths = sorted(ROOT.glob(f"{pattern}/pyproject.toml"))
        found += [Distribution(path.parent, load(path)["project"]) for path in paths]
    return found


def version() -> str:
    """The version that every distribution has."""
    return str(load(ROOT / "pyproject.toml")["tool"]["metaglean"]["version"])


def sources(*, tests: bool = False) -> list[Path]:
    """The Python files people maintain, sorted; those of tests only if asked for."""
    tops = ("core", "plugins", "packages", "tools", "examples", "benchmarks", "tests")
    files = (path for top in tops for path in (ROOT / top).rglob("*.py"))
    kept = (path for path in files if not _generated(path))
    return sorted(path for path in kept if tests or "tests" not in path.relative_to(ROOT).parts)


def _generated(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(part.startswith(".") or part in {"build", "dist", "node_modules"} for part in parts)
