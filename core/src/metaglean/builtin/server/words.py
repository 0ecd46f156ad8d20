"""Closed lists of a server: words that its version lacks get a stand-in.

Which word came when is known from the models of OpenMetadata's clients; what a server of a version
in between lacks it says itself (400 "Cannot construct instance of …, problem: WORD"), and then the
stand-in is used for the rest of the run.
"""

from __future__ import annotations

from typing import NamedTuple

from metaglean.builtin.server.client import Json, lacking_word
from metaglean.builtin.server.features import Version
from metaglean.errors import ItemError

# Closed list → word → the first version that has it. Words that 1.1 has are not named.
_DATA_TYPES: dict[tuple[int, int], str] = {
    (1, 2): "NTEXT,IMAGE,IPV4,IPV6,DATETIMERANGE",
    (1, 3): "HLL,LARGEINT,QUANTILE_STATE,AGG_STATE,BITMAP,UINT",
    (1, 5): "BIT,MONEY",
    (1, 7): "MEASURE HIDDEN,MEASURE VISIBLE",
    (1, 9): "MEASURE,KPI,HEIRARCHY",
    (1, 10): "HIERARCHYID",
}
LATER: dict[str, dict[str, tuple[int, int]]] = {
    "dataType": {word: first for first, words in _DATA_TYPES.items() for word in words.split(",")},
    "tableType": {
        "Transient": (1, 2),
        "Dynamic": (1, 4),
        "Stream": (1, 7),
        "Stage": (1, 12),
        "SemanticView": (2, 0),
    },
    "constraintType": {"CLUSTER_KEY": (1, 7)},
    "executionStatus": {"Skipped": (1, 3)},
    "lineageSource": {
        "SparkLineage": (1, 3),
        "OpenLineage": (1, 4),
        "ExternalTableLineage": (1, 4),
        "CrossDatabaseLineage": (1, 7),
        "ChildAssets": (1, 7),
    },
}
STAND_INS: dict[str, dict[str, str]] = {
    "tableType": {"SemanticView": "View", "": "Regular"},
    "dataType": {"": "UNKNOWN"},
    "arrayDataType": {"": "UNKNOWN"},
    "constraintType": {"": "SORT_KEY"},
    "executionStatus": {"": "Pending"},
    "lineageSource": {"": "QueryLineage"},
}
_ITEMS = frozenset({"columns", "children", "tasks", "tableConstraints"})
_LISTS = {
    "ColumnDataType": "dataType",
    "TableType": "tableType",
    "ConstraintType": "constraintType",
    "StatusType": "executionStatus",
    "Source": "lineageSource",
}


class Lacking(NamedTuple):
    """A closed list, the word that a server doesn't have in it, and whether that was unknown."""

    words: str
    word: str
    news: bool


class Words:
    """The closed lists of one server."""

    def __init__(self, version: Version) -> None:
        self._lacking: dict[str, set[str]] = {
            words: {word for word, first in later.items() if version[:2] < first}
            for words, later in LATER.items()
        }

    def known(self, words: str, word: str) -> str:
        """`word`, or its stand-in where the server doesn't have it."""
        lacking = self._lacking.get("dataType" if words == "arrayDataType" else words)
        if not lacking or word not in lacking:
            return word
        stand_ins = STAND_INS[words]
        return stand_ins.get(word, stand_ins[""])

    def learn(self, error: ItemError) -> Lacking | None:
        """Remember the word that this error is about; None where it is about none."""
        name, word = lacking_word(error) or ("", "")
        words = _LISTS.get(name)
        if not words or not word:
            return None
        news = word not in self._lacking.setdefault(words, set())
        self._lacking[words].add(word)
        return Lacking(words, word, news)

    def replaced(self, values: Json) -> Json:
        """Values with stand-ins for what the server lacks, at every level."""
        found = dict(values)
        if not any(self._lacking.values()):
            return found
        for key, value in values.items():
            if key in STAND_INS and isinstance(value, str):
                found[key] = self.known(key, value)
            elif key in _ITEMS and isinstance(value, list):
                found[key] = [self.replaced(one) if isinstance(one, dict) else one for one in value]
        return found
