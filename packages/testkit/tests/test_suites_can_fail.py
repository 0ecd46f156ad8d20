"""A suite that can't fail is worth nothing: each broken component must fail the rule it breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

BROKEN = Path(__file__).parent / "broken"

SOURCES = {
    "TestChildrenFirst": "test_parents_come_first",
    "TestYieldsToken": "test_secrets_are_unseen",
    "TestLogsToken": "test_secrets_are_unseen",
    "TestRaisesToken": "test_secrets_are_unseen_in_errors",
    "TestIgnoresCredentials": "test_wrong_credentials_are_noticed",
    "TestFailsConnection": "test_connection_test_passes_quickly",
    "TestMumbles": "test_assumptions_are_sentences",
    "TestClock": "test_two_readings_are_equal",
    "TestNoListing": "test_inventories_are_listed",
    "TestHidesFiltered": "test_filters_hide_nothing",
    "TestCutsAtLimit": "test_limit_leaves_nothing_out_unsaid",
    "TestEager": "test_breaking_out_is_incomplete",
    "TestSetsUnreadOwners": "test_unread_fields_are_unset",
    "TestPromisesOwners": "test_unread_fields_are_unset",
    "TestPromisesTags": "test_unread_fields_are_unset",
    "TestUndeclaredLineage": "test_unread_fields_are_unset",
    "TestTwice": "test_no_ref_twice",
    "TestNoIds": "test_source_ids_are_set_and_unique",
    "TestOwnNames": "test_names_do_not_depend_on_order",
    "TestForeignRefs": "test_refs_are_below_the_service",
    "TestBlankTexts": "test_texts_are_not_blank",
    "TestNotJson": "test_records_survive_json",
    "TestHog": "test_memory_is_bounded",
    "TestEverythingIsGone": "test_confirms_only_what_is_gone",
    "TestTakesEveryKindForTables": "test_confirms_only_what_is_gone",
    "TestNothingToDelete": "test_deletion_is_possible_if_declared",
    "TestFailsItems": "test_reads_something",
    "TestPlainSecret": "test_secrets_are_secret",
    "TestUndescribed": "test_every_setting_is_described",
    "TestLax": "test_unknown_keys_are_errors",
    "TestShouts": "test_type_is_a_plain_word",
}
OTHERS = {
    "TestRenames": "test_refs_are_kept",
    "TestReorders": "test_refs_are_kept",
    "TestGreedy": "test_is_lazy",
    "TestMutates": "test_input_is_not_changed",
    "TestDropsUnknown": "test_unknown_kinds_pass",
    "TestRandom": "test_is_deterministic",
    "TestGoesOnAfterClose": "test_closes_at_once",
    "TestInvalid": "test_records_survive_json",
    "TestLeavesRecords": "test_every_record_is_pulled",
    "TestTwoChanges": "test_one_change_a_record",
    "TestForgetsUnread": "test_unread_fields_stay",
    "TestTakesPartForAll": "test_unread_labels_stay",
    "TestClearsTexts": "test_empty_values_clear_no_text",
    "TestDeletesMore": "test_delete_marks_only_what_is_given",
    "TestStaysDeleted": "test_deleted_ones_come_back",
    "TestDryRunWrites": "test_dry_run_writes_nothing",
    "TestWritesSecret": "test_secrets_are_unseen",
    "TestMixesScopes": "test_existing_tells_what_was_written",
    "TestQuotesNames": "test_existing_tells_what_was_written",
    "TestSaysNothing": "test_second_run_changes_nothing",
    "TestNotANumber": "test_numbers_are_finite",
    "TestStrangeColumns": "test_profile_belongs_to_the_table",
    "TestWallClock": "test_time_is_the_runs",
    "TestNeedsColumns": "test_odd_tables_do_not_fail",
    "TestOtherType": "test_type_is_the_sources",
    "TestSaysTheToken": "test_secrets_are_unseen",
    "TestFailsAtChanges": "test_a_run_is_the_same_with_it",
    "TestExpectsSuccess": "test_runs_end_in_many_ways[away]",
    "TestKnowsAllPhases": "test_what_is_new_is_taken",
    "TestNeedsPhases": "test_a_run_may_end_before_it_began",
    "TestPrints": "test_it_prints_nothing",
    "TestLogsItsKey": "test_secrets_are_unseen",
    "TestHidesThatItFails": "test_a_far_side_that_is_away_costs_a_warning",
}
FAULTY = {
    "TestSwallowsPages": "test_fault_costs_nothing_that_stands[500]",
    "TestEmptiesColumns": "test_fault_costs_nothing_that_stands[404]",
    "TestStopsAtOneFailure": "test_fault_costs_nothing_that_stands[500]",
    "TestLogsTheTokenOnFailure": "test_fault_costs_nothing_that_stands[cut-json]",
    "TestIgnoresDuplicatePages": "test_fault_costs_nothing_that_stands[duplicate-page]",
    "TestNeverDeletes": "test_what_is_gone_is_deleted",
    "TestHidesThatItIsAway": "test_system_away",
    "TestNeedsTheOptional": "test_system_away",
    "TestEmptiesWithoutTheOptional": "test_system_away",
    "TestSaysNothingOfTheOptional": "test_system_away",
}
GOOD = {
    "TestGood",
    "TestGoodOptional",
    "TestGoodProcessor",
    "TestGoodSink",
    "TestGoodProfiler",
    "TestGoodObserver",
}


def run(directory: Path, module: str, expected: dict[str, str]) -> dict[str, dict[str, bool]]:
    """Class → test → whether it passed, of one module run by a pytest of its own: the tests that
    are expected to fail, and all of the good components'."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    report = directory / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no"]
    # Nothing here is installed, so there are no entry points to find.
    command += ["-c", "pytest.ini", f"--junitxml={report}", "-k", "not entry_point"]
    tests = [f"{name}::{test}" for name, test in expected.items()]
    tests += [name for name in GOOD if f"class {name}(" in (BROKEN / module).read_text()]
    command += [f"{BROKEN / module}::{test}" for test in tests]
    subprocess.run(command, cwd=directory, check=False)
    results: dict[str, dict[str, bool]] = {}
    for case in ET.parse(report).iter("testcase"):
        name = case.attrib["classname"].rpartition(".")[2]
        failed = case.find("failure") is not None or case.find("error") is not None
        results.setdefault(name, {})[case.attrib["name"]] = not failed
    return results


@pytest.mark.parametrize(
    ("module", "expected"),
    [("sources.py", SOURCES), ("others.py", OTHERS), ("faulty.py", FAULTY)],
    ids=["sources", "others", "faults"],
)
def test_broken_components_fail(module, expected, tmp_path):
    results = run(tmp_path, module, expected)
    assert results.keys() == expected.keys() | (GOOD & results.keys())
    unnoticed = [f"{name} passes {test}" for name, test in expected.items() if results[name][test]]
    assert not unnoticed, "\n".join(unnoticed)
    unfair = [
        f"{name} fails {test}"
        for name in GOOD & results.keys()
        for test, passed in results[name].items()
        if not passed
    ]
    assert not unfair, "\n".join(unfair)
