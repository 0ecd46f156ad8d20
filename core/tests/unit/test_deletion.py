"""The firewall: one condition that fails keeps everything; all together let the gone ones go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from metaglean.components import Sink
from metaglean.deletion import Decision, Policy, decide
from metaglean.filters import Filters, Pattern
from metaglean.listing import Listing
from metaglean.names import Listed
from metaglean.records import Ref
from metaglean.renaming import Renaming
from metaglean.run import Run
from metaglean.standing import Existing

SERVICE = Ref("databaseService", ("s",))
SCOPE = Ref("databaseSchema", ("s", "d", "x"))


class Target(Sink):
    """A target in which ten tables stand: T0 … T9 with ids 0 … 9."""

    def __init__(
        self, count: int = 10, deleted: Sequence[str] = (), known_ids: bool = True
    ) -> None:
        self.entities = [
            Existing(
                SCOPE.child("table", f"T{n}"), n, str(n) if known_ids else None, None,
                str(n) in deleted,
            )
            for n in range(count)
        ]  # fmt: skip

    def existing(self, kind, scope):
        return iter(self.entities)

    def write(self, records, run):
        return iter(())


def listing(
    ids: Iterable[str],
    target: Sink | None = None,
    filters: Filters | None = None,
    stop: int = -1,
    renaming: Renaming | None = None,
) -> Listing:
    run = Run(SERVICE, sink=target or Target(), filters=filters, renaming=renaming)
    made = run.listing("table", SCOPE)
    for count, _ in enumerate(made.over(Listed(i, f"T{i}") for i in ids)):
        if count == stop:
            break
    return made


def gone(kind: str, ids: Sequence[str]) -> Iterable[str] | None:
    assert kind == "table"
    return ids


def on(kind: str) -> bool:
    return True


def off(kind: str) -> bool:
    return False


def names(decision: Decision) -> list[str]:
    return [entity.ref.name for entity in decision.delete]


ALL = [str(n) for n in range(10)]


def test_what_is_gone_is_deleted_when_every_condition_holds():
    decision = decide(listing(ALL[:-1]), on, Policy(), gone)
    assert names(decision) == ["T9"]
    assert not decision.refused


def test_nothing_is_deleted_while_it_is_switched_off():
    assert names(decide(listing(ALL[:-1]), off, Policy(), gone)) == []


def test_nothing_is_deleted_after_a_break():
    decision = decide(listing(ALL[:-1], stop=3), on, Policy(), gone)
    assert names(decision) == []
    assert "incomplete" in decision.refused


def test_nothing_is_deleted_when_the_source_left_something_out():
    made = listing(ALL[:-1])
    made.incomplete("page 3 was given up")
    decision = decide(made, on, Policy(), gone)
    assert names(decision) == []
    assert "page 3 was given up" in decision.refused


def test_nothing_is_deleted_after_an_inventory_that_raised():
    def inventory():
        yield from (Listed(i, f"T{i}") for i in ALL[:-1])
        raise OSError("connection reset")

    run = Run(SERVICE, sink=Target())
    made = run.listing("table", SCOPE)
    assert len(list(made.over(inventory()))) == 9
    decision = decide(made, on, Policy(), gone)
    assert names(decision) == []
    assert "connection reset" in decision.refused


def test_nothing_is_deleted_when_an_item_had_no_id():
    run = Run(SERVICE, sink=Target())
    made = run.listing("table", SCOPE)
    list(made.over([*(Listed(i, f"T{i}") for i in ALL[:-1]), Listed("", "T9")]))
    assert names(decide(made, on, Policy(), gone)) == []


def test_an_empty_listing_deletes_nothing_unless_that_is_allowed():
    target = Target(4)
    decision = decide(listing([], target), on, Policy(), gone)
    assert names(decision) == []
    assert "deletion.empty" in decision.hint
    assert len(names(decide(listing([], target), on, Policy(empty=True), gone))) == 4


def test_a_share_above_the_limit_deletes_nothing():
    decision = decide(listing(ALL[:-3]), on, Policy(), gone)
    assert names(decision) == []
    assert "3 of 10" in decision.refused
    assert "deletion.maxPercent to 31" in decision.hint
    assert len(names(decide(listing(ALL[:-3]), on, Policy(max_percent=31), gone))) == 3


def test_the_limit_itself_is_allowed():
    assert len(names(decide(listing(ALL[:-1]), on, Policy(max_percent=10), gone))) == 1


@pytest.mark.parametrize(("standing", "deleted"), [(4, 2), (5, 0)])
def test_the_share_is_not_applied_to_very_small_scopes(standing, deleted):
    decision = decide(listing(ALL[: standing - 2], Target(standing)), on, Policy(), gone)
    assert len(decision.delete) == deleted


def test_the_share_counts_only_what_stands_live():
    target = Target(10, deleted=ALL[:4])
    assert "2 of 6" in decide(listing(ALL[4:8], target), on, Policy(), gone).refused


def test_what_the_source_does_not_confirm_stays():
    decision = decide(listing(ALL[:-2]), on, Policy(), lambda kind, ids: ["9"])
    assert names(decision) == ["T9"]
    assert decision.unconfirmed == 1


def test_a_source_that_can_not_tell_is_believed():
    assert names(decide(listing(ALL[:-1]), on, Policy(), lambda kind, ids: None)) == ["T9"]


def test_what_is_soft_deleted_already_is_not_deleted_again():
    target = Target(10, deleted=["9"])
    assert names(decide(listing(ALL[:-1], target), on, Policy(), gone)) == []


def test_a_filtered_entity_is_seen_and_stays():
    filters = Filters({"table": Pattern("tableFilterPattern", excludes=["T9"])})
    decision = decide(listing(ALL, filters=filters), on, Policy(), gone)
    assert decision.missing == 0


def test_a_filtered_entity_goes_only_where_that_is_asked_for():
    filters = Filters({"table": Pattern("tableFilterPattern", excludes=["T9"])})
    decision = decide(
        listing(ALL, filters=filters), on, Policy(filtered=True), lambda kind, ids: []
    )
    assert names(decision) == ["T9"]


def test_an_entity_without_an_id_is_known_by_its_name():
    target = Target(10, known_ids=False)
    decision = decide(listing(ALL[:-1], target), on, Policy(), lambda kind, ids: None)
    assert names(decision) == ["T9"]


@pytest.mark.parametrize(("known_ids", "deleted"), [(True, ["T9"]), (False, [])])
def test_an_entity_without_an_id_stays_where_rules_give_names(known_ids, deleted):
    """It may be one that was listed, and that a rule gave another name."""
    rules = Renaming("s", {"table": [("old_", "new_")]})
    made = listing(ALL[:-1], Target(10, known_ids=known_ids), renaming=rules)
    decision = decide(made, on, Policy(), lambda kind, ids: None)
    assert names(decision) == deleted
    assert decision.unconfirmed == 1 - len(deleted)


def test_an_entity_without_an_id_stays_where_the_source_could_have_been_asked():
    target = Target(10, known_ids=False)
    decision = decide(listing(ALL[:-1], target), on, Policy(), gone)
    assert names(decision) == []
    assert decision.unconfirmed == 1


def test_what_was_written_though_it_was_not_listed_stays():
    kept = {SCOPE.child("table", "T9")}
    assert decide(listing(ALL[:-1]), on, Policy(), gone, kept).missing == 0


@pytest.mark.parametrize(("tables", "deleted"), [(True, 1), (False, 0)])
def test_a_schema_goes_only_where_its_tables_may_go(tables, deleted):
    scope = Ref("database", ("s", "d"))
    names = [f"S{n}" for n in range(10)]

    class Schemas(Target):
        def existing(self, kind, scope):
            return iter(Existing(scope.child(kind, name), name, name) for name in names)

    run = Run(SERVICE, sink=Schemas())
    made = run.listing("databaseSchema", scope)
    list(made.over(Listed(name, name) for name in names[:-1]))
    decision = decide(made, lambda kind: tables or kind != "table", Policy(), lambda kind, ids: ids)
    assert len(decision.delete) == deleted
    assert tables or "markDeletedTables" in decision.hint


def test_a_listed_id_is_never_deleted_under_an_older_name():
    target = Target(10)
    target.entities.append(Existing(SCOPE.child("table", "Older"), 77, "5", None, False, -1.0))
    assert names(decide(listing(ALL, target), on, Policy(), gone)) == []


def test_a_name_taken_over_by_a_new_id_is_not_deleted():
    run = Run(SERVICE, sink=Target(), gone=gone)
    made = run.listing("table", SCOPE)
    items = [*(Listed(i, f"T{i}") for i in ALL[:-1]), Listed("new", "T9")]
    assert ("T9", "new") in [(ref.name, item.id) for ref, item in made.over(items)]
    assert names(decide(made, on, Policy(), gone)) == []


def test_the_target_is_read_before_the_inventory_begins():
    order = []

    class Watched(Target):
        def existing(self, kind, scope):
            order.append("target")
            return super().existing(kind, scope)

    def inventory():
        order.append("source")
        yield Listed("1", "T1")

    run = Run(SERVICE, sink=Watched())
    list(run.listing("table", SCOPE).over(inventory()))
    run.stands("table", SCOPE)
    assert order == ["target", "source"]


def test_an_incomplete_listing_that_misses_nothing_is_no_refusal():
    made = listing(ALL)
    made.incomplete("page 3 was given up")
    assert decide(made, on, Policy(), gone) == Decision()


def test_an_empty_target_is_no_refusal():
    assert decide(listing(ALL, Target(0)), on, Policy(), gone) == Decision()


def test_only_what_is_missing_by_id_is_asked_for():
    asked = []

    def confirm(kind, ids):
        asked.append(list(ids))
        return ids

    target = Target(10)
    target.entities.append(Existing(SCOPE.child("table", "Older"), 77, None, None, False))
    filters = Filters({"table": Pattern("tableFilterPattern", excludes=["T8"])})
    made = listing(ALL[:-1], target, filters)
    policy = Policy(max_percent=50, filtered=True)
    assert names(decide(made, on, policy, confirm)) == ["T8", "T9"]
    assert asked == [["9"]]


def test_nobody_is_asked_where_nothing_is_missing():
    def confirm(kind, ids):
        raise AssertionError(f"asked for {ids}")

    assert names(decide(listing(ALL), on, Policy(), confirm)) == []


def test_a_name_taken_over_by_what_a_filter_drops_is_deleted_where_that_is_asked_for():
    run_filters = Filters({"table": Pattern("tableFilterPattern", excludes=["T9"])})
    run = Run(SERVICE, sink=Target(), filters=run_filters, gone=gone)
    made = run.listing("table", SCOPE)
    list(made.over([*(Listed(i, f"T{i}") for i in ALL[:-1]), Listed("new", "T9")]))
    assert made.given[-1] == "T9"
    assert names(decide(made, on, Policy(filtered=True), gone)) == ["T9"]
    assert names(decide(made, on, Policy(), gone)) == []


def test_what_is_no_container_goes_whatever_becomes_of_tables():
    scope = Ref("pipelineService", ("s",))
    names = [f"P{n}" for n in range(10)]

    class Pipelines(Target):
        def existing(self, kind, scope):
            return iter(Existing(scope.child(kind, name), name, name) for name in names)

    made = Run(scope, sink=Pipelines()).listing("pipeline", scope)
    list(made.over(Listed(name, name) for name in names[:-1]))
    decision = decide(made, lambda kind: kind == "pipeline", Policy(), lambda kind, ids: ids)
    assert len(decision.delete) == 1
