"""The benchmark: what one ingestion costs, beside what was asked for and what the peer needs.

    python benchmarks/run.py --all              all rows (a quarter of an hour); writes results.md
    python benchmarks/run.py scale latency      some rows
    python benchmarks/run.py --all --quick      smaller and fewer, for a first look

Nothing else should run on the machine meanwhile. The exit code is 1 where a limit isn't kept.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import rows
import server_rows
from figures import Figure, as_json, dumps, line, machine, markdown
from measure import Failed
from page_row import page
from real_row import real
from sandbox import certificates
from search_row import search
from start import install, start
from target import target

RESULTS = Path(__file__).resolve().parent / "results.md"
ROWS: dict[str, rows.Row] = {
    "scale": rows.scale,
    "latency": rows.latency,
    "faults": rows.faults,
    "limit": rows.limit,
    "requests": rows.requests,
    "memory": rows.memory,
    "target": target,
    "start": start,
    "install": install,
    "server": server_rows.server,
    "server-latency": server_rows.latency,
    "server-requests": server_rows.requests,
    "server-memory": server_rows.memory,
    "real": real,
    "page": page,
    "search": search,
}


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    made.add_argument("--all", action="store_true", help="all rows")
    made.add_argument("--quick", action="store_true", help="smaller sizes, fewer runs")
    made.add_argument(
        "--datasets", type=int, default=1000, metavar="N", help="instead of 1000 (for tests)"
    )
    made.add_argument("--json", type=Path, metavar="OUT", help="write the figures as JSON")
    made.add_argument("--results", type=Path, metavar="OUT", help=f"with --all: {RESULTS.name}")
    made.add_argument(
        "--peer-python", metavar="PATH",
        help="the interpreter of an environment with the peer: its figures are measured too",
    )  # fmt: skip
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    unknown = sorted(set(options.rows) - set(ROWS))
    if unknown or not (options.rows or options.all):
        parser().error(f"name rows of {', '.join(ROWS)}, or --all (not {unknown})")
    chosen = list(ROWS) if options.all else options.rows
    # Ended from outside, it must end the sandbox as well.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    facts = machine()
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        bench = rows.Bench(folder, certificates(folder / "tls"), options.quick, options.datasets)
        if options.peer_python:
            from peer import measure_peer

            measure_peer(bench, Path(options.peer_python))
        for row in chosen:
            found += _figures(row, bench)
    _write(options, found, facts)
    missed = [figure for figure in found if figure.met is False]
    for figure in missed:
        print(f"NOT MET: {line(figure)}")
    return 1 if missed else 0


def _figures(row: str, bench: rows.Bench) -> list[Figure]:
    """The figures of one row, shown as they come; a row that fails is a figure that isn't met."""
    began = time.perf_counter()
    found: list[Figure] = []
    try:
        for figure in ROWS[row](bench):
            found.append(figure)
            print(line(figure), flush=True)
    except (Failed, OSError, RuntimeError) as error:
        print(f"{row}: {error}", file=sys.stderr)
        found.append(Figure(row, "failed", 1, "", 0, exact=True))
    print(f"-- {row}: {time.perf_counter() - began:.0f} s", flush=True)
    return found


def _write(options: argparse.Namespace, found: Sequence[Figure], facts: dict[str, str]) -> None:
    results = options.results or (RESULTS if options.all and not options.quick else None)
    if results:
        results.write_text(markdown(found, facts, options.quick), "utf-8")
    if options.json:
        options.json.write_text(dumps(as_json(found, facts, options.quick)), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
