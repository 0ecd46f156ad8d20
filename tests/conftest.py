"""One line at the end of each run: whether it had a real OpenMetadata server, and which.

It stands here because the process that prints it, where several run the tests, collects none of
them and so never reads tests/server/conftest.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.said import SAID, SERVER


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of several tells the process that prints the last lines."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[SERVER] = session.config.stash.get(SAID, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    said = getattr(node, "workeroutput", {}).get(SERVER)
    if said:
        node.config.stash[SAID] = said


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    said = config.stash.get(SAID, "not asked for by any test of this run")
    terminalreporter.write_line(f"{SERVER}: {said}")
