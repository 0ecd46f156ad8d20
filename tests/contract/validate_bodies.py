"""Validate recorded request bodies against the official models of one OpenMetadata version.

    python tests/contract/validate_bodies.py BODIES.jsonl

Run it where `openmetadata-ingestion` is installed with `--no-deps` (tox environments
`om-contract-…`); of the file it takes the requests that were sent to a server of that version. A
line is one request:

    {"version": "1.3", "method": "PUT", "path": "/v1/tables", "body": {…}}

A PATCH has the entity beside it: `entity` as it was answered, or `stored` as it was before (then
the patch is applied here), or both. Exit code 0: every body fits, and every endpoint that must be
there is; 1: not so; 2: there is no file, or it has nothing for this
version.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import endpoints
import official
import patching

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"

FindModel = Callable[[str], Any]
_FINDINGS_SHOWN = 40


class Verdict:
    """What became of the bodies of one version."""

    def __init__(self, version: endpoints.Version) -> None:
        self.version = version
        self.counts: Counter[str] = Counter()
        self.findings: list[str] = []

    @property
    def missing(self) -> list[str]:
        """Endpoints that must have a body and have none."""
        return [
            " or ".join(labels)
            for labels in endpoints.expected(self.version)
            if not any(self.counts[label] for label in labels)
        ]

    @property
    def good(self) -> bool:
        return not self.findings and not self.missing


def judge(
    requests: Iterable[Mapping[str, Any]], version: endpoints.Version, model: FindModel
) -> Verdict:
    """Judge every body; `model` gives an official model by its name, None where there is none."""
    verdict = Verdict(version)
    for number, request in enumerate(requests, 1):
        if request.get("body") is None:
            continue
        method, path = str(request["method"]), str(request["path"])
        found = endpoints.endpoint(method, path)
        if found is None:
            verdict.findings.append(f"{number}: {method} {path}: nobody knows its model")
            continue
        cls = model(found.model)
        if cls is None:
            verdict.findings.append(f"{number}: {found.label}: this version has no {found.model}")
            continue
        bodies = _patched(request) if found.patch else _rows(request["body"], found.rows)
        for what, body, problem in bodies:
            verdict.counts[found.label] += 1
            problems = [problem] if problem else official.findings(cls, body, stored=found.patch)
            verdict.findings += [f"{number}: {found.label}{what}: {one}" for one in problems]
    return verdict


def _rows(body: Any, rows: bool) -> Iterator[tuple[str, Any, str]]:
    if not rows:
        yield "", body, ""
    elif not isinstance(body, list) or not body:
        yield "", None, "no list of rows"
    else:
        for number, row in enumerate(body):
            yield f" row {number}", row, ""


def _patched(request: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """The entities that a patch made: here, and on the server."""
    stored, entity = request.get("stored"), request.get("entity")
    if stored is None and entity is None:
        yield "", None, "neither the stored entity nor the answered one was recorded"
    if stored is not None:
        try:
            yield " applied here", patching.apply(stored, request["body"]), ""
        except patching.PatchError as error:
            yield " applied here", None, f"the patch does not fit: {error}"
    if entity is not None:
        yield " as answered", entity, ""


def read(path: Path, version: str) -> Iterator[dict[str, Any]]:
    """The requests of one version."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            request = json.loads(line)
            if request["version"] == version:
                yield request


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bodies", type=Path, help="the recorded requests, JSON Lines")
    given = parser.parse_args(arguments)
    if not given.bodies.is_file():
        parser.error(f"there is no {given.bodies}: `tox -e om-bodies` records it")

    # The newest models try to decode reserved words in names, and log for each that they lack the
    # package's dependencies for it; the checks are done by then.
    logging.disable(logging.WARNING)
    sys.path.append(str(TOOLS))
    import openmetadata_models as models

    client = models.open_package()
    major, minor = (int(part) for part in client.split(".")[:2])
    name = f"{major}.{minor}"

    def model(wanted: str) -> Any:
        return models.find(models.MODELS[wanted])

    verdict = judge(read(given.bodies, name), (major, minor), model)
    print(f"OpenMetadata {name}, models of openmetadata-ingestion {client}")
    for label, count in sorted(verdict.counts.items()):
        print(f"  {count:6} {label}")
    if not verdict.counts:
        print(f"{given.bodies} has no body for {name}", file=sys.stderr)
        return 2
    for one in verdict.findings[:_FINDINGS_SHOWN]:
        print(f"WRONG {one}", file=sys.stderr)
    for one in verdict.missing:
        print(f"MISSING {one}", file=sys.stderr)
    wrong = len(verdict.findings)
    print(
        f"{sum(verdict.counts.values())} bodies, {wrong} findings, {len(verdict.missing)} missing"
    )
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
