"""What a plugin still lacks, said in the author's own words.

A part that raises `NotImplementedError("TODO convert.py: a column")` is a thing to do. Wherever the
error comes up (raised, or isolated by the run and told in its log), the test fails with these words
alone, and the last lines of a test run have each of them once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import pytest

_TODO = re.compile(r"NotImplementedError: (TODO [^\n\"\[]*[^\n\"\[ ])")


def shorten(report: pytest.TestReport) -> None:
    """Let a failed test that met a thing to do say that, and nothing else."""
    told = [str(report.longrepr), *(text for _, text in report.sections)]
    found = _TODO.search("\n".join(told))
    if found:
        report.longrepr = found[1]
        report.sections = []


def things_to_do(reports: Iterable[pytest.TestReport]) -> list[str]:
    """A line for each thing to do in these reports: the one that most tests met comes first."""
    texts = (report.longrepr for report in reports)
    found = Counter(text for text in texts if isinstance(text, str) and text.startswith("TODO "))
    return [f"{text}: {number} failed" for text, number in found.most_common()]
