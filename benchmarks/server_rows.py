"""What the sink `metadata-rest` costs: into the fake OpenMetadata server, over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from figures import Baseline, Figure
from ingest import WORKERS
from measure import Cost, least
from rows import Bench, first_and_second
from sandbox import Shape, Tenant
from servers import Counted, Server, fake

NEW = "2.0.0"
OLD = "1.2.0"  # keeps no hash: what stands is compared by digests of what its listing shows
SECONDS = 0.02
# Recorded of the peer for 1,000 datasets: requests of a first and of a second run.
PEER_REQUESTS = (1221.0, 2219.0)
NAMES = ("first", "second")


class Measured(NamedTuple):
    """A first run and a second one over an unchanged source: what each cost, and what the server
    counted during it."""

    costs: tuple[Cost, Cost]
    counts: tuple[Counted, Counted]


def measured(
    bench: Bench, tenant: Tenant, server: Server, latency: float = 0.0, runs: int = 0
) -> Measured:
    """The least of several runs; counted in the last ones."""
    ingest = bench.ingest(tenant, target=server.target)
    costs: list[tuple[Cost, Cost]] = []
    for _ in range(runs or bench.runs):
        server.reset(latency)
        first, counted = ingest.run(), server.stats()
        server.count()
        costs.append((first, ingest.run()))
        counts = (counted, server.stats())
    firsts, seconds = zip(*costs, strict=True)
    return Measured((least(firsts), least(seconds)), counts)


def server(bench: Bench) -> Iterator[Figure]:
    """1,000 datasets of 20 columns: processor time and memory, and those of the catalog sink."""
    with bench.tenant(bench.shape()) as tenant, fake(NEW, bench.certificates) as target:
        found = measured(bench, tenant, target)
        ours = first_and_second(bench, tenant)
    for name, cost, catalog in zip(NAMES, found.costs, ours, strict=True):
        what = f"{bench.datasets} × 20 into a {NEW} server, {name} run"
        for key, unit, bound in (("cpu", "CPU-s", 4.0), ("rss", "MB", 80.0), ("wall", "s", None)):
            said = {"cpu": "processor", "rss": "memory", "wall": "time"}[key]
            beside = _beside(bench, key, getattr(catalog, key))
            yield Figure("server", f"{what}: {said}", getattr(cost, key), unit, bound, beside)
    lost = bench.datasets - found.counts[1].tables
    yield Figure("server", "tables lost", lost, "", 0, exact=True)


def latency(bench: Bench) -> Iterator[Figure]:
    """The same with 20 ms before each answer of the sandbox and of the server."""
    with bench.tenant(bench.shape()) as tenant, fake(NEW, bench.certificates) as target:
        tenant.reset(latency_ms=1000 * SECONDS)
        found = measured(bench, tenant, target, SECONDS)
        ours = first_and_second(bench, tenant)
    for name, cost, catalog in zip(NAMES, found.costs, ours, strict=True):
        what = f"{bench.datasets} × 20, 20 ms on both sides, {WORKERS} workers, {name} run: time"
        beside = _beside(bench, "latency", catalog.wall)
        yield Figure("server-latency", what, cost.wall, "s", 7, beside)


def _beside(bench: Bench, key: str, catalog: float) -> Baseline:
    """The peer where it was measured in this run, else the catalog sink, which was."""
    if key in bench.peer:
        return Baseline(bench.peer[key], measured=True)
    return Baseline(catalog, measured=True, of="catalog")


def requests(bench: Bench) -> Iterator[Figure]:
    """Requests to servers with and without bulk calls; a second run writes nothing."""
    n = bench.datasets
    with bench.tenant(bench.shape()) as tenant:
        for version, each in ((NEW, n / 100), (OLD, n)):
            with fake(version, bench.certificates) as target:
                found = measured(bench, tenant, target, runs=1)
            first, second = found.counts
            rest = 20 if version == NEW else 30
            bounds = (each + n / 1000 + first.tags + rest, n / 1000 + rest)
            for number, (name, counted) in enumerate(zip(NAMES, found.counts, strict=True)):
                peer = Baseline(PEER_REQUESTS[number]) if (n, version) == (1000, NEW) else None
                what = f"{n:,} datasets into a {version} server, {name} run"
                said = f"{what}: requests"
                yield Figure("server-requests", said, counted.requests, "", bounds[number], peer)
            yield Figure("server-requests", f"{what}: writes", second.writes, "", 0, exact=True)
            lost = n - second.tables
            yield Figure("server-requests", f"{what}: tables lost", lost, "", 0, exact=True)


def memory(bench: Bench) -> Iterator[Figure]:
    """How memory grows with datasets and with columns, where a server keeps hashes and where what
    stands is compared by digests. One run each: it takes minutes, and memory varies little."""
    large = (4 if bench.quick else 20) * bench.datasets
    shapes = ((bench.shape(datasets=large), 20), (bench.shape(columns=300), 60))
    base = {version: _costs(bench, bench.shape(), version) for version in (NEW, OLD)}
    for version, plain in base.items():
        for shape, room in shapes:
            costs = _costs(bench, shape, version)
            for name, cost, small in zip(NAMES, costs, plain, strict=True):
                size = f"{shape.datasets:,} × {shape.columns}, {version}, {name} run"
                what = f"{size}: above {bench.datasets} × 20"
                yield Figure("server-memory", what, cost.rss - small.rss, "MB", room)
                yield Figure("server-memory", "  its memory", cost.rss, "MB")
                yield Figure("server-memory", "  its processor time", cost.cpu, "CPU-s")


def _costs(bench: Bench, shape: Shape, version: str) -> tuple[Cost, Cost]:
    with bench.tenant(shape) as tenant, fake(version, bench.certificates) as target:
        found = measured(bench, tenant, target, runs=1)
    if found.counts[1].tables != shape.datasets:
        raise RuntimeError(f"{found.counts[1].tables} tables stand instead of {shape.datasets}")
    return found.costs
