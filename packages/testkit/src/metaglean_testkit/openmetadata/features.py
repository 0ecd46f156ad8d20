"""Which behaviour a version has: one table, from the measured server and its read source."""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, int, int]

#: Behaviour → the first version that has it. Where the exact version is unknown, the later one
#: that is known stands here: the fake then keeps the harsher behaviour longer than a real server.
FIRST: dict[str, Version] = {
    "domains": (1, 2, 0),
    "unmask_checks_missing": (1, 2, 0),  # before, a service PUT without connection is always 400
    "long_names": (1, 2, 0),  # tables and columns up to 256 characters, before 128
    "patch_keeps_definition": (1, 2, 0),  # before, any PATCH of a view wipes its SQL
    "source_hash": (1, 3, 0),
    "tags_checked_first": (1, 3, 0),  # an unknown tag is refused before anything is stored
    "definition_compared": (1, 3, 0),
    "delete_keeps_definition": (1, 3, 0),
    "bot_keeps_domain": (1, 3, 0),
    "column_tags_need_columns": (1, 3, 0),
    "data_products_by_put": (1, 3, 0),  # 1.2 answers 500 to a PUT that names one
    "generic_names_256": (1, 3, 0),
    "owners": (1, 5, 0),
    "display_name_by_put": (1, 7, 0),  # a bot's PUT replaces and clears it
    "products_need_domain": (1, 7, 0),
    "lineage_needs_live_ends": (1, 7, 0),  # 1.2 takes soft-deleted ones
    "stable_cursor": (1, 10, 0),
    "if_match": (1, 10, 0),
    "domain_list": (1, 10, 0),
    "pipelines_need_live_service": (1, 10, 0),
    "certification_cleared": (1, 10, 0),
    "bulk": (1, 11, 0),
    "status_bulk": (1, 12, 0),
    "hash_without_version": (2, 0, 0),
    "override_metadata": (2, 0, 0),
    "hash_fast_path": (2, 0, 0),
    "delete_stale": (2, 0, 0),
    "lineage_by_name": (2, 0, 0),
    "plain_errors": (2, 0, 0),  # 404 and 405 of the router; before, 500 that names them
    "bot_keeps_data_products": (2, 1, 0),
    "bot_keeps_certification": (2, 1, 0),
    "retyped_column_keeps_tags": (2, 1, 0),
}


@dataclass(frozen=True)
class Features:
    """What the version can do."""

    version: Version

    @classmethod
    def of(cls, version: str) -> Features:
        """From `1.2`, `1.2.0`, `2.0.7-SNAPSHOT`. Raises `ValueError`."""
        found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
        if found is None:
            raise ValueError(f"{version!r} is no version: 1.2 or 2.0.7 would be one")
        major, minor, patch = (int(part or 0) for part in found.groups())
        return cls((major, minor, patch))

    def has(self, feature: str) -> bool:
        """Whether this version has it. Raises `KeyError` for a word that isn't in the table."""
        return self.version >= FIRST[feature]
