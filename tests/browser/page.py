"""A page in a headless Chromium, as the tests handle it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webdriver import WebDriver

FLAGS = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "hide-scrollbars",
    "disable-background-networking", "disable-component-update", "disable-sync",
    "disable-dev-shm-usage",
)  # fmt: skip
READY = "return document.documentElement.dataset.ready === 'yes'"
PATIENCE = 20.0


def programs() -> tuple[str, str] | None:
    """The browser and its driver, or None where one of them is missing."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def start(browser: str, driver: str, profile: Path) -> WebDriver:
    options = Options()
    options.binary_location = browser
    for flag in (*FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


class Page:
    """One file in the browser."""

    def __init__(self, driver: WebDriver, file: Path) -> None:
        self.driver = driver
        self.file = file

    def open(self, place: str = "#/") -> Page:
        """Load the file anew, at a place in it."""
        self.driver.get("about:blank")
        self.driver.get(self.file.as_uri() + place)
        self.until(lambda: self.run(READY))
        return self

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def command(self, name: str, **arguments: object) -> Any:
        """A command of the browser's own protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def until(self, condition: Callable[[], Any]) -> Any:
        """What `condition` gives, as soon as it is true."""
        due = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < due, f"waited in vain, at {self.place}: {self.errors()}"
            time.sleep(0.02)
        return found

    def press(self, *keys: str) -> None:
        """Keys, one after the other, to whatever has the focus."""
        chain = ActionChains(self.driver)
        for key in keys:
            chain = chain.send_keys(key)
        chain.perform()

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.run(script, selector))

    def text(self, selector: str) -> str:
        [found] = self.texts(selector)
        return found

    def click(self, selector: str) -> None:
        self.run("document.querySelector(arguments[0]).click()", selector)

    def heading(self, text: str) -> None:
        """Wait until the view of this heading is shown."""
        self.until(lambda: text in self.texts("h1"))

    @property
    def place(self) -> str:
        return str(self.run("return location.hash"))

    @property
    def focused(self) -> str:
        """What has the focus: its id, or else its text."""
        return str(self.run("const a = document.activeElement; return a.id || a.textContent"))

    def choose(self, name: str, value: str) -> None:
        """Choose in a filter."""
        script = (
            "const s = document.getElementById('filter-' + arguments[0]); s.focus();"
            " s.value = arguments[1]; s.dispatchEvent(new Event('change'))"
        )
        before = self.place
        self.run(script, name, value)
        self.until(lambda: self.place != before)

    def look(self, theme: str = "light", width: int = 1280, media: str = "screen") -> None:
        """How it is shown."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.command("Emulation.setEmulatedMedia", media=media, features=features)
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def errors(self) -> Sequence[str]:
        """What the browser complained of since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]
