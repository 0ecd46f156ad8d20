"""What must stand on a server for each dataset of the demo tenant, by the published rules; written
down here, not asked of the connector."""

from __future__ import annotations

from typing import Any

from tests.server.company import user_name
from tests.server.place import Place

from metaglean_domo_sandbox.model import Dataset

Json = dict[str, Any]

#: Names that a server can't hold, or that two datasets want; the older keeps the name.
STORED = {
    'He said "yes"': "He said __reserved__quote__yes__reserved__quote__",
    "two\nlines": "two__reserved__newline__lines",
    "ratio::final": "ratio__reserved__colon__final",
    "L" * 297 + "end": "L" * 256,
    "SALES": "SALES_e3151288",
    "churn score": "churn score_2a96fb1a",
}
SECOND_SALES = "5a1e5000-0000-4000-8000-00000000000a"
ODD_COLUMNS = [
    ("id", None), ("id_2", "id"), ("column_3", None), ("ID_3", "ID"), ("x" * 256, "x" * 300),
    ("a.b", None), ("quo__reserved__quote__te", 'quo"te'), ("tick`", None),
    ("new__reserved__newline__line", "new\nline"), ("column_10", None),
]  # fmt: skip
#: What isn't a type of OpenMetadata's → its type and its own word.
TYPES = {
    "TIMESTAMP_LTZ": ("UNKNOWN", "timestamp_ltz"),
    "string": ("STRING", "string"),
    "ARRAY<STRING>": ("UNKNOWN", "array<string>"),
}
KEYS = {"orders": ["order_id"], "customers": ["id"]}
SYSTEM_TAGS = ("s_", "um_", "udt_")
PEOPLE = {101: "ann", 102: "ben", 103: "cleo.celik"}  # those whom the server knows


def table_of(place: Place, dataset: Dataset) -> Json:
    """The fields of the table that stands for a dataset."""
    name = STORED.get(dataset.name, dataset.name)
    if place.site.numbers >= (1, 3):
        name = name.replace(">", "__reserved__arrow__")
    if dataset.id == SECOND_SALES:
        name = f"Sales_{SECOND_SALES[:8]}"
    link = f"{place.sandbox.instance_url}/datasources/{dataset.id}/details/overview"
    return {
        "name": name,
        "displayName": dataset.name,
        "description": dataset.description or None,
        "tableType": _table_type(dataset),
        "sourceUrl": link,
        "columns": _columns(dataset),
        "constraints": [("PRIMARY_KEY", KEYS[dataset.name])] if dataset.name in KEYS else [],
        "tags": _tags(dataset),
        "owner": _owner(place, dataset),
        "deleted": False,
    }


def shown(table: Json) -> Json:
    """The same fields of a table as a server gives it."""
    owners = table.get("owners") or ([table["owner"]] if table.get("owner") else [])
    (owner,) = owners or [None]
    return {
        **{key: table.get(key) or None for key in ("name", "displayName", "description")},
        "tableType": table["tableType"],
        "sourceUrl": table["sourceUrl"],
        "columns": [
            (one["name"], one.get("displayName"), one["dataType"], one["dataTypeDisplay"].lower())
            for one in table["columns"]
        ],
        "constraints": [
            (one["constraintType"], one["columns"]) for one in table.get("tableConstraints") or ()
        ],
        "tags": sorted(one["tagFQN"] for one in table["tags"]),
        "owner": (owner["type"], owner["name"]) if owner else None,
        "deleted": table["deleted"],
    }


def _table_type(dataset: Dataset) -> str:
    if dataset.provider in ("dataset-view", "datafusion"):
        return "View"
    federated = dataset.provider.endswith("-federated") or dataset.cloud_id != "domo"
    return "External" if federated else "Regular"


def _columns(dataset: Dataset) -> list[tuple[str, str | None, str, str]]:
    columns = dataset.all_columns()
    if dataset.name == "odd columns":
        return [(name, shows, "STRING", "string") for name, shows in ODD_COLUMNS]
    return [(one.name, None, *TYPES.get(one.type, (one.type, one.type.lower()))) for one in columns]


def _tags(dataset: Dataset) -> list[str]:
    """Neither those that connectors set, nor what a card without certification says."""
    found = [
        f"DomoTags.{tag}"
        for tag in dataset.tags or ()
        if not tag.startswith(SYSTEM_TAGS) and tag != dataset.provider
    ]
    if dataset.certification not in (None, "NOT_CERTIFIED"):
        found.append(f"DomoCertification.{dataset.certification.title()}")
    return sorted(found)


def _owner(place: Place, dataset: Dataset) -> tuple[str, str] | None:
    owner = dataset.owner
    if owner is None:
        return None
    if owner.type == "GROUP":
        return "team", owner.name
    person = PEOPLE.get(owner.id)
    return ("user", user_name(person, place.tag)) if person else None
