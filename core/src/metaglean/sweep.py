"""The deletion pass, at the end of a run: core decides, the sink is given what goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from metaglean import deletion
from metaglean.components import Change, Sink
from metaglean.listing import Listing
from metaglean.phases import phase
from metaglean.run import Run

if TYPE_CHECKING:
    from metaglean.config import WorkflowConfig

Changed = Callable[[Change, Run], None]


def sweep(run: Run, sink: Sink, config: WorkflowConfig, changed: Changed) -> None:
    """Have `sink` mark deleted what the firewall lets go, listing by listing; `changed` is told of
    each. What is refused or unconfirmed stands in the report."""
    if "deletion" not in sink.capabilities:
        return
    policy = deletion.Policy(
        config.deletion.max_percent,
        config.deletion.empty,
        config.deletion.filtered == "delete",
    )
    on = config.source_options.deletes
    view = run.at("deletion")
    with phase(view, "the deletion pass broke off"):
        for listing in run.listings:
            decision = deletion.decide(listing, on, policy, run.confirm_gone, run.unlisted)
            if run.stopping:
                return
            _say(decision, listing, view)
            deleted = 0
            for change in sink.delete(decision.delete, view) if decision.delete else ():
                changed(change, view)
                deleted += 1
            if decision.missing:
                view.report.deletions.append(_entry(decision, deleted, listing))


def _say(decision: deletion.Decision, listing: Listing, run: Run) -> None:
    if decision.refused:
        run.problem(decision.refused, hint=decision.hint)
    if decision.unconfirmed:
        run.warn(
            f"{decision.unconfirmed} ({listing.kind}) in {listing.target} were not listed, but the "
            "source does not confirm that they are gone: kept"
        )


def _entry(decision: deletion.Decision, deleted: int, listing: Listing) -> dict[str, Any]:
    """One scope's line of the report."""
    return {
        "kind": listing.kind,
        "scope": str(listing.target),
        "missing": decision.missing,
        "deleted": deleted,
        "refused": decision.refused,
    }
