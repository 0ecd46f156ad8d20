"""What a run's result amounts to: the error that ends it, or none."""

from __future__ import annotations

from metaglean.errors import Interrupted, RemoteError, RunError, ends_run
from metaglean.run import Run


def first_of(*errors: BaseException | None) -> BaseException | None:
    """The error that decides: a signal, then a system that is away (3 wins over 1), then any."""
    found = [error for error in errors if error is not None]
    return max(found, key=_rank, default=None)


def _rank(error: BaseException) -> int:
    if not isinstance(error, Exception):
        return 3
    return 2 if isinstance(error, RemoteError) else int(ends_run(error))


def report_listings(run: Run) -> None:
    """Put what was listed, and how completely, into the report."""
    for listing in run.listings:
        run.report.listings.append(
            {
                "kind": listing.kind,
                "scope": str(listing.scope),
                "listed": len(listing.ids),
                "complete": listing.complete,
                "reasons": list(listing.reasons),
            }
        )


def verdict(run: Run, success_threshold: float) -> BaseException | None:
    """The error of a run that went through, if its result is not good enough."""
    if run.stopping:
        return Interrupted(run.signal) if run.signal else RunError("stopped before its end")
    return _incomplete(run) or _too_little(run, success_threshold)


def _incomplete(run: Run) -> RunError | None:
    for listing in run.listings:
        # A limit leaves listings unread on purpose; what failed in them still counts.
        reasons = listing.reasons if run.limit is None else listing.failures
        if reasons:
            return RunError(
                f"the listing of {listing.scope} ({listing.kind}) is incomplete: "
                f"{'; '.join(reasons)}",
                "What was read is written, nothing was deleted; run it again.",
            )
    return None


def _too_little(run: Run, threshold: float) -> RunError | None:
    for stage in ("source", "processor", "sink"):
        percent = run.report.success_percent(stage)
        if percent < threshold:
            return RunError(
                f"only {percent:.4g} % of the {stage}'s entities succeeded "
                f"(successThreshold: {threshold:g})",
                "The problems above name what failed and why.",
            )
    return None
