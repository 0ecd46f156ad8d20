"""The firewall: the one place that decides what may be deleted in a target.

An entity is deleted only where all of these hold:

1. deletion of its kind is switched on (`markDeleted…`);
2. the listing of its very scope is complete in this run;
3. that listing is not empty (or `deletion.empty` allows it);
4. it stood, live, in the reading made before the listing, and is neither listed nor named by it
   (what is filtered out, unreadable or failed in detail was listed: it stays);
5. the share of what would go is at most `deletion.maxPercent` (not applied below 5 entities);
6. the source, where it can tell, confirms each one as gone, asked by its id; what has no id can't
   be asked for, and stays; where it can't tell, what has none stays if rules rename such: it may
   stand under the name that it had before a rule;
7. a database or schema goes only where its tables may go as well.

Refusals are problems that name the counts and the setting to change.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field

from metaglean.listing import Listing
from metaglean.records import Ref
from metaglean.standing import Existing

SMALL_SCOPE = 5
CONTAINERS = ("database", "databaseSchema")
Confirm = Callable[[str, Sequence[str]], Iterable[str] | None]


@dataclass(frozen=True)
class Policy:
    """The workflow's `deletion:` section: a share in percent, whether an empty listing may delete,
    and whether what the filters drop is deleted."""

    max_percent: float = 25.0
    empty: bool = False
    filtered: bool = False


@dataclass
class Decision:
    """What goes in one scope; `refused` says why nothing may (empty: no objection), `unconfirmed`
    how many were missing from the listing but not confirmed as gone."""

    delete: list[Existing] = field(default_factory=list)
    missing: int = 0
    unconfirmed: int = 0
    refused: str = ""
    hint: str = ""


def decide(
    listing: Listing,
    switched_on: Callable[[str], bool],
    policy: Policy,
    confirm: Confirm,
    kept: Container[Ref] = frozenset(),
) -> Decision:
    """What of one scope may be deleted. `switched_on(kind)` says whether deletion of a kind is on;
    `kept` are refs that were written in this run though they were not listed."""
    if not switched_on(listing.kind):
        return Decision()
    missing = [entity for entity in _missing(listing, policy) if entity.ref not in kept]
    decision = Decision(missing=len(missing))
    if missing:
        decision.refused, decision.hint = _objection(listing, len(missing), policy)
    if missing and listing.kind in CONTAINERS and not switched_on("table"):
        decision.refused = f"nothing is deleted: {len(missing)} ({listing.kind}) may hold tables"
        decision.hint = "Set markDeletedTables: true as well."
    if missing and not decision.refused:
        decision.delete = _confirmed(listing, missing, policy, confirm)
        decision.unconfirmed = len(missing) - len(decision.delete)
    return decision


def _missing(listing: Listing, policy: Policy) -> list[Existing]:
    """What stood live and is neither listed nor named by this listing."""
    dropped = listing.filtered if policy.filtered else frozenset[str]()
    listed = {source_id for source_id in listing.ids if source_id not in dropped}
    # Whoever stands under an id that was listed is found by it; only other names need a look.
    named = {
        name
        for name, source_id in zip(listing.given, listing.ids, strict=True)
        if name is not None
        and source_id not in dropped
        and listing.standing.name_of(source_id) != name
    }
    return [
        entity
        for entity in listing.standing
        if not entity.deleted and entity.ref.name not in named and entity.source_id not in listed
    ]


def _objection(listing: Listing, missing: int, policy: Policy) -> tuple[str, str]:
    """Why nothing of this scope may be deleted, and what to do; two empty texts where it may."""
    standing = listing.standing.live()
    kept = (
        f"nothing is deleted: {missing} of {standing} ({listing.kind}) in {listing.target} "
        "were not listed"
    )
    if not listing.complete:
        return (
            f"{kept}, but the listing is incomplete ({'; '.join(listing.reasons)})",
            "The next complete run decides.",
        )
    if not listing.ids and not policy.empty:
        return (
            f"{kept}, because the source listed nothing at all",
            "If it really is empty, set deletion.empty: true for one run.",
        )
    percent = 100.0 * missing / standing
    enough = min(100, int(percent) + 1)
    if standing >= SMALL_SCOPE and percent > policy.max_percent:
        return (
            f"{kept}: {percent:.0f} % is more than the limit of {policy.max_percent:g} %",
            f"If that is right, set deletion.maxPercent to {enough} for one run.",
        )
    return "", ""


def _confirmed(
    listing: Listing, missing: list[Existing], policy: Policy, confirm: Confirm
) -> list[Existing]:
    """Those that the source confirms as gone; where it can't tell, all but those that may have
    another name now. What has no id can't be confirmed; what a filter drops stands at the source
    and is not asked for."""
    dropped = listing.filtered if policy.filtered else frozenset[str]()
    asked = [
        entity.source_id
        for entity in missing
        if entity.source_id is not None and entity.source_id not in dropped
    ]
    answer = confirm(listing.kind, asked)
    if answer is None:
        return [one for one in missing if one.source_id is not None or not listing.renames]
    gone = set(answer) | dropped
    return [entity for entity in missing if entity.source_id in gone]
