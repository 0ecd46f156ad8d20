"""What a profiler promises. Inherit, name both classes, give a connection:

```python
class TestBookshelfProfiler(ProfilerContract):
    profiler_class = BookshelfProfiler
    source_class = Bookshelf

    @pytest.fixture
    def connection(self, api):
        return {"hostPort": api.url, "token": "a-canary-that-is-not-secret"}
```
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from metaglean.components import Profiler, Source
from metaglean.logs import logging_to
from metaglean.records import Column, Profile, Table, dump, load
from metaglean_testkit.component_contract import ComponentContract
from metaglean_testkit.running import Reading, prepare
from metaglean_testkit.secrets import assert_unseen, logged


class ProfilerContract(ComponentContract):
    """Rules for profilers. The author names `profiler_class` and `source_class` and gives the
    fixture `connection`, the source's; `settings` are the profiler's own `config:`."""

    __test__ = False
    kind: ClassVar[str] = "profiler"
    profiler_class: ClassVar[type[Profiler]]
    source_class: ClassVar[type[Source]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def connection(self) -> Mapping[str, Any]:
        """`serviceConnection.config` of the source as users write it."""
        raise NotImplementedError("give the suite a fixture `connection`")

    @pytest.fixture
    def reading(self, connection: Mapping[str, Any]) -> Iterator[Reading]:
        reading = prepare(self.source_class, connection, options=self.options)
        yield reading
        reading.run.close()

    def test_type_is_the_sources(self) -> None:
        """A profiler's `type` equals that of the source it profiles."""
        assert self.profiler_class.type == self.source_class.type

    def test_profiles_something(self, settings: Mapping[str, Any], reading: Reading) -> None:
        """At least one table has a profile, with something in it."""
        profiles = [p for _, found in self._profiled(settings, reading) for p in found]
        assert profiles, "no profile at all"
        assert any(p.row_count is not None or p.columns for p in profiles), "profiles are empty"

    def test_profile_belongs_to_the_table(
        self, settings: Mapping[str, Any], reading: Reading
    ) -> None:
        """A profile has the ref of the table it was asked for, and only columns of that table."""
        for table, profiles in self._profiled(settings, reading):
            names = {column.name for column in table.columns}
            for profile in profiles:
                assert isinstance(profile, Profile)
                assert profile.ref == table.ref
                strangers = {column.name for column in profile.columns} - names
                assert not strangers, f"{table.ref} has no columns {sorted(strangers)}"

    def test_numbers_are_finite(self, settings: Mapping[str, Any], reading: Reading) -> None:
        """No number is infinite or NaN; counts are not negative; proportions lie in 0 to 1."""
        for table, profiles in self._profiled(settings, reading):
            for part in (part for p in profiles for part in (p, *p.columns)):
                for name, value in _numbers(part):
                    where = f"{table.ref}: {name} = {value}"
                    assert math.isfinite(value), where
                    assert value >= 0 or not name.endswith("count"), where
                    assert 0 <= value <= 1 or not name.endswith("proportion"), where

    def test_time_is_the_runs(self, settings: Mapping[str, Any], reading: Reading) -> None:
        """`timestamp` is in epoch milliseconds and comes from the run, not from the machine."""
        for _, profiles in self._profiled(settings, reading):
            for profile in profiles:
                age = profile.timestamp / 1000 - reading.run.started
                assert 0 <= age < 86_400, f"timestamp {profile.timestamp} is not of this run"

    def test_profiles_survive_json(self, settings: Mapping[str, Any], reading: Reading) -> None:
        """`load(dump(profile))` is the profile."""
        for _, profiles in self._profiled(settings, reading):
            for profile in profiles:
                assert load(dump(profile)) == profile

    def test_odd_tables_do_not_fail(self, settings: Mapping[str, Any], reading: Reading) -> None:
        """A table without columns, and one with a column of an unknown type, raise nothing."""
        table = self._tables(reading)[0]
        odd = (Column(name="odd", data_type="UNKNOWN"),)
        for columns in ((), odd):
            strange = table.model_copy(update={"columns": columns})
            for profile in self._profiler(settings, reading).profile(strange, reading.run):
                assert {c.name for c in profile.columns} <= {c.name for c in columns}

    def test_secrets_are_unseen(self, settings: Mapping[str, Any], reading: Reading) -> None:
        """No secret stands in a profile or in the log."""
        with logged() as log, logging_to(reading.run, "DEBUG"):
            found = self._profiled(settings, reading)
        assert_unseen(log.text, reading.secrets, "the log")
        for _, profiles in found:
            for profile in profiles:
                assert_unseen(dump(profile), reading.secrets, "a profile")

    def _tables(self, reading: Reading) -> list[Table]:
        tables = [record for record in reading.records() if isinstance(record, Table)]
        assert tables, "the source has no table to profile"
        return tables

    def _profiler(self, settings: Mapping[str, Any], reading: Reading) -> Profiler:
        config = self.profiler_class.Config.model_validate(dict(settings))
        return self.profiler_class(config, reading.source)

    def _profiled(
        self, settings: Mapping[str, Any], reading: Reading
    ) -> list[tuple[Table, list[Profile]]]:
        tables = self._tables(reading)
        profiler = self._profiler(settings, reading)
        return [(table, list(profiler.profile(table, reading.run))) for table in tables]


def _numbers(part: BaseModel) -> Iterator[tuple[str, float]]:
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield name, value
