"""Fixtures for every test run in which the kit is installed; importing this costs nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pluggy import Result

    from metaglean_testkit.clock import VirtualClock


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--metaglean-record`: write the cassettes that are missing, against the real system."""
    parser.getgroup("metaglean").addoption(
        "--metaglean-record",
        action="store_true",
        help="record cassettes that don't exist yet; without it nothing is sent",
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, Result[pytest.TestReport], None]:
    """A test that meets a part which isn't written yet says what is to be written."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        from metaglean_testkit.todo import shorten

        shorten(report)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """The last lines of a run: what is to be written, each once."""
    reporter = terminalreporter
    yield
    failed = [report for word in ("failed", "error") for report in reporter.stats.get(word, ())]
    if failed:
        from metaglean_testkit.todo import things_to_do

        lines = things_to_do(failed)
        if lines:
            reporter.section("to do")
        for line in lines:
            reporter.write_line(line)


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """A clock whose waits take no time."""
    from metaglean_testkit.clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def metaglean_secrets() -> tuple[str, ...]:
    """Secret values to scrub from cassettes; override it with those of your recording."""
    return ()


@pytest.fixture
def metaglean_cassette(
    request: pytest.FixtureRequest, metaglean_secrets: tuple[str, ...]
) -> Iterator[Any]:
    """The cassette `cassettes/<module>/<test>.yaml` beside the test, scrubbed."""
    from metaglean_testkit.cassettes import cassette

    module = Path(str(request.node.path))
    name = f"{request.node.name.replace('/', '-')}.yaml"
    path = module.parent / "cassettes" / module.stem / name
    record = "once" if request.config.getoption("--metaglean-record") else "none"
    with cassette(path, secrets=metaglean_secrets, record=record) as opened:
        yield opened
