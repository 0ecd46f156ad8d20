"""One tiny benchmark, so that the harness can't rot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent.parent / "benchmarks" / "run.py"

pytest.importorskip("metaglean_domo", reason="the Domo plugin isn't installed")
pytest.importorskip("metaglean_domo_sandbox", reason="the sandbox isn't installed")
openmetadata = pytest.importorskip(
    "metaglean_testkit.openmetadata", reason="the test kit isn't installed"
)


def figures_of(out, *words, **environment):
    """What a run of the benchmark measured; it must keep its limits."""
    command = [sys.executable, RUN, *words, "--quick", "--json", out]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=100,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text("utf-8"))["figures"]


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


def test_a_tiny_benchmark_of_the_server_sink_keeps_its_limits(tmp_path):
    found = figures_of(tmp_path / "out.json", "server", "server-requests", "--datasets", "20")
    measured = {figure["what"]: figure["value"] for figure in found}
    # A run without a write, and one with: what counts them is looking.
    assert measured["20 datasets into a 2.0.0 server, first run: requests"] > 10
    assert measured["20 datasets into a 1.2.0 server, first run: requests"] > 20
    assert all(value == 0 for what, value in measured.items() if "writes" in what)
    assert all(f["baseline"]["of"] == "catalog" for f in found if f["unit"] == "CPU-s")


def test_the_row_of_the_real_server_works_with_any(tmp_path):
    with openmetadata.FakeServer("1.2.0", keep_bodies=False) as server:
        found = figures_of(
            tmp_path / "out.json", "real", "--datasets", "100",
            METAGLEAN_TEST_SERVER=server.url,
            METAGLEAN_TEST_SERVER_TOKEN="BOT", BOT=server.token,
            METAGLEAN_TEST_SERVER_ADMIN_TOKEN="ADMIN", ADMIN=server.admin_token,
        )  # fmt: skip
        left = server.call("GET", "/tables?limit=1000&include=all")["data"]
    assert left == []
    assert {f["value"] for f in found if f["exact"]} == {0}
    requests = {f["what"].partition(": ")[0]: f["value"] for f in found if "requests" in f["what"]}
    plain, edited = (
        next(n for what, n in requests.items() if f"{many} edited" in what) for many in (0, 2)
    )
    assert plain < edited  # the edits were made, and seen


def test_an_unknown_row_is_refused():
    done = subprocess.run(
        [sys.executable, RUN, "sclae"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert "scale" in done.stderr
