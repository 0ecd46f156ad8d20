"""What a processor promises. Inherit, name the class, and give the fixture `settings` where it
needs any:

```python
class TestShout(ProcessorContract):
    processor_class = Shout
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from metaglean.components import Processor
from metaglean.records import Classification, Record, Ref, Tag, dump, load
from metaglean.run import Run
from metaglean_testkit import sample
from metaglean_testkit.clock import VirtualClock
from metaglean_testkit.component_contract import ComponentContract
from metaglean_testkit.secrets import assert_unseen, logged, secrets_of

_FAR_TOO_MANY = 100_000


class ProcessorContract(ComponentContract):
    """Rules for processors. The author names `processor_class`; `settings` are `config:`."""

    __test__ = False
    kind: ClassVar[str] = "processor"
    processor_class: ClassVar[type[Processor]]
    look_ahead: ClassVar[int] = 256
    """How many records it may pull before it yields the first (`Run.map` pulls 16 × workers)."""

    @pytest.fixture
    def records(self) -> list[Record]:
        """What is sent through it; give others where the samples don't touch what it does."""
        return sample.records()

    def test_refs_are_kept(self, settings: Mapping[str, Any], records: list[Record]) -> None:
        """No ref is changed or invented: what comes out went in, in the same order. Only
        classifications and tags may be added."""
        left = iter([_key(record) for record in records])
        went_in = set(map(_key, records))
        for record in self._process(settings, records):
            key = _key(record)
            if isinstance(record, Classification | Tag) and key not in went_in:
                continue
            assert key in left, f"{key} did not go in (or not in this place)"

    def test_unknown_kinds_pass(self, settings: Mapping[str, Any], records: list[Record]) -> None:
        """Records of a kind that it doesn't know pass through unchanged."""
        novelty = sample.Novelty(ref=sample.SCHEMA.child("table", "novelty"))
        half = len(records) // 2
        out = self._process(settings, [*records[:half], novelty, *records[half:]])
        assert [record for record in out if record is novelty], "a record of a new kind was lost"

    def test_input_is_not_changed(self, settings: Mapping[str, Any], records: list[Record]) -> None:
        """Records are shared: a change is a copy, also deep inside of facets."""
        before = [dump(record) for record in records]
        self._process(settings, records)
        assert [dump(record) for record in records] == before

    def test_records_survive_json(self, settings: Mapping[str, Any], records: list[Record]) -> None:
        """What it yields is valid: `load(dump(record))` is the record."""
        for record in self._process(settings, records):
            assert load(dump(record)) == record
            assert load(dump(record)).model_fields_set == record.model_fields_set

    def test_is_deterministic(self, settings: Mapping[str, Any], records: list[Record]) -> None:
        """The same records give the same result, also from a second processor."""
        first, second = (
            [dump(record) for record in self._process(settings, records)] for _ in range(2)
        )
        assert first == second

    def test_is_lazy(self, settings: Mapping[str, Any]) -> None:
        """It takes a bounded number of records ahead of what it yields."""
        pulled: Counter[str] = Counter()
        stream = self._start(settings, _counted(sample.endless(), pulled))
        for _ in range(50):
            before = pulled["records"]
            next(stream)
            ahead = pulled["records"] - before
            assert ahead <= self.look_ahead, f"{ahead} records pulled for one"
        _close(stream)

    def test_closes_at_once(self, settings: Mapping[str, Any]) -> None:
        """Closed in the middle, it ends without an error and pulls nothing more."""
        pulled: Counter[str] = Counter()
        stream = self._start(settings, _counted(sample.endless(), pulled))
        next(stream)
        before = pulled["records"]
        _close(stream)
        assert pulled["records"] == before
        with pytest.raises(StopIteration):
            next(stream)

    def test_empty_stream_is_fine(self, settings: Mapping[str, Any]) -> None:
        """Of nothing comes nothing."""
        assert self._process(settings, []) == []

    def test_secrets_are_unseen(self, settings: Mapping[str, Any], records: list[Record]) -> None:
        """No secret of its settings stands in what it yields or logs."""
        secrets = secrets_of(self.processor_class.Config.model_validate(dict(settings)))
        with logged() as log:
            out = self._process(settings, records)
        for record in out:
            assert_unseen(dump(record), secrets, "a record")
        assert_unseen(log.text, secrets, "the log")

    def _start(self, settings: Mapping[str, Any], records: Iterator[Record]) -> Iterator[Record]:
        config = self.processor_class.Config.model_validate(dict(settings))
        run = Run(sample.SERVICE, clock=VirtualClock()).at("processor")
        return iter(self.processor_class(config).process(records, run))

    def _process(self, settings: Mapping[str, Any], records: list[Record]) -> list[Record]:
        return list(self._start(settings, iter(records)))


def _key(record: Record) -> tuple[str, Ref]:
    return record.KIND, record.ref


def _counted(records: Iterator[Record], pulled: Counter[str]) -> Iterator[Record]:
    for record in records:
        pulled["records"] += 1
        assert pulled["records"] < _FAR_TOO_MANY, "it consumes a stream without end"
        yield record


def _close(stream: Iterator[Record]) -> None:
    close = getattr(stream, "close", None)
    if close:
        close()
