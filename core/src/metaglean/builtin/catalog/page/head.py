"""The dictionaries of a page, and what its start shows: scopes, labels, runs."""

from __future__ import annotations

from typing import Any

from metaglean import fqn
from metaglean.builtin.catalog.page.content import Numbers
from metaglean.builtin.catalog.reader import Reader
from metaglean.builtin.catalog.runs import runs

RUNS = 100
OTHERS = ("pipeline", "dashboard", "chart")  # counted, not shown one by one
# Kind of a container → how deep it lies.
DEPTHS = {"databaseService": 0, "database": 1, "databaseSchema": 2}


def head(reader: Reader, numbers: Numbers) -> dict[str, Any]:
    """What the page needs at its start. `numbers` must have seen all tables."""
    containers = _containers(reader, numbers)
    counts = reader.counts()
    count, last = runs(reader.store, RUNS)
    live = [one for one in containers if not one["deleted"]]
    return {
        "types": list(numbers.types),
        "owners": _labels("owner", numbers.owners, numbers),
        "tags": _labels("tag", numbers.tags, numbers),
        "scopes": [_scope(name) for name in numbers.scopes],
        "containers": containers,
        "services": [{"title": one["title"]} for one in live if one["depth"] == 0],
        "others": {kind: counts[kind] for kind in OTHERS if kind in counts},
        "schemas": sum(one["depth"] == 2 for one in live),
        "runCount": count,
        "runs": [run._asdict() for run in last],
        "anyDeleted": numbers.deleted,
    }


def _labels(kind: str, texts: dict[str, int], numbers: Numbers) -> list[dict[str, Any]]:
    return [{"label": text, "tables": numbers.counts.get((kind, text), 0)} for text in texts]


def _scope(name: str) -> dict[str, Any]:
    parts = fqn.split(name)
    levels = [
        {"title": part, "fqn": fqn.build(parts[: depth + 1])} for depth, part in enumerate(parts)
    ]
    return {"fqn": name, "levels": levels}


def _containers(reader: Reader, numbers: Numbers) -> list[dict[str, Any]]:
    """Services, databases and schemas, each before what is in it. Those that only tables name
    are there too."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for kind, depth in DEPTHS.items():
        for entry in reader.below(kind, deleted=True):
            parts = fqn.split(entry.fqn)
            found[parts] = {
                "fqn": entry.fqn,
                "part": fqn.build(parts[-1:]),
                "title": entry.state.get("display_name") or parts[-1],
                "depth": depth,
                "description": entry.state.get("description") or "",
                "deleted": entry.deleted,
            }
    for name in numbers.scopes:
        parts = fqn.split(name)
        for depth in range(len(parts)):
            found.setdefault(
                parts[: depth + 1],
                {
                    "fqn": fqn.build(parts[: depth + 1]),
                    "part": fqn.build(parts[depth : depth + 1]),
                    "title": parts[depth],
                    "depth": depth,
                    "description": "",
                    "deleted": False,
                },
            )
    return [
        {**found[parts], "tables": numbers.counts.get(("scope", found[parts]["fqn"]), 0)}
        for parts in sorted(found)
    ]
