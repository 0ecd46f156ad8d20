from __future__ import annotations

import pytest

from metaglean import AccessDenied, ItemError, NotFound, Ref, RemoteError, Run
from metaglean_domo.enrich import DETAILS, FAILURES_IN_A_ROW, VIEW_SQL, InstancePlane


@pytest.fixture
def run():
    return Run(Ref("databaseService", ("domo",)))


def raising(error):
    def call(_):
        raise error

    return call


def warnings(run):
    return [(group.message, group.count) for group in run.report.warnings]


@pytest.mark.parametrize("error", [AccessDenied("no", status=403), NotFound("no", status=404)])
def test_a_refusal_switches_its_feature_off_with_one_warning(run, error):
    plane = InstancePlane(run, object())
    for _ in range(3):
        assert plane.ask(DETAILS, raising(error), "x") is None
    assert not plane.has(DETAILS)
    assert plane.ask(VIEW_SQL, lambda _: "SELECT 1", "x") == "SELECT 1"
    assert len(warnings(run)) == 1
    assert list(run.report.features_off) == [DETAILS]
    assert not list(run.report.problems)


def test_one_table_that_is_refused_after_others_were_not_is_alone(run):
    plane = InstancePlane(run, object())
    plane.ask(VIEW_SQL, lambda _: "SELECT 1", "a")
    plane.ask(VIEW_SQL, raising(AccessDenied("no")), "b")
    assert plane.has(VIEW_SQL)
    assert not run.report.features_off


def test_a_plane_that_is_away_is_off_as_a_whole(run):
    plane = InstancePlane(run, object())
    for feature in (DETAILS, VIEW_SQL):
        assert plane.ask(feature, raising(RemoteError("away")), "x") is None
        assert not plane.has(feature)
    assert len(warnings(run)) == 1


def test_other_failures_are_problems_until_it_is_enough(run):
    plane = InstancePlane(run, object())
    for _ in range(FAILURES_IN_A_ROW - 1):
        plane.ask(DETAILS, raising(ItemError("500", status=500)), "x")
    plane.ask(DETAILS, lambda _: [], "x")
    assert plane.has(DETAILS)
    for _ in range(FAILURES_IN_A_ROW):
        plane.ask(DETAILS, raising(ItemError("500", status=500)), "x")
    assert not plane.has(DETAILS)
    (problem,) = run.report.problems
    assert problem.count == 2 * FAILURES_IN_A_ROW - 1


def test_without_credentials_nothing_is_asked(run):
    plane = InstancePlane(run, None)
    assert plane.ask(DETAILS, raising(AssertionError("asked")), "x") is None
    assert not warnings(run)
