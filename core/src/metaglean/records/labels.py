"""Labels of which only those of some classifications were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ONLY_OF = "tags_of"


def whole_labels(stored: Mapping[str, Any], read: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an entity or column that were read, without `tags_of`: where it names
    classifications, the labels of all others are those that stand. For sinks; both are fields as
    JSON has them (`model_dump`), and neither is changed."""
    whole = {key: value for key, value in read.items() if key != ONLY_OF}
    only = read.get(ONLY_OF)
    if only is None:
        return whole
    labels = whole.pop("tags", None) or []
    before = stored.get("tags") or ()
    others = [
        label for label in before if label["classification"] not in only and label not in labels
    ]
    if others or labels or "tags" in stored:
        whole["tags"] = [*others, *labels]
    return whole
