"""What the page of `metaglean catalog html` costs: to write, to keep, and to search in Chromium."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from figures import Baseline, Figure
from ingest import environment, executable
from measure import Cost, least, run
from rows import Bench

if TYPE_CHECKING:
    from tests.browser.page import Page

ROOT = Path(__file__).resolve().parent.parent
FACTOR = 10  # tables, as a multiple of the datasets of the other rows
LOADS = 3
QUERIES = ("customer gold", "a")  # as people ask; and the one letter that finds nearly all
BLOCK = re.compile(r'data-block="index">([^<]*)<')
# One keystroke, until what it found is laid out. Milliseconds.
SEARCH = """
const box = document.getElementById("search");
const began = performance.now();
box.value = arguments[0];
box.dispatchEvent(new Event("input", { bubbles: true }));
if (!document.querySelector("#results h2 a").getBoundingClientRect().height) throw "nothing";
return performance.now() - began;
"""
# The same tables as objects with their columns, and a loop over them without an index.
KEEP = """
const index = JSON.parse(arguments[0]);
window.kept = (window.kept ?? []).concat(index.name.map((name, row) => ({
  fields: [name, index.displayName[row], index.description[row]],
  columns: index.columns[row].split("\\u0001"),
  texts: index.columnTexts[row].split("\\u0001"),
})));
"""
LOOP = """
const began = performance.now();
const words = arguments[0].split(" ");
const holds = (text, word) => text.toLowerCase().includes(word);
const found = kept.filter((table) => words.every((word) =>
  [...table.fields, ...table.columns, ...table.texts].some((text) => holds(text, word))));
return performance.now() - began;
"""


def page(bench: Bench) -> Iterator[Figure]:
    """A catalog of 10,000 tables of 20 columns as one page."""
    sys.path.insert(0, str(ROOT))
    few, many = bench.datasets, bench.datasets * (1 if bench.quick else FACTOR)
    _, small = _written(bench, few)
    file, cost = _written(bench, many)
    what = f"{many:,} × 20"
    yield Figure("page", f"{what}: size", file.stat().st_size / 1e6, "MB", 15)
    yield Figure("page", f"{what}: processor", cost.cpu, "CPU-s", 10)
    yield Figure("page", f"{what}: memory above {few:,}", cost.rss - small.rss, "MB", 20)
    yield from _searched(bench, file, what)


def _written(bench: Bench, tables: int) -> tuple[Path, Cost]:
    folder = bench.folder / f"page-{tables}"
    folder.mkdir(exist_ok=True)
    catalog = folder / "catalog.db"
    if not catalog.exists():
        # Not here: the memory of this process hides that of its children.
        made = f"make_catalog(Path({str(catalog)!r}), {tables})"
        code = f"from pathlib import Path; from tests.browser.company import make_catalog; {made}"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    command = (executable(), "catalog", "html", "-f", str(catalog), "-o", "page.html")
    cost = least([run(command, environment(), folder) for _ in range(bench.runs)])
    return folder / "page.html", cost


def _searched(bench: Bench, file: Path, what: str) -> Iterator[Figure]:
    """The first search of a page that was just opened, the least of several."""
    try:
        from tests.browser.page import Page, programs, start
    except ModuleNotFoundError:
        found = None
    else:
        found = programs()
    if found is None:
        yield Figure("page", "search not measured: no browser", float("nan"), "")
        return
    driver = start(*found, bench.folder / "profile")
    try:
        for query in QUERIES:
            shown = Page(driver, file)
            times = [shown.open().run(SEARCH, query) for _ in range(LOADS)]
            loop = None
            if " " in query:  # of one letter the loop ends at once, with the first field
                loop = Baseline(_loop(shown, file, query), measured=True, of="a plain loop")
            yield Figure("page", f"{what}: first result of “{query}”", min(times), "ms", 300, loop)
    finally:
        driver.quit()


def _loop(shown: Page, file: Path, query: str) -> float:
    for packed in BLOCK.findall(file.read_text("utf-8")):
        shown.run(KEEP, zlib.decompress(base64.b64decode(packed)).decode())
    return min(shown.run(LOOP, query) for _ in range(LOADS))
