"""The run isolates what fails, bounds what it keeps, and lets through what must end it."""

from __future__ import annotations

import threading

import pytest

from metaglean.components import Sink
from metaglean.errors import (
    AccessDenied,
    ConfigError,
    Interrupted,
    NotFound,
    RemoteError,
    RunError,
)
from metaglean.filters import Filters, Pattern
from metaglean.names import Listed
from metaglean.records import Ref, Schema, Table, Tag
from metaglean.run import LOOK_AHEAD, Run
from metaglean.standing import Existing

SERVICE = Ref("databaseService", ("s",))
SCOPE = Ref("databaseSchema", ("s", "d", "x"))


def new_run(**options) -> Run:
    return Run(SERVICE, **options)


class Nothing(Sink):
    """A sink with nothing in it."""

    def write(self, records, run):
        return iter(())


class AirflowTaskTimeout(Exception):
    """As Airflow 2.4 to 2.7 have it: an ordinary exception of the host."""


AirflowTaskTimeout.__module__ = "airflow.exceptions"


def test_a_failing_item_is_one_problem():
    run = new_run()
    with run.item("Orders"):
        raise ValueError("bad")
    (group,) = run.report.problems
    assert (group.items, group.message, group.stage) == (["Orders"], "ValueError: bad", "source")
    assert run.report.failed_items == {"source": 1}


def test_what_is_gone_meanwhile_is_no_failure():
    run = new_run()
    with run.item("Orders"):
        raise NotFound("404")
    assert not run.report.problems.count
    assert run.report.warnings.count == 1


@pytest.mark.parametrize(
    "error",
    [RemoteError("away"), ConfigError("x"), RunError("x"), KeyboardInterrupt(), SystemExit(1),
     Interrupted(15), AirflowTaskTimeout("timeout")],
)  # fmt: skip
def test_what_must_end_the_run_passes_through(error):
    run = new_run()
    with pytest.raises(type(error)), run.item("Orders"):
        raise error
    with pytest.raises(type(error)):
        list(run.map(_raise, [error]))


def _raise(error):
    raise error


def test_alike_problems_are_grouped_and_bounded():
    run = new_run()
    for number in range(1000):
        run.problem(f"table {number} has no columns", f"T{number}")
    (group,) = run.report.problems
    assert group.count == 1000
    assert len(group.items) == 10
    for number in range(1000):
        run.problem("x" * number, "T")
    assert len(list(run.report.problems)) <= 201


def test_map_keeps_the_order_and_isolates_failures():
    run = new_run(workers=4)

    def work(number):
        if number % 10 == 3:
            raise AccessDenied(f"no access to {number}")
        return number * 2

    assert list(run.map(work, range(50))) == [n * 2 for n in range(50) if n % 10 != 3]
    assert run.report.problems.count == 5


def test_map_looks_ahead_a_bounded_number_of_items():
    run = new_run(workers=2)
    pulled = 0
    gate = threading.Event()

    def items():
        nonlocal pulled
        while True:
            pulled += 1
            yield pulled

    def work(number):
        gate.wait(5)
        return number

    results = run.map(work, items())
    threading.Timer(0.1, gate.set).start()
    assert next(results) == 1
    assert pulled <= LOOK_AHEAD * 2 + 1
    results.close()


def test_views_of_other_stages_share_everything_but_the_stage():
    run = new_run()
    sink = run.at("sink")
    with sink.item("Orders"):
        raise ValueError("x")
    assert run.report.failed_items == {"sink": 1}
    sink.stop(15)
    assert run.stopping
    assert run.signal == 15


def test_a_listing_is_complete_only_at_its_own_end():
    run = new_run()
    listing = run.listing("table", SCOPE)
    stream = listing.over(Listed(str(n), f"T{n}") for n in range(5))
    for _ in range(5):
        next(stream)
        assert not listing.complete
    assert next(stream, None) is None
    assert listing.complete


def test_a_listing_sees_an_id_once():
    run = new_run()
    listing = run.listing("table", SCOPE)
    assert len(list(listing.over([Listed("1", "A"), Listed("1", "A"), Listed("2", "B")]))) == 2
    assert listing.complete


def test_a_pattern_that_keeps_nothing_is_one_warning():
    filters = Filters({"table": Pattern("tableFilterPattern", includes=["x"])})
    run = new_run(filters=filters)
    assert list(run.listing("table", SCOPE).over([Listed("1", "A"), Listed("2", "B")])) == []
    (warning,) = run.report.warnings
    assert "tableFilterPattern keeps none of 2" in warning.message
    assert run.report.number("source", "table", "filtered") == 2


@pytest.mark.parametrize(("use_fqn", "kept"), [(False, ["Orders"]), (True, [])])
def test_patterns_match_the_name_or_the_qualified_name(use_fqn, kept):
    filters = Filters({"table": Pattern("t", includes=["ord"])}, use_fqn)
    run = new_run(filters=filters)
    items = [Listed("1", "Orders"), Listed("2", "Bookings of orders")]
    assert [ref.name for ref, _ in run.listing("table", SCOPE).over(items)] == kept


def test_excludes_win_over_includes():
    pattern = Pattern("t", includes=["a"], excludes=["ab"])
    assert [name for name in ("a", "AB", "b", "abc") if pattern.keeps(name)] == ["a"]


def test_a_target_without_ids_is_known_again_by_its_urls():
    class Server(Nothing):
        def existing(self, kind, scope):
            yield Existing(scope.child(kind, "Old name"), 1, source_url="https://x/sets/42/show")

    run = new_run(sink=Server(None), id_in_url=lambda url: url.split("/")[4])
    listing = run.listing("table", SCOPE)
    assert [ref.name for ref, _ in listing.over([Listed("42", "New name")])] == ["Old name"]


def test_a_reading_of_the_target_that_fails_ends_the_run():
    class Broken(Nothing):
        def existing(self, kind, scope):
            raise OSError("disk")

    run = new_run(sink=Broken(None))
    with pytest.raises(RunError, match="could not read what stands"):
        run.listing("table", SCOPE)


def test_what_is_gone_counts_as_failed_so_that_a_wrong_path_is_noticed():
    run = new_run()
    run.count("table", "read")
    for number in range(9):
        run.failed(f"T{number}", NotFound("404"))
    assert run.report.success_percent("source") == 10.0


def test_what_is_not_found_while_writing_is_a_problem():
    run = new_run().at("sink")
    run.failed("T", NotFound("404"))
    assert run.report.problems.count == 1


def test_a_scope_is_listed_once():
    run = new_run()
    listing = run.listing("table", SCOPE)
    list(listing.over([]))
    with pytest.raises(RunError, match="twice"):
        run.listing("table", SCOPE)
    with pytest.raises(RunError, match="twice"):
        list(listing.over([]))
    run.listing("pipeline", SCOPE)


def test_a_scope_outside_the_service_is_refused():
    with pytest.raises(RunError, match="not in the service"):
        new_run().listing("table", Ref("databaseSchema", ("other", "d", "x")))


def test_listings_are_made_on_the_thread_of_the_run():
    run = new_run()
    with pytest.raises(RunError, match="own thread"):
        list(run.map(lambda _: run.listing("table", SCOPE), [1]))


def test_records_get_the_id_they_were_listed_under():
    run = new_run()
    refs = [
        ref for ref, _ in run.listing("table", SCOPE).over([Listed("1", "A"), Listed("2", "B")])
    ]
    assert run.arrived(Table(ref=refs[0])).source_id == "1"
    assert run.arrived(Table(ref=refs[1], source_id="other")).source_id == "2"
    assert run.report.problems.count == 1
    unlisted = Table(ref=SCOPE.child("table", "C"))
    assert run.arrived(unlisted) is unlisted
    assert run.unlisted == {unlisted.ref}


def test_records_of_another_service_are_left_out():
    run = new_run()
    foreign = Ref("databaseSchema", ("other", "d", "x"))
    assert run.arrived(Schema(ref=foreign)) is None
    assert run.arrived(Tag(ref=Ref("tag", ("a", "b")))) is not None
    assert run.report.failed_items == {"source": 1}


def test_map_gives_what_was_submitted_before_its_items_failed():
    def items():
        yield from range(5)
        raise ValueError("page 2")

    run = new_run(workers=2)
    results = []
    with pytest.raises(ValueError, match="page 2"):
        results.extend(run.map(lambda number: number, items()))
    assert results == list(range(5))


def test_stopping_ends_inventories_and_maps():
    run = new_run()

    def endless():
        number = 0
        while True:
            number += 1
            if number == 5:
                run.stop()
            yield Listed(str(number), f"T{number}")

    listing = run.listing("table", SCOPE)
    list(listing.over(endless()))
    assert listing.failures
    assert list(run.map(lambda item: item, [1, 2])) == []


def test_sessions_are_kept_apart_by_stage_and_address():
    run = new_run()
    one = run.session("Api", "https://a.test")
    assert run.session("Api", "https://a.test") is one
    assert run.session("Api", "https://b.test") is not one
    assert run.at("sink").session("Api", "https://a.test") is not one
    run.close()


def test_names_that_are_filtered_out_are_no_warnings():
    filters = Filters({"table": Pattern("t", includes=["sales$"])})
    run = new_run(filters=filters)
    items = [Listed("1" * 9, "x" * 300), Listed("2" * 9, "sales"), Listed("3" * 9, "sales")]
    assert len(list(run.listing("table", SCOPE).over(items))) == 2
    (warning,) = run.report.warnings
    assert "sales_33333333" in warning.message
