"""A made-up company's catalog: many tables in little time, the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from metaglean import fqn
from metaglean.builtin.catalog.store import Store
from metaglean.clock import SystemClock

NOUNS = (
    "order customer invoice payment shipment product price campaign session click visit account"
    " contract lead ticket refund return stock supplier warehouse store region country city user"
    " employee salary budget forecast target margin discount coupon basket item category brand"
    " review rating message call email event error request device browser page search filter"
    " subscription plan renewal churn cohort segment experiment variant model feature score label"
    " sensor machine batch recipe quality inspection defect repair route vehicle driver trip stop"
    " fuel energy meter reading tariff policy claim risk premium patient visit dose trial sample"
).split()
ENDINGS = (
    "daily weekly monthly history latest raw clean summary detail snapshot by_region v2".split()
)
FIELDS = "id name date amount status type code count total rate flag note key hash rank".split()
TYPES = "LONG STRING DATETIME DOUBLE STRING STRING STRING LONG DECIMAL DOUBLE BOOLEAN".split()
VERBS = "holds counts lists measures joins keeps summarises explains".split()
OWNERS = [
    {"type": "user", "name": name, "email": f"{name.lower()}@acme.test"}
    for name in "Ann Ben Chloe Dana Emil Fatima Goran Hana Ivan Jun Katya Liam".split()
] + [{"type": "team", "name": name} for name in ("Finance", "Growth", "Logistics", "Platform")]
TAGS = [
    {"classification": group, "name": name}
    for group, names in {
        "Tier": "Gold Silver Bronze".split(),
        "Privacy": "Personal Sensitive Public".split(),
        "Team": "finance growth logistics platform care".split(),
    }.items()
    for name in names
]
SCHEMAS = [
    (service, database, schema)
    for service, database, schemas in (
        ("warehouse", "analytics", ("finance", "growth", "logistics", "care")),
        ("warehouse", "staging", ("raw", "clean")),
        ("domo", "default", ("default",)),
        ("lake", "events", ("web", "app", "sensors")),
    )
    for schema in schemas
]
START = 1_780_000_000.0  # epoch seconds of the first run
RUNS = 12


def make_catalog(path: Path, tables: int, columns: int = 20, seed: int = 1) -> Path:
    """A catalog file with so many tables; written around the sink, which would take a minute."""
    chance = random.Random(seed)
    pool = [json.dumps(column(chance)) for _ in range(4000)]
    with closing(Store(path, SystemClock(), writable=True)) as store, store.writing():
        for run in range(1, RUNS + 1):
            add_run(store, run)
        for kind, parts in containers():
            add_entity(store, kind, parts, {"description": f"Data of {parts[-1]}."})
        for number in range(tables):
            parts = (*chance.choice(SCHEMAS), table_name(chance, number))
            run = chance.randint(1, RUNS)
            listed = chance.sample(pool, columns)
            state = table(chance, parts, listed)
            identity = add_entity(store, "table", parts, state, run, columns=listed)
            if number and chance.random() < 0.3:
                add_edge(store, identity - chance.randint(1, min(number, 50)), identity)
    return path


def containers() -> Iterator[tuple[str, tuple[str, ...]]]:
    kinds = ("databaseService", "database", "databaseSchema")
    for depth, kind in enumerate(kinds, 1):
        for parts in dict.fromkeys(schema[:depth] for schema in SCHEMAS):
            yield kind, parts


def table_name(chance: random.Random, number: int) -> str:
    return f"{chance.choice(NOUNS)}_{chance.choice(NOUNS)}_{chance.choice(ENDINGS)}_{number:05d}"


def sentence(chance: random.Random, subject: str) -> str:
    words = [chance.choice(NOUNS) for _ in range(6)]
    return (
        f"{subject.capitalize()} {chance.choice(VERBS)} each {words[0]} of a {words[1]}, one row a"
        f" {words[2]}; the {words[3]} comes from the {words[4]} {words[5]}."
    )


def table(chance: random.Random, parts: tuple[str, ...], columns: list[str]) -> dict[str, Any]:
    """The state of one table, without its columns."""
    name = parts[-1]
    view = chance.random() < 0.1
    state: dict[str, Any] = {
        "source_id": f"{chance.getrandbits(64):016x}",
        "source_url": f"https://acme.test/datasets/{name}",
        "display_name": name[:-6].replace("_", " ").capitalize(),
        "description": sentence(chance, name.split("_")[0]),
        "owners": chance.sample(OWNERS, chance.randint(0, 2)),
        "tags": chance.sample(TAGS, chance.randint(0, 2)),
        "life_cycle": {"created": int(START * 1000)},
        "facets": {"warehouse": {"engine": "columnar", "partitions": chance.randint(1, 400)}},
        "table_type": "View" if view else "Regular",
        "table_constraints": [],
    }
    if view:
        listed = ",\n  ".join(json.loads(one)["name"] for one in columns)
        state["schema_definition"] = f"SELECT\n  {listed}\nFROM {fqn.build(parts[1:3])}.source"
    return state


def column(chance: random.Random) -> dict[str, Any]:
    noun, kind = chance.choice(NOUNS), chance.choice(TYPES)
    made: dict[str, Any] = {
        "name": f"{noun}_{chance.choice(FIELDS)}",
        "data_type": kind,
        "data_type_display": kind.lower(),
        "description": f"The {chance.choice(FIELDS)} of the {noun}, by {chance.choice(NOUNS)}.",
    }
    if chance.random() < 0.05:
        made["tags"] = [chance.choice(TAGS)]
    return made


def add_run(store: Store, run: int) -> None:
    counts = {"table": {"created" if run == 1 else "updated": 100 * run, "unchanged": 40}}
    status = "failed" if run == 7 else "success"
    started = START + run * 86_400
    store.execute(
        "INSERT INTO runs (id, service, source_type, started, ended, status, counts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run, "warehouse", "Warehouse", started, started + 42.5, status, json.dumps(counts)),
    )


def add_entity(
    store: Store,
    kind: str,
    parts: tuple[str, ...],
    state: dict[str, Any],
    run: int = 1,
    *,
    columns: list[str] | None = None,
    deleted: bool = False,
) -> int:
    """An entity with a history of up to two events; `columns` are JSON. Returns its id."""
    at = START + run * 86_400
    text = json.dumps(state)
    if columns:
        text = f'{text[:-1]}, "columns": [{", ".join(columns)}]}}'
    identity = store.execute(
        "INSERT INTO entities (kind, parent, name, fqn, source_id, deleted_run, updated,"
        " created_run, updated_run, volatile, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            kind, fqn.build(parts[:-1]), fqn.encode(parts[-1]), fqn.build(parts),
            state.get("source_id"), run if deleted else None, at, 1, run, "{}", text,
        ),
    )  # fmt: skip
    events = [(1, START + 86_400, "created", {})]
    if run > 1:
        events.append((run, at, "updated", {"description": ["", state.get("description", "")]}))
    for number, when, action, fields in events:
        store.execute(
            "INSERT INTO history (entity, run, at, action, fields) VALUES (?, ?, ?, ?, ?)",
            (identity, number, when, action, json.dumps(fields)),
        )
    return identity


def add_edge(store: Store, source: int, target: int) -> None:
    store.execute(
        "INSERT OR IGNORE INTO lineage (entity, target, updated_run, state) VALUES (?, ?, 1, ?)",
        (source, target, json.dumps({"source": "ViewLineage"})),
    )
