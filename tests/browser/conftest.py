"""Chromium without a window, and the pages that the tests look at.

Without Chromium and its driver (Debian: chromium, chromium-driver), or without the packages of
tools/requirements/browser.txt, the tests are left out; METAGLEAN_REQUIRE_BROWSER makes that a
failure. METAGLEAN_SCREENSHOTS names a folder for the pictures that they take.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.company import make_catalog
from tests.browser.oddities import add_oddities
from tests.said import BROWSER, SAID, left_out

from metaglean.builtin.catalog.page import write_page
from metaglean.builtin.catalog.reader import Reader

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver
    from tests.browser.page import Page

REQUIRED = "METAGLEAN_REQUIRE_BROWSER"
TABLES = 10_000


def written(catalog: Path) -> Path:
    """The page of a catalog, beside it."""
    target = catalog.with_suffix(".html")
    with closing(Reader(catalog)) as reader:
        write_page(reader, target)
    return target


@pytest.fixture(scope="session")
def driver(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebDriver]:
    try:
        from tests.browser.page import programs, start

        found, missing = programs(), "no chromium, or no chromedriver"
    except ModuleNotFoundError as error:
        found, missing = None, f"no {error.name}: tools/requirements/browser.txt"
    if found is None:
        pytestconfig.stash[SAID[BROWSER]] = f"none ({missing})"
        assert not os.environ.get(REQUIRED), missing
        left_out(f"no browser: {missing}")
    for chatty in ("selenium", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    driver = start(*found, tmp_path_factory.mktemp("profile"))
    version = driver.capabilities["browserVersion"]
    pytestconfig.stash[SAID[BROWSER]] = f"{Path(found[0]).name} {version}"
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(make_catalog(tmp_path_factory.mktemp("large") / "catalog.db", TABLES))


@pytest.fixture(scope="session")
def odd_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    catalog = make_catalog(tmp_path_factory.mktemp("odd") / "catalog.db", 60)
    add_oddities(catalog)
    return written(catalog)


@pytest.fixture
def empty(driver: WebDriver, tmp_path: Path) -> Iterator[Page]:
    """A catalog of which nothing is known."""
    (tmp_path / "empty.db").touch()
    yield from shown(driver, written(tmp_path / "empty.db"))


@pytest.fixture
def large(driver: WebDriver, large_file: Path) -> Iterator[Page]:
    """10,000 tables of 20 columns."""
    yield from shown(driver, large_file)


@pytest.fixture
def odd(driver: WebDriver, odd_file: Path) -> Iterator[Page]:
    """A few tables, and what is unusual: hostile names, many columns, nested ones, deleted ones."""
    yield from shown(driver, odd_file)


def shown(driver: WebDriver, file: Path) -> Iterator[Page]:
    """The page; whatever a test does with it, the browser has nothing to complain of."""
    from tests.browser.page import Page

    page = Page(driver, file)
    page.look()
    yield page
    assert page.errors() == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go."""
    named = os.environ.get("METAGLEAN_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
