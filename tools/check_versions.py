"""Check the distributions: what they share (version, licence, Python), entry points that exist, and
that each import of another project's module is a declared dependency (a transitive one may go).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from repo import ROOT, Distribution, distributions, load, version

# Where the names differ; pydantic and its pydantic_core are one.
MODULES = {
    "yaml": "pyyaml", "vcr": "vcrpy", "_pytest": "pytest", "pydantic_core": "pydantic",
    "opentelemetry": "opentelemetry-api",
}  # fmt: skip
OFFERED = {"metaglean-core": {"pydantic"}}  # settings of plugins are pydantic models: its API
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
    if dist.alias != ("Private :: Do Not Upload" in project.get("classifiers", ())):
        yield "exactly the aliases are marked Private :: Do Not Upload"
    yield from modules(dist)


def modules(dist: Distribution) -> Iterator[str]:
    """Entry points that lead nowhere, and imports that nothing declares."""
    for group, entries in dist.project.get("entry-points", {}).items():
        for name, module in entries.items():
            if not _exists(dist, module):
                yield f"entry point {group}: {name} names {module}, which isn't there"
    for module, where in sorted(undeclared(dist).items()):
        yield f"imports {module} ({where}), which no dependency declares"


def undeclared(dist: Distribution) -> dict[str, str]:
    """Top-level module → a file that imports it, of other projects and not declared."""
    extras = dist.project.get("optional-dependencies", {}).values()
    needs = [*dist.project["dependencies"], *(need for extra in extras for need in extra)]
    declared = {_normal(re.split(r"[^\w.-]", need)[0]) for need in needs}
    for name, offered in OFFERED.items():
        declared |= offered if name in declared else set()
    packages = {path.parent.name for path in dist.folder.glob("src/*/__init__.py")}
    ours = {_package(other): _normal(other.name) for other in distributions()}
    found = {}
    for path in sorted((dist.folder / "src").rglob("*.py")):
        for module in _imported(path.read_text("utf-8")) - packages - sys.stdlib_module_names:
            if ours.get(module, MODULES.get(module, _normal(module))) not in declared:
                found[module] = str(path.relative_to(dist.folder))
    return found


def _imported(text: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _package(dist: Distribution) -> str:
    return next((path.parent.name for path in dist.folder.glob("src/*/__init__.py")), "")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
