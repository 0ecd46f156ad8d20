"""The bad-input table of docs/errors.md, row by row, as a user would meet it."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.bad_input import METAGLEAN, TROUBLES, Stage, tenant

from metaglean_domo_sandbox import Sandbox

DOCS = Path(__file__).parents[1] / "docs" / "errors.md"
MAX_LINES = 6


class Row(NamedTuple):
    trouble: str
    command: str
    code: int
    message: tuple[str, ...]


def rows() -> list[Row]:
    text = DOCS.read_text(encoding="utf-8")
    table = text.split("<!-- bad input: begin -->")[1].split("<!-- bad input: end -->")[0]
    found = []
    for line in table.strip().splitlines()[2:]:
        trouble, command, code, message = (cell.strip() for cell in line.strip(" |").split(" | "))
        lines = [part.strip()[1:-1] for part in message.split("<br>")] if message != "–" else []
        found.append(Row(trouble, command.strip("`"), int(code), tuple(lines)))
    return found


class Outcome(NamedTuple):
    results: list[tuple[int, str]]
    before: dict[tuple[str, str], tuple[int, dict]]
    after: dict[tuple[str, str], tuple[int, dict]]
    secrets: list[str]


def entities(path: Path) -> dict[tuple[str, str], tuple[int, dict]]:
    """(kind, qualified name) → whether it is deleted, and its state."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT kind, fqn, deleted_run, state FROM entities").fetchall()
    finally:
        connection.close()
    return {(kind, fqn): (int(bool(gone)), json.loads(state)) for kind, fqn, gone, state in found}


@pytest.fixture(scope="module")
def good_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("good")
    with Sandbox(tenant()) as sandbox:
        stage = Stage(directory, sandbox)
        ((code, errors),) = stage.outcomes("metaglean ingest -c workflow.yaml --quiet")
    assert code == 0, errors
    return directory / "catalog.db"


@pytest.fixture(scope="module")
def outcomes(good_catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """All rows, several at once: some wait for real time-outs."""

    def attempt(row: Row) -> Outcome:
        directory = tmp_path_factory.mktemp("row")
        catalog = directory / "catalog.db"
        shutil.copy(good_catalog, catalog)
        before = entities(catalog)
        with Sandbox(tenant()) as sandbox:
            stage = Stage(directory, sandbox)
            TROUBLES[row.trouble](stage)
            results = stage.outcomes(row.command)
            secrets = [value for name, value in stage.environ.items() if "TOKEN" in name]
        return Outcome(results, before, entities(catalog), secrets)

    with ThreadPoolExecutor(4) as pool:
        yield dict(zip(rows(), pool.map(attempt, rows()), strict=True))


def test_every_trouble_has_a_row():
    assert {row.trouble for row in rows()} == set(TROUBLES)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.trouble)
def test_exit_code_and_message(row: Row, outcomes: dict[Row, Outcome]):
    for code, errors in outcomes[row].results:
        lines = [line.rstrip() for line in errors.splitlines() if line.strip()]
        assert code == row.code, errors
        assert len(lines) <= MAX_LINES, errors
        assert len(lines) == len(row.message), errors
        for line, expected in zip(lines, row.message, strict=True):
            pattern = re.escape(expected).replace("…", ".*")
            assert re.fullmatch(pattern, line.strip()), f"{line!r} is not {expected!r}"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.trouble)
def test_nothing_is_deleted_impoverished_or_leaked(row: Row, outcomes: dict[Row, Outcome]):
    outcome = outcomes[row]
    assert set(outcome.before) <= set(outcome.after)
    for key, (gone, state) in outcome.before.items():
        gone_after, after = outcome.after[key]
        assert gone_after == gone, key
        for name, value in state.items():
            assert after.get(name) or not value, (key, name)
    for _, errors in outcome.results:
        assert "Traceback" not in errors
        assert not any(secret in errors for secret in outcome.secrets)


def test_the_command_line_is_the_one_under_test():
    assert METAGLEAN[1:] == ["-m", "metaglean"]
