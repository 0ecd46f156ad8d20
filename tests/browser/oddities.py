"""What is unusual in a catalog: names that would be markup, wide tables, what is gone."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.browser.company import RUNS, SCHEMAS, START, add_edge, add_entity

from metaglean.builtin.catalog.store import Store
from metaglean.clock import SystemClock

SCHEMA = SCHEMAS[0]
HOSTILE = "</script><img src=x onerror=alert(1)><!--"
SCRIPT = "<script>document.title='owned'</script>"
ENTITIES = "&lt;b&gt; & \"quoted\" 'single' \u2028\u2029 {style} ${x} %s"
JAVASCRIPT = "javascript:document.title='owned'"


def add_oddities(catalog: Path) -> None:
    with closing(Store(catalog, SystemClock(), writable=True)) as store, store.writing():
        one(store, HOSTILE, hostile())
        one(store, "wide", {"columns": [{"name": f"field_{n:04d}"} for n in range(1000)]})
        profiled = one(store, "nested", {"columns": nested(), "table_constraints": keys()})
        gone = one(store, "long_gone", {"columns": [{"name": "id"}]}, deleted=True)
        one(store, "dotted.name 100%", {"columns": [{"name": "a.b"}], "description": "Percent"})
        long = {"columns": [{"name": "y" * 256}], "description": "z" * 500}
        add_entity(store, "table", (*SCHEMA, "x" * 256), long, RUNS)
        one(store, "__proto__", {"columns": [{"name": "constructor"}]})
        add_entity(store, "pipelineService", ("flows",), {})
        flow = add_entity(store, "pipeline", ("flows", "load"), {})
        add_edge(store, flow, profiled)
        add_edge(store, profiled, gone)
        store.execute(
            "INSERT INTO profiles (entity, timestamp, updated_run, state) VALUES (?, ?, 1, ?)",
            (profiled, int(START * 1000), json.dumps(profile())),
        )


def one(store: Store, name: str, state: dict[str, Any], *, deleted: bool = False) -> int:
    return add_entity(store, "table", (*SCHEMA, name), state, deleted=deleted)


def hostile() -> dict[str, Any]:
    """Markup in every field."""
    return {
        "display_name": HOSTILE,
        "description": f"{HOSTILE}\n{SCRIPT}\n{ENTITIES}",
        "source_url": JAVASCRIPT,
        "source_id": SCRIPT,
        "owners": [{"type": "user", "name": HOSTILE, "email": SCRIPT}],
        "tags": [{"classification": HOSTILE, "name": "__proto__"}],
        "facets": {HOSTILE: {SCRIPT: ENTITIES}},
        "schema_definition": f"SELECT '{HOSTILE}' -- {ENTITIES}",
        "columns": [
            {"name": HOSTILE, "data_type_display": SCRIPT, "description": ENTITIES},
            {"name": "separators \x01\x02", "display_name": HOSTILE},
        ],
        "table_constraints": [{"constraint_type": "UNIQUE", "columns": [HOSTILE]}],
    }


def nested() -> list[dict[str, Any]]:
    leaf = {"name": "street", "data_type": "STRING", "description": "With its number."}
    return [
        {"name": "id", "data_type": "LONG", "constraint": "PRIMARY_KEY"},
        {"name": "address", "data_type": "STRUCT", "children": [leaf, {"name": "city"}]},
    ]


def keys() -> list[dict[str, Any]]:
    referred = [["warehouse", "analytics", "finance", "wide", "field_0000"]]
    return [
        {"constraint_type": "PRIMARY_KEY", "columns": ["id"]},
        {"constraint_type": "FOREIGN_KEY", "columns": ["id"], "referred_columns": referred},
    ]


def profile() -> dict[str, Any]:
    column = {"name": "id", "null_proportion": 0.25, "distinct_count": 1200, "min": 1, "max": 5e6}
    return {"row_count": 1600, "size_in_bytes": 80_000, "columns": [column]}
