"""Check what the distributions share: version, licence, Python, entry points that exist, readme."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from repo import ROOT, Distribution, distributions, load, version

SHARED = {"requires-python": ">=3.10", "license": "Apache-2.0"}


def problems(dist: Distribution) -> Iterator[str]:
    """What is wrong with one distribution."""
    project = dist.project
    if project.get("version") != version():
        yield f"version is {project.get('version')}, not {version()}"
    for key, value in SHARED.items():
        if project.get(key) != value:
            yield f"{key} is {project.get(key)!r}, not {value!r}"
    if not (dist.folder / "README.md").is_file():
        yield "README.md is missing"
    licence = dist.folder / "LICENSE"
    if not licence.is_file() or licence.read_bytes() != (ROOT / "LICENSE").read_bytes():
        yield "LICENSE is not the repository's"
    for group, entries in project.get("entry-points", {}).items():
        for name, module in entries.items():
            if not _exists(dist, module):
                yield f"entry point {group}: {name} names {module}, which isn't there"
    if dist.alias != ("aliases" in dist.folder.parts):
        yield "exactly the aliases are marked Private :: Do Not Upload"


def _exists(dist: Distribution, module: str) -> bool:
    path = dist.folder / "src" / module.partition(":")[0].replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def main() -> int:
    found = [
        f"{dist.folder.relative_to(ROOT)}: {problem}"
        for dist in distributions()
        for problem in problems(dist)
    ]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    if f"## [{version()}]" not in changelog and "## [Unreleased]" not in changelog:
        found.append("CHANGELOG.md: neither this version nor [Unreleased] has a section")
    listed = set(load(ROOT / "pyproject.toml")["tool"]["importlinter"]["root_packages"])
    for dist in distributions():
        packages = {path.parent.name for path in dist.folder.glob("src/*/__init__.py")}
        if packages - listed:
            found.append(f"pyproject.toml: import-linter doesn't know {sorted(packages - listed)}")
    print("\n".join(found) or f"{len(distributions())} distributions, version {version()}: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
