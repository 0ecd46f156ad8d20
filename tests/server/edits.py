"""A person's edits of a table, in the words of the server's generation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.server.company import user_name
from tests.server.real import RealServer

FIELDS = ("owner", "tags", "domain", "dataProducts", "followers")
TIER = "Tier.Tier1"
Json = dict[str, Any]


def fields_of(server: RealServer) -> str:
    """What `fields=` asks for, so that all edits are seen."""
    words = {"owner": "owners"} if server.numbers >= (1, 5) else {}
    if server.numbers >= (1, 9):
        words["domain"] = "domains"
    columns = ("columns",) if server.numbers >= (1, 3) else ()
    return ",".join([*(words.get(field, field) for field in FIELDS), *columns])


class Person:
    """An admin with what edits need: a classification, a domain and a data product."""

    def __init__(self, server: RealServer, tag: str) -> None:
        self._server = server
        self._api = server.api(as_admin=True)
        self._owner = self._api.by_name("users", user_name("ben", tag))
        self.tag = f"{tag}.Checked"
        server.discard("classifications", tag)
        self._api.put("classifications", {"name": tag, "description": "Who looked at it."})
        self._api.put(
            "tags", {"name": "Checked", "classification": tag, "description": "Looked at."}
        )
        # In this order: what is below goes first.
        server.discard("dataProducts", f"product_{tag}")
        server.discard("domains", tag)
        self._domain = self._api.put(
            "domains", {"name": tag, "domainType": "Aggregate", "description": "A domain."}
        )
        several = server.numbers >= (1, 9)
        self._product = self._api.put(
            "dataProducts",
            {
                "name": f"product_{tag}",
                "description": "A product.",
                **({"domains": [tag]} if several else {"domain": tag}),
            },
        )

    def edit(self, table: Json) -> None:
        """Everything a person may set in one table: `table` is as the server shows it."""
        columns = [
            operation
            for index, column in enumerate(table["columns"])
            for operation in (
                _add(f"/columns/{index}/description", f"A person about {column['name']}"),
                _add(f"/columns/{index}/tags", [self._label(self.tag)]),
                _add(f"/columns/{index}/displayName", f"Nice {index}"),
            )
        ]
        operations = [
            _add("/description", "Written by a person."),
            _add("/displayName", f"The {table['name']}"),
            _add("/tags", [self._label(self.tag), self._label(TIER)]),
            *self._references(),
            *columns,
        ]
        self._api.patch(f"tables/{table['id']}", operations)
        self._api.put(f"tables/{table['id']}/followers", self._owner["id"])

    def draw(self, upstream: Json, downstream: Json) -> None:
        """A lineage edge."""
        ends = {"fromEntity": upstream, "toEntity": downstream}
        edge = {end: {"id": table["id"], "type": "table"} for end, table in ends.items()}
        details = {"description": "Drawn by a person.", "sqlQuery": "SELECT 1", "source": "Manual"}
        self._api.put("lineage", {"edge": {**edge, "lineageDetails": details}})

    def _references(self) -> Sequence[Json]:
        owner = {"id": self._owner["id"], "type": "user"}
        domain = {"id": self._domain["id"], "type": "domain"}
        product = {"id": self._product["id"], "type": "dataProduct"}
        numbers = self._server.numbers
        return (
            _add("/owners", [owner]) if numbers >= (1, 5) else _add("/owner", owner),
            _add("/domains", [domain]) if numbers >= (1, 9) else _add("/domain", domain),
            _add("/dataProducts", [product]),
        )

    @staticmethod
    def _label(name: str) -> Json:
        return {
            "tagFQN": name,
            "source": "Classification",
            "labelType": "Manual",
            "state": "Confirmed",
        }


def _add(path: str, value: Any) -> Json:
    return {"op": "add", "path": path, "value": value}


def persons_part(table: Json) -> Json:
    """What a person set in a table, path → value; references by their id, labels by their name.

    The server's own bookkeeping (version, times, links) and structure are left out.
    """
    part = {key: table.get(key) for key in ("description", "displayName")}
    for key in ("owner", "owners", "domain", "domains", "dataProducts", "followers"):
        if key in table:
            part[key] = _ids(table[key])
    for column in table["columns"]:
        name = column["name"]
        part[f"{name}.description"] = column.get("description")
        part[f"{name}.displayName"] = column.get("displayName")
        part[f"{name}.tags"] = labels(column)
    return part


def labels(entity: Json) -> set[str]:
    return {label["tagFQN"] for label in entity.get("tags") or ()}


def _ids(value: Any) -> Any:
    many = value if isinstance(value, list) else [value]
    return sorted(one["id"] for one in many)
