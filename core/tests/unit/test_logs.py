"""The level of a run's log, where runs overlap in one process."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest

from metaglean import Run
from metaglean.logs import logging_to
from metaglean.records import Ref


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_the_level_is_as_before_once_the_last_run_has_ended(first_to_end):
    log = logging.getLogger("metaglean")
    before = log.level
    service = Ref("databaseService", ("svc",))
    with closing(Run(service)) as first, closing(Run(service)) as second:
        runs = [logging_to(first, "INFO"), logging_to(second, "DEBUG")]
        for run in runs:
            run.__enter__()
        assert log.level == logging.DEBUG
        for run in (runs[first_to_end], runs[1 - first_to_end]):
            run.__exit__(None, None, None)
    assert log.level == before
    assert not log.filters
