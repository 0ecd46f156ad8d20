"""What stands on a server below one service, in a form in which equal states are equal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.server.api import Api

Json = dict[str, Any]
State = dict[tuple[str, str], Json]

# The server's own: different each time, or the same of every entity.
_OWN = frozenset(
    "id version updatedAt updatedBy href changeDescription usageSummary joins profile "
    "incrementalChangeDescription lifeCycle sourceHash connection serviceType appliedAt appliedBy "
    "customMetrics".split()
)
_LISTS = {"tags", "followers", "dataProducts", "tableConstraints", "upstreamEdges", "nodes"}
_FIELDS = {
    "databases": "owner tags domain",
    "databaseSchemas": "owner tags domain",
    "tables": "owner tags domain dataProducts followers extension tableConstraints viewDefinition",
}


def fields_for(collection: str, numbers: tuple[int, int]) -> str:
    """All that people or a run can set on an entity, in the words of the server's version."""
    words = _FIELDS[collection]
    words = words.replace("viewDefinition", definition_key(numbers))
    if numbers >= (1, 3) and collection == "tables":
        words += " columns"
    if numbers >= (1, 5):
        words = words.replace("owner", "owners")
    if numbers >= (1, 9):
        words = re.sub(r"\bdomain\b", "domains", words)
    return words.replace(" ", ",")


def definition_key(numbers: tuple[int, int]) -> str:
    """What a server calls a view's SQL."""
    return "schemaDefinition" if numbers >= (1, 4) else "viewDefinition"


def read_state(api: Api, service: str, numbers: tuple[int, int]) -> State:
    """(collection, qualified name below the service) → entity, deleted ones too, without what a
    server alone decides; the service's name is left out of all texts."""
    found: State = {}
    kept = api.find("services/databaseServices", service, include="all")
    if kept is None:
        return found
    entities = [("services/databaseServices", kept)]
    for collection, key in (
        ("databases", "service"),
        ("databaseSchemas", "database"),
        ("tables", "databaseSchema"),
    ):
        wanted = fields_for(collection, numbers)
        parents = [
            one["fullyQualifiedName"] for kind, one in entities
            if kind == {"service": "services/databaseServices", "database": "databases",
                        "databaseSchema": "databaseSchemas"}[key]
        ]  # fmt: skip
        for parent in parents:
            listed = api.all(collection, include="all", fields=wanted, **{key: parent})
            entities += [(collection, one) for one in listed]
    for collection, one in entities:
        name = _renamed(one["fullyQualifiedName"], service)
        found[collection, name] = _plain(one, service)
    return found


def versions_of(api: Api, service: str) -> dict[str, tuple[float, int]]:
    """Collection and qualified name → version and time of the last change, tags and their
    classifications included."""
    entities = [("service", api.by_name("services/databaseServices", service, include="all"))]
    entities += [("database", one) for one in api.all("databases", service=service, include="all")]
    for database in [one for kind, one in entities if kind == "database"]:
        name = database["fullyQualifiedName"]
        schemas = api.all("databaseSchemas", database=name, include="all")
        entities += [("databaseSchema", one) for one in schemas]
        for schema in schemas:
            below = schema["fullyQualifiedName"]
            tables = api.all("tables", databaseSchema=below, include="all")
            entities += [("table", one) for one in tables]
    for name in ("DomoTags", "DomoCertification"):
        entities += [("classification", api.by_name("classifications", name, include="all"))]
        entities += [("tag", one) for one in api.all("tags", parent=name, include="all")]
    return {
        f"{kind} {one['fullyQualifiedName']}": (one["version"], one["updatedAt"])
        for kind, one in entities
    }


def _plain(value: Any, service: str, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {
            name: _plain(inner, service, name)
            for name, inner in sorted(value.items())
            if name not in _OWN and inner not in (None, [], {})
        }
    if isinstance(value, list):
        plain = [_plain(one, service) for one in value]
        return sorted(plain, key=repr) if key in _LISTS else plain
    return _renamed(value, service) if isinstance(value, str) else value


def _renamed(text: str, service: str) -> str:
    return text.replace(service, "SERVICE")
