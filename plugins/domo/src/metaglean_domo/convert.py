"""Domo's JSON as the fields of records. Pure: dicts in, records' parts out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from metaglean import Classification, Ref, Tag, TagLabel
from metaglean_domo.columns import Fit

DOMO_TAGS = "DomoTags"
CERTIFICATION = "DomoCertification"
_CLASSIFICATIONS = {
    DOMO_TAGS: "Tags of datasets in Domo.",
    CERTIFICATION: "Certification of datasets in Domo.",
}
_SYSTEM_TAGS = ("s_", "um_", "udt_")
_VIEWS = frozenset({"dataset-view", "datafusion"})
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = 253_402_300_799_999
# Not `fromisoformat`: before Python 3.11 it refuses most fractions, and zones without a colon.
_TIME = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<zone_hour>\d\d)(?::?(?P<zone_minute>[0-5]\d))?)?)?",
    re.ASCII,
)


class Holder(NamedTuple):
    """An owner as Domo names it; `type` is USER, GROUP or empty where it isn't said."""

    type: str
    id: str
    name: str


class Detail(NamedTuple):
    """What the instance plane tells about a dataset. None in `table_type` or `tags`: not told.

    `tags` are without system tags; `certification` is in title words, empty for none; `owner` is
    None where there is none.
    """

    table_type: str | None
    tags: tuple[str, ...] | None
    certification: str
    owner: Holder | None
    provider: str
    cloud: str
    state: str
    cards: int | None


class StreamFacts(NamedTuple):
    """What the public plane tells about the stream of a dataset."""

    method: str
    state: str


def detail(item: Mapping[str, Any]) -> Detail:
    """One dataset of the instance's bulk call."""
    provider = _word(item, "dataProviderType") or _word(item, "type") or _word(item, "displayType")
    certification = item.get("certification")
    state = certification.get("state") if isinstance(certification, Mapping) else None
    cards = item.get("cardCount")
    return Detail(
        table_type(provider, _word(item, "cloudId")),
        dataset_tags(item.get("tags"), provider),
        "" if state in (None, "", "NOT_CERTIFIED") else str(state).replace("_", " ").title(),
        holder(item.get("owner")),
        provider,
        _word(item, "cloudId"),
        _word(item, "state") or _word(item, "status"),
        cards if isinstance(cards, int) else None,
    )


def table_type(provider: str, cloud: str) -> str | None:
    """OpenMetadata's table type by Domo's kind; None where the kind is not told."""
    word = provider.lower()
    if not word:
        return None
    if word in _VIEWS:
        return "View"
    if word.endswith("-federated") or cloud.lower() not in ("", "domo"):
        return "External"
    return "Regular"


def dataset_tags(value: Any, provider: str) -> tuple[str, ...] | None:
    """The tags that people gave, of a JSON text that holds a list; None where it can't be read.

    Connectors set tags of their own: `s_…`, `um_…`, `udt_…` and the provider's key.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError:
            return None
    if value is None:
        return ()
    if not isinstance(value, list):
        return None
    words = [word.strip() for word in value if isinstance(word, str)]
    kept = (
        word
        for word in words
        if word and not word.startswith(_SYSTEM_TAGS) and word.lower() != provider.lower()
    )
    return tuple(dict.fromkeys(kept))


def holder(value: Any) -> Holder | None:
    """An owner of either plane; its id may be a number or a text."""
    if not isinstance(value, Mapping) or value.get("id") in (None, ""):
        return None
    kind = _word(value, "type").upper()
    if not kind and isinstance(value.get("group"), bool):
        kind = "GROUP" if value["group"] else "USER"
    return Holder(kind, str(value["id"]), _word(value, "name"))


def co_owners(permissions: Iterable[Any]) -> list[Holder]:
    """Those who own the dataset together with its owner."""
    found = (
        holder(item)
        for item in permissions
        if isinstance(item, Mapping) and item.get("accessLevel") == "CO_OWNER"
    )
    return [one for one in found if one]


def stream_keys(stream: Mapping[str, Any]) -> tuple[str, ...]:
    """The upsert keys of a stream: a list of its own, or a text in its configuration."""
    names = stream.get("keyColumnNames")
    if not names:
        settings = stream.get("configuration")
        names = next(
            (
                item.get("value")
                for item in (settings if isinstance(settings, list) else ())
                if isinstance(item, Mapping) and item.get("name") == "keyColumnNames"
            ),
            None,
        )
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",")]
    if not isinstance(names, list):
        return ()
    return tuple(name for name in names if isinstance(name, str) and name)


def tag_labels(found: Detail, fit: Fit) -> tuple[TagLabel, ...]:
    """The labels of tags and certification, the names as the target can hold them."""
    names = dict.fromkeys(fit(name, 0) for name in found.tags or ())
    labels = [TagLabel(classification=DOMO_TAGS, name=name) for name in names if name]
    if found.certification:
        labels.append(TagLabel(classification=CERTIFICATION, name=found.certification))
    return tuple(labels)


def classification(name: str) -> Classification:
    """The record of one of our classifications."""
    return Classification(
        ref=Ref("classification", (name,)), description=_CLASSIFICATIONS.get(name, "")
    )


def tag(label: TagLabel) -> Tag:
    """The record of the tag that a label names."""
    text = (
        "Certification state in Domo."
        if label.classification == CERTIFICATION
        else ("Tag of datasets in Domo.")
    )
    return Tag(ref=Ref("tag", (label.classification, label.name)), description=text)


def milliseconds(value: Any) -> int | None:
    """Epoch milliseconds of an ISO 8601 time or of a number, cut to whole ones; None for what is
    neither, or beyond the year 9999.

    A time may have a fraction of up to nine digits and a zone (`Z`, `+00:00`, `+0000`, `+00`);
    without a zone it is UTC.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # Neither infinity nor NaN, which JSON's reader lets through, lies between the two.
        return int(value) if -_LATEST <= value <= _LATEST else None
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    return _epoch(found) if found else None


def _epoch(found: re.Match[str]) -> int | None:
    number = {key: int(text) for key, text in found.groupdict("0").items() if key != "sign"}
    offset = timedelta(hours=number["zone_hour"], minutes=number["zone_minute"])
    try:
        zone = timezone(-offset if found["sign"] == "-" else offset)
        moment = datetime(
            number["year"], number["month"], number["day"],
            number["hour"], number["minute"], number["second"], tzinfo=zone,
        )  # fmt: skip
    except ValueError:
        return None
    fraction = int((found["fraction"] or "").ljust(3, "0")[:3])
    return (moment - _EPOCH) // timedelta(milliseconds=1) + fraction


def seconds(value: Any) -> float | None:
    """Epoch seconds of the same."""
    found = milliseconds(value)
    return None if found is None else found / 1000


def _word(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
