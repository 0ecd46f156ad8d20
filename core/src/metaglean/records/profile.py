"""Profiles: what was measured of a table at one time. Names are OpenMetadata's metrics."""

from __future__ import annotations

from typing import ClassVar

from metaglean.records.base import Part, Record


class ColumnProfile(Part):
    """What was measured of one column; what was not measured is left out."""

    name: str
    values_count: float | None = None
    null_count: float | None = None
    null_proportion: float | None = None
    distinct_count: float | None = None
    distinct_proportion: float | None = None
    unique_count: float | None = None
    unique_proportion: float | None = None
    min: float | str | None = None
    max: float | str | None = None
    min_length: float | None = None
    max_length: float | None = None
    mean: float | None = None
    median: float | None = None
    sum: float | None = None
    stddev: float | None = None
    first_quartile: float | None = None
    third_quartile: float | None = None
    inter_quartile_range: float | None = None
    non_parametric_skew: float | None = None


class Profile(Record):
    """A profile of the table `ref`, taken at `timestamp` (epoch milliseconds)."""

    KIND: ClassVar[str] = "profile"
    timestamp: int
    row_count: int | None = None
    column_count: int | None = None
    size_in_bytes: int | None = None
    columns: tuple[ColumnProfile, ...] = ()
