"""Lines at the end of each run: whether it had a real OpenMetadata server and a browser, and which.

They stand here because the process that prints them, where several run the tests, collects none of
them and so never reads the conftest.py of a folder.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.said import SAID


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of several tells the process that prints the last lines."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output.update({what: session.config.stash.get(key, "") for what, key in SAID.items()})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for what, key in SAID.items():
        said = getattr(node, "workeroutput", {}).get(what)
        if said:
            node.config.stash[key] = said


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for what, key in SAID.items():
        said = config.stash.get(key, "not asked for by any test of this run")
        terminalreporter.write_line(f"{what}: {said}")
