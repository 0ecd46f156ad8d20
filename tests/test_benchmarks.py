"""One tiny benchmark, so that the harness can't rot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent.parent / "benchmarks" / "run.py"

pytest.importorskip("metaglean_domo", reason="the Domo plugin isn't installed")
pytest.importorskip("metaglean_domo_sandbox", reason="the sandbox isn't installed")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("benchmark") / "out.json"
    results = out.with_name("results.md")
    command = [sys.executable, RUN, "scale", "--quick", "--datasets", "20"]
    done = subprocess.run(
        [*command, "--json", out, "--results", results],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text("utf-8")), results.read_text("utf-8")


def test_a_tiny_benchmark_keeps_its_limits(outcome):
    figures = outcome[0]["figures"]
    assert {figure["row"] for figure in figures} == {"scale"}
    assert all(figure["met"] in (True, None) for figure in figures)
    assert [figure["value"] for figure in figures if figure["exact"]] == [0, 0]


def test_it_measures_a_process_that_works(outcome):
    processor = [figure["value"] for figure in outcome[0]["figures"] if figure["unit"] == "CPU-s"]
    assert all(0.1 < seconds < 3.5 for seconds in processor)
    memory = [figure["value"] for figure in outcome[0]["figures"] if figure["unit"] == "MB"]
    assert all(20 < megabytes < 75 for megabytes in memory)


def test_the_results_name_machine_and_figures(outcome):
    assert "- Python: " in outcome[1]
    assert "| scale | 20 × 20, first run: processor |" in outcome[1]
    assert "All limits are kept." in outcome[1]


def test_an_unknown_row_is_refused():
    done = subprocess.run(
        [sys.executable, RUN, "sclae"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "scale" in done.stderr
