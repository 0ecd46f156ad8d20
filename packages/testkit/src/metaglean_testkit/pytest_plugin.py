"""Fixtures for every test run in which the kit is installed; importing this costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from metaglean_testkit.clock import VirtualClock


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--metaglean-record`: write the cassettes that are missing, against the real system."""
    parser.getgroup("metaglean").addoption(
        "--metaglean-record",
        action="store_true",
        help="record cassettes that don't exist yet; without it nothing is sent",
    )


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
