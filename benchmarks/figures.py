"""Figures: what was measured, what is asked for, and what it is compared with."""

from __future__ import annotations

import json
import math
import os
import platform
import ssl
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PEER = "openmetadata-ingestion[domo] 2.0.7"
PEER_OLD = "1.2.0.1"
DISTRIBUTIONS = ("metaglean-core", "pydantic", "pydantic-core", "urllib3", "certifi")


@dataclass(frozen=True)
class Baseline:
    """What the peer, or else our own sink `of`, needs for the same. `measured` in this very run,
    else recorded earlier on another machine of two cores (the ratio is then an order of magnitude).
    """

    value: float
    measured: bool = False
    of: str = ""


@dataclass(frozen=True)
class Figure:
    """One figure. Without `limit` it is for information; `exact` asks for the limit itself."""

    row: str
    what: str
    value: float
    unit: str
    limit: float | None = None
    baseline: Baseline | None = None
    exact: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        if math.isnan(self.value):
            return False
        return self.value == self.limit if self.exact else self.value <= self.limit

    @property
    def ratio(self) -> float | None:
        """How many times what we need the other one needs."""
        if self.baseline is None or not self.value:
            return None
        return self.baseline.value / self.value


def number(value: float | None, unit: str = "") -> str:
    """A figure for people."""
    if value is None or math.isnan(value):
        return "-"
    text = f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"
    return f"{text} {unit}".strip()


def cells(figure: Figure) -> tuple[str, ...]:
    """What a table shows of one figure."""
    verdict = {None: "", True: "met", False: "NOT MET"}[figure.met]
    bound = "" if figure.limit is None else ("= " if figure.exact else "≤ ")
    peer = ""
    if figure.baseline is not None and figure.ratio is not None:
        source = "measured" if figure.baseline.measured else "recorded"
        needed = number(figure.baseline.value, figure.unit)
        peer = f"{figure.baseline.of or 'peer'} {needed} {source}, {figure.ratio:.1f} ×"
    return (
        figure.row,
        figure.what,
        number(figure.value, figure.unit),
        f"{bound}{number(figure.limit)}" if figure.limit is not None else "",
        verdict,
        peer,
    )


HEADINGS = ("row", "what", "figure", "limit", "", "compared with")


def line(figure: Figure) -> str:
    """One figure on one line of a terminal."""
    row, what, value, limit, verdict, peer = cells(figure)
    return f"{row:<16} {what:<62} {value:>16} {limit:>10} {verdict:<8} {peer}".rstrip()


def markdown(figures: Sequence[Figure], facts: dict[str, str], quick: bool) -> str:
    """The file `results.md`."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(cells, figures)]
    missed = [figure for figure in figures if figure.met is False]
    verdict = "All limits are kept." if not missed else f"{len(missed)} limits are NOT kept."
    return "\n".join(
        [
            "# Results",
            "",
            "Written by `benchmarks/run.py`; how it measures is in [README.md](README.md).",
            *(["", "**A quick run: smaller sizes, fewer runs.**"] if quick else []),
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
            verdict,
            f"The peer is {PEER} ({PEER_OLD} on the real server), the catalog our own sink of that",
            "name; × is how many times as much it needs.",
            "",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
        ]
    )


def as_json(figures: Iterable[Figure], facts: dict[str, str], quick: bool) -> dict[str, Any]:
    """The same for programs."""
    listed = [
        {**asdict(figure), "met": figure.met, "ratio": figure.ratio, "value": _plain(figure.value)}
        for figure in figures
    ]
    return {"quick": quick, "machine": facts, "figures": listed}


def dumps(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def machine() -> dict[str, str]:
    """What the figures were measured on: nothing that names its owner."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} of them",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, {ssl.OPENSSL_VERSION}",
        "distributions": ", ".join(_versions()),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [entry.partition(":")[2].strip() for entry in lines if entry.startswith("model name")]
    return names[0] if names else platform.machine()


def _versions() -> Iterable[str]:
    for name in DISTRIBUTIONS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            sys.stderr.write(f"{name} is not installed\n")
