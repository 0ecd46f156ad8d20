from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean import NameRules
from metaglean_domo import convert

ITEM = {
    "id": "0b6f",
    "dataProviderType": "Snowflake",
    "owner": {"id": "5", "name": "BI", "type": "GROUP", "group": True},
    "state": "SUCCESS",
    "cloudId": "domo",
    "tags": '["finance","finance","s_snowflake","um_UPSERT","udt_DAILY","snowflake"," "]',
    "certification": {"state": "CERTIFIED"},
    "cardCount": 3,
}


def test_detail():
    assert convert.detail(ITEM) == convert.Detail(
        "Regular", ("finance",), "Certified", convert.Holder("GROUP", "5", "BI"), "Snowflake",
        "domo", "SUCCESS", 3,
    )  # fmt: skip


def test_what_is_absent_was_told_to_be_none_but_a_kind_that_is_absent_is_not_known():
    found = convert.detail({"id": "0b6f"})
    assert found.table_type is None
    assert found.tags == ()
    assert found.certification == ""
    assert found.owner is None


@pytest.mark.parametrize(
    ("provider", "cloud", "kind"),
    [
        ("dataset-view", "domo", "View"),
        ("DataFusion", "", "View"),
        ("snowflake-federated", "", "External"),
        ("snowflake", "9d1c7f60-0000-4000-8000-000000000001", "External"),
        ("DataFlow", "domo", "Regular"),
        ("", "domo", None),
    ],
)
def test_table_types(provider, cloud, kind):
    assert convert.table_type(provider, cloud) == kind


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (None, ()),
        ("", ()),
        ("[]", ()),
        (["a", 1, "b"], ("a", "b")),
        ('["a"', None),
        ('{"a": 1}', None),
        (7, None),
    ],
)
def test_tags(value, tags):
    assert convert.dataset_tags(value, "") == tags


@pytest.mark.parametrize("state", ["NOT_CERTIFIED", "", None])
def test_not_certified_is_no_tag(state):
    found = convert.detail({**ITEM, "certification": {"state": state}})
    assert [label.name for label in convert.tag_labels(found, FIT)] == ["finance"]


def FIT(name, room):
    return NameRules().fit("tag", name, room)


def test_labels():
    labels = convert.tag_labels(convert.detail(ITEM), FIT)
    assert [(label.classification, label.name) for label in labels] == [
        ("DomoTags", "finance"),
        ("DomoCertification", "Certified"),
    ]


@pytest.mark.parametrize(
    ("value", "holder"),
    [
        ({"id": 101, "name": "Ann"}, convert.Holder("", "101", "Ann")),
        ({"id": "101", "type": "user"}, convert.Holder("USER", "101", "")),
        ({"id": "5", "name": "BI", "group": True}, convert.Holder("GROUP", "5", "BI")),
        ({"name": "Ann"}, None),
        (None, None),
    ],
)
def test_holders(value, holder):
    assert convert.holder(value) == holder


def test_co_owners():
    access = [
        {"type": "USER", "id": "101", "accessLevel": "OWNER", "name": "Ann"},
        {"type": "GROUP", "id": "5", "accessLevel": "CO_OWNER", "name": "BI"},
        {"type": "USER", "id": "102", "accessLevel": "CAN_VIEW", "name": "Ben"},
    ]
    assert convert.co_owners(access) == [convert.Holder("GROUP", "5", "BI")]


@pytest.mark.parametrize(
    ("stream", "keys"),
    [
        ({"keyColumnNames": ["id", "day"]}, ("id", "day")),
        ({"keyColumnNames": "id, day"}, ("id", "day")),
        ({"configuration": [{"name": "keyColumnNames", "value": "id"}]}, ("id",)),
        ({"configuration": [{"name": "query", "value": "SELECT"}]}, ()),
        ({}, ()),
    ],
)
def test_stream_keys(stream, keys):
    assert convert.stream_keys(stream) == keys


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        ("2025-01-01T00:00:00Z", 1_735_689_600_000),
        ("2025-01-01T00:00:00.120Z", 1_735_689_600_120),
        ("2025-01-01T00:00:00", 1_735_689_600_000),
        ("2025-01-01t00:00:00z", 1_735_689_600_000),
        ("2025-01-01 00:00:00+00:00", 1_735_689_600_000),
        ("2025-01-01T00:00:00+0000", 1_735_689_600_000),
        ("2025-01-01T00:00:00.000+00", 1_735_689_600_000),
        ("2025-01-01T01:30:00.5+01:30", 1_735_689_600_500),
        ("2024-12-31T19:00:00-0500", 1_735_689_600_000),
        ("2025-01-01T00:00", 1_735_689_600_000),
        ("2025-01-01", 1_735_689_600_000),
        (" 2025-01-01T00:00:00Z\n", 1_735_689_600_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139_000),
        (1_735_689_600_000, 1_735_689_600_000),
        (1_735_689_600_000.9, 1_735_689_600_000),
        (float("inf"), None),
        (float("-inf"), None),
        (float("nan"), None),
        (10**400, None),
        ("2025-02-30T00:00:00Z", None),
        ("2025-01-01T24:00:00Z", None),
        ("2025-01-01T00:00:60Z", None),
        ("2025-01-01T00:00:00+24:00", None),
        ("2025-01-01T00:00:00+00:60", None),
        ("2025-01-01T00:00:00.Z", None),
        ("2025-01-01T00:00:00.1234567890Z", None),
        ("2025-01-01Z", None),
        ("2025-1-1", None),
        ("20250101", None),
        ("٢٠٢٥-01-01", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_times(value, milliseconds):
    assert convert.milliseconds(value) == milliseconds


@pytest.mark.parametrize("digits", range(1, 10))
@pytest.mark.parametrize("zone", ["Z", "z", "+00:00", "+0000", ""])
def test_fractions_of_any_length(digits, zone):
    fraction = "123456789"[:digits]
    milliseconds = int(fraction.ljust(3, "0")[:3])
    text = f"2025-01-01T00:00:00.{fraction}{zone}"
    assert convert.milliseconds(text) == 1_735_689_600_000 + milliseconds


@given(st.text() | st.integers() | st.floats() | st.from_regex(convert._TIME))
def test_no_value_raises(value):
    found = convert.milliseconds(value)
    assert found is None or isinstance(found, int)
    convert.seconds(value)


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_python_s_own_writing_is_read(moment):
    expected = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    assert convert.milliseconds(moment.isoformat()) == expected
