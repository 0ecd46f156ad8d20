"""What it costs to start, and to install."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from figures import Baseline, Figure
from ingest import environment, executable
from measure import least, run
from rows import Bench

TOOLS = Path(__file__).resolve().parent.parent / "tools"
STARTS = 10
# Recorded of the peer: `metadata --help`; distributions and MB of its installation.
PEER_HELP, PEER_DISTRIBUTIONS, PEER_MEGABYTES = 8.0, 140.0, 414.0


def start(bench: Bench) -> Iterator[Figure]:
    """`metaglean --help` and `metaglean plugins`."""
    limits = (("--help", 0.10, bench.peer.get("help", PEER_HELP)), ("plugins", 0.15, None))
    for word, bound, peer in limits:
        command = (executable(), word)
        cost = least([run(command, environment(), bench.folder) for _ in range(STARTS)])
        baseline = None if peer is None else Baseline(peer, "help" in bench.peer)
        what = f"metaglean {word}: processor, least of {STARTS}"
        yield Figure("start", what, cost.cpu, "CPU-s", bound, baseline)


def install(_: Bench) -> Iterator[Figure]:
    """`pip install ./core ./plugins/domo`, by the check that CI makes."""
    done = subprocess.run(
        [sys.executable, "check_install.py"],
        cwd=TOOLS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"(\d+) distributions, ([\d.]+) MB", done.stdout)
    if found is None:
        raise RuntimeError(f"tools/check_install.py failed:\n{done.stdout}{done.stderr}")
    count, size = int(found[1]), float(found[2])
    peer = Baseline(PEER_DISTRIBUTIONS)
    yield Figure("install", "pip install: distributions", count, "", 20, peer)
    yield Figure("install", "pip install: size", size, "MB", 25, Baseline(PEER_MEGABYTES))
    for name, moved in re.findall(r"airflow-([\d.]+): resolves, moves (\d+)", done.stdout):
        yield Figure("install", f"beside Airflow {name}: moved", int(moved), "", 0, exact=True)
    ok = done.stdout.rstrip().endswith("installation: ok")
    yield Figure("install", "other problems of the installation", int(not ok), "", 0, exact=True)
