"""The rows: each gives its figures one by one. The names are those of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from figures import Baseline, Figure
from ingest import WORKERS, Ingest, Json
from measure import Cost, least
from sandbox import Certificates, Shape, Tenant, running

# What was recorded of the peer, for 1,000 datasets of 20 columns, and for installing it.
RECORDED = {"cpu": 134.0, "rss": 353.0, "wall": 140.0, "latency": 257.0, "lost": 70.0}


@dataclass
class Bench:
    """What all rows share: how large they are, where they work, and what the peer needed.

    `peer` holds what was measured of it in this run, by the keys of RECORDED.
    """

    folder: Path
    certificates: Certificates
    quick: bool = False
    datasets: int = 1000
    peer: dict[str, float] = field(default_factory=dict)
    _folders: Iterator[int] = field(default_factory=count)

    @property
    def runs(self) -> int:
        """Of so many runs the least counts."""
        return 1 if self.quick else 3

    def shape(self, **changes: Any) -> Shape:
        """A tenant of the size of this benchmark, changed."""
        return Shape(**{"datasets": self.datasets, **changes})

    def tenant(self, shape: Shape) -> AbstractContextManager[Tenant]:
        """A running sandbox."""
        return running(shape, self.certificates, self.folder)

    def ingest(
        self,
        tenant: Tenant,
        threads: int | None = None,
        target: Json | None = None,
        service: str = "domo",
    ) -> Ingest:
        """The workflow in a new folder, with no catalog yet; or into the server of `target`."""
        folder = self.folder / f"run-{next(self._folders)}"
        return Ingest(tenant, folder, threads, target, service)

    def baseline(self, key: str) -> Baseline | None:
        """The peer's figure: of this run if it was measured, else as recorded for 1,000."""
        if key in self.peer:
            return Baseline(self.peer[key], measured=True)
        return Baseline(RECORDED[key]) if self.datasets == 1000 else None


Row = Callable[[Bench], Iterator[Figure]]


def first_and_second(bench: Bench, tenant: Tenant) -> tuple[Cost, Cost]:
    """The least of several first runs, and of several second ones over an unchanged source."""
    ingest, firsts, seconds = bench.ingest(tenant), [], []
    for _ in range(bench.runs):
        ingest.forget()
        firsts.append(ingest.run())
        seconds.append(ingest.run())
    return least(firsts), least(seconds)


def scale(bench: Bench) -> Iterator[Figure]:
    """1,000 datasets of 20 columns: processor time, memory, and what a second run writes."""
    with bench.tenant(bench.shape()) as tenant:
        ingest, firsts, seconds, lost, rewritten = bench.ingest(tenant), [], [], 0, 0
        for _ in range(bench.runs):
            ingest.forget()
            firsts.append(ingest.run())
            lost += bench.datasets - ingest.state().with_columns
            seconds.append(ingest.run())
            after = ingest.state()
            rewritten += after.rewritten + after.history
    for name, cost in (("first", least(firsts)), ("second", least(seconds))):
        what = f"{bench.datasets} × 20, {name} run"
        yield Figure("scale", f"{what}: processor", cost.cpu, "CPU-s", 3.5, bench.baseline("cpu"))
        yield Figure("scale", f"{what}: memory", cost.rss, "MB", 75, bench.baseline("rss"))
        yield Figure("scale", f"{what}: time", cost.wall, "s", None, bench.baseline("wall"))
    yield Figure("scale", "tables lost", lost, "", 0, exact=True)
    yield Figure("scale", "second run: entities and history written", rewritten, "", 0, exact=True)


def latency(bench: Bench) -> Iterator[Figure]:
    """The same with 20 ms before each answer."""
    with bench.tenant(bench.shape()) as tenant:
        tenant.reset(latency_ms=20)
        first, second = first_and_second(bench, tenant)
    peer = bench.baseline("latency")
    what = f"{bench.datasets} × 20, 20 ms latency, {WORKERS} workers"
    yield Figure("latency", f"{what}, first run: time", first.wall, "s", 6, peer)
    yield Figure("latency", f"{what}, second run: time", second.wall, "s", 6, peer)


def faults(bench: Bench) -> Iterator[Figure]:
    """A tenth of the answers are 429, 503 or a dropped connection; the worst of several seeds."""
    seeds = (1, 2) if bench.quick else (1, 2, 3, 4, 5)
    firsts, seconds, differing, lost = [], [], 0, 0
    with bench.tenant(bench.shape()) as tenant:
        ingest = bench.ingest(tenant)
        ingest.run()
        undisturbed = ingest.state()
        for seed in seeds:
            ingest.forget()
            tenant.reset(rate=0.1, seed=seed)
            firsts.append(ingest.run())
            found = ingest.state()
            lost += bench.datasets - found.with_columns
            differing += found.digest != undisturbed.digest
            # And over what stands: nothing may be changed or deleted by them.
            tenant.reset(rate=0.1, seed=100 + seed)
            seconds.append(ingest.run())
            again = ingest.state()
            differing += again.digest != undisturbed.digest
            lost += again.deleted
    for name, costs in (("first", firsts), ("second", seconds)):
        what = f"10 % faults, {name} run, of {len(seeds)} seeds"
        times = sorted(cost.wall for cost in costs)
        yield Figure("faults", f"{what}: time, the worst", times[-1], "s", 20)
        yield Figure("faults", f"{what}: time, the median", times[len(times) // 2], "s")
        processor = max(cost.cpu for cost in costs)
        yield Figure("faults", f"{what}: processor, the worst", processor, "CPU-s", 8)
    yield Figure(
        "faults",
        f"of {len(seeds)} seeds, both runs: tables lost",
        lost,
        "",
        0,
        bench.baseline("lost"),
        exact=True,
    )
    yield Figure("faults", "catalogs unlike the undisturbed one", differing, "", 0, exact=True)


def limit(bench: Bench) -> Iterator[Figure]:
    """A true limit of 50 requests a second and plane, then 429 with `Retry-After: 1`."""
    datasets = min(bench.datasets, 500) if bench.quick else bench.datasets
    with bench.tenant(bench.shape(datasets=datasets)) as tenant:
        tenant.reset(rate_limit=50)
        ingest = bench.ingest(tenant)
        times, shares, lost = [], [], 0
        for _ in range(1 if bench.quick else 2):
            ingest.forget()
            tenant.reset(rate_limit=50)
            times.append(ingest.run().wall)
            stats = tenant.stats()
            shares.append(100 * stats["refusals"] / stats["requests"])
            lost += datasets - ingest.state().with_columns
    what = f"50 requests/s, {datasets} datasets"
    yield Figure("limit", f"{what}: time", min(times), "s", 1.3 * datasets / 50)
    yield Figure("limit", f"{what}: calls refused", max(shares), "%", 5)
    yield Figure("limit", f"{what}: tables lost", lost, "", 0, exact=True)


def requests(bench: Bench) -> Iterator[Figure]:
    """Requests and connections, with streams, upserts, views and federated datasets."""
    sizes = (bench.datasets,) if bench.quick else (bench.datasets, 20 * bench.datasets)
    for datasets in sizes:
        shape = bench.shape(datasets=datasets, views=0.05, federated=0.02)
        with bench.tenant(shape) as tenant:
            ingest = bench.ingest(tenant)
            for name in ("first", "second"):
                tenant.reset()
                ingest.run()
                stats = tenant.stats()
                what = f"{datasets:,} datasets, {name} run"
                bound = allowed_requests(shape)
                yield Figure("requests", f"{what}: requests", stats["requests"], "", bound)
                for plane, opened in stats["connections"].items():
                    said = f"{what}: connections, {plane} plane"
                    yield Figure("requests", said, opened, "", WORKERS + 1)
            lost = datasets - ingest.state().with_columns
            yield Figure("requests", f"{datasets:,} datasets: lost", lost, "", 0, exact=True)


def allowed_requests(shape: Shape) -> float:
    """One call a dataset, the pages of the listing, bulk calls, and what has no bulk call."""
    n = shape.datasets
    upserts = round(round(n * shape.streams) * 0.1)  # the sandbox's share of upserts
    alone = round(n * shape.views) + round(n * shape.federated)
    return n + n / 50 + n / 100 + n / 250 + upserts / 50 + alone + 30


def memory(bench: Bench) -> Iterator[Figure]:
    """How memory grows with datasets and with columns."""
    with bench.tenant(bench.shape()) as tenant:
        base = first_and_second(bench, tenant)
    large = (4 if bench.quick else 20) * bench.datasets
    shapes: Sequence[tuple[Shape, float]] = (
        (bench.shape(datasets=large), 20),
        (bench.shape(columns=300), 60),
    )
    for shape, room in shapes:
        with bench.tenant(shape) as tenant:
            costs = first_and_second(bench, tenant)
        for name, cost, plain in zip(("first", "second"), costs, base, strict=True):
            what = f"{shape.datasets:,} × {shape.columns}, {name} run: above {bench.datasets} × 20"
            yield Figure("memory", what, cost.rss - plain.rss, "MB", room)
            yield Figure("memory", "  its processor time", cost.cpu, "CPU-s")
