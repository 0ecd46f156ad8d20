"""Short words to write rules with: tables, labels, and the requests that use them."""

from __future__ import annotations

from typing import Any

from tests.server.rulebook import GONE, Step

INT = {"name": "a", "dataType": "INT"}
TEXT = {"name": "b", "dataType": "STRING"}
BY_NAME = "tables/name/{T}"


def label(name: str, source: str = "Classification") -> dict[str, str]:
    return {"tagFQN": name, "source": source, "labelType": "Manual", "state": "Confirmed"}


ONE, TWO = label("{cls}.one"), label("{cls}.two")
TIER1, TIER2 = label("Tier.Tier1"), label("Tier.Tier2")
ANN = {"id": "{ann}", "type": "user"}
BOB = {"id": "{bob}", "type": "user"}


def table(**fields: Any) -> dict[str, Any]:
    return {"name": "{t}", "databaseSchema": "{schema}", "columns": [dict(INT)]} | fields


def put(status: int = 200, who: str = "bot", says: str = "", path: str = "tables",
        has: dict[str, Any] | None = None, **fields: Any) -> Step:  # fmt: skip
    return Step(who, "PUT", path, table(**fields), status, has or {}, says)


def make(**fields: Any) -> Step:
    return put(201, **fields)


def body(path: str, sent: Any, status: int = 200, says: str = "", who: str = "bot",
         **has: Any) -> Step:  # fmt: skip
    return Step(who, "PUT", path, sent, status, _dotted(has), says)


def patch(*operations: dict[str, Any], status: int = 200, who: str = "bot", says: str = "",
          has: dict[str, Any] | None = None, path: str = "tables/{id}") -> Step:  # fmt: skip
    return Step(who, "PATCH", path, list(operations), status, has or {}, says)


def op(kind: str, path: str, value: Any = GONE, **more: str) -> dict[str, Any]:
    found = {"op": kind, "path": path, **more}
    return found if value is GONE else {**found, "value": value}


def get(path: str = BY_NAME, status: int = 200, says: str = "", who: str = "bot",
        has: dict[str, Any] | None = None, loose: bool = False) -> Step:  # fmt: skip
    return Step(who, "GET", path, None, status, has or {}, says, loose=loose)


def remove(path: str = "tables/{id}", status: int = 200, says: str = "",
           has: dict[str, Any] | None = None) -> Step:  # fmt: skip
    return Step("bot", "DELETE", path, None, status, has or {}, says)


def _dotted(has: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("__", "."): value for key, value in has.items()}


FULL = f"{BY_NAME}?fields=owner,tags,domain,dataProducts,viewDefinition,tableConstraints"
EDITED = patch(
    op("add", "/domain", {"id": "{dom_id}", "type": "domain"}),
    op("add", "/dataProducts/0", {"id": "{dp_id}", "type": "dataProduct"}),
    op("add", "/owner", ANN),
    op("add", "/description", "by a person"),
    op("add", "/displayName", "By A Person"),
    op("add", "/tags/0", TIER1),
    op("add", "/columns/0/tags/0", ONE),
    op("add", "/columns/0/description", "column by a person"),
    who="admin",
)
KEPT = {
    "owner.name": "{ann_name}", "domain.name": "{dom}", "dataProducts.0.name": "{dp}",
    "tags.0.tagFQN": "Tier.Tier1", "columns.0.tags.0.tagFQN": "{cls}.one",
    "columns.0.description": "column by a person",
}  # fmt: skip
