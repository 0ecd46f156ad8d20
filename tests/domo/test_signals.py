"""The command line in a process of its own: ended by signals, killed, started twice at once, on a
disk that is full. What stands afterwards is whole, and the next run makes it complete."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metaglean_domo_sandbox import Sandbox, Tenant

DATASETS = 320
PATIENCE = 60.0
#: A limit in bytes for every file, set before anything is imported.
SMALL_DISK = (
    "import resource, sys; limit = int(sys.argv.pop(1));"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit));"
    "from metaglean.cli import main; sys.exit(main())"
)


@pytest.fixture(scope="module")
def big(tmp_path_factory: Any, world_class: Any) -> Iterator[Any]:
    """A tenant of some hundred datasets and the catalog of a good run; then it changes."""
    tenant = Tenant.scale(DATASETS, 12, views=0.1)
    with Sandbox(tenant) as sandbox:
        world = world_class(sandbox, tmp_path_factory.mktemp("big") / "before.db")
        world.good_run()
        ids = [dataset.id for dataset in tenant.live()]
        for number, dataset in enumerate(ids):
            if number % 2:
                tenant.set_description(dataset, f"Changed, number {number}. " * 20)
        tenant.rename(ids[3], "another name")
        tenant.delete(ids[-1])
        tenant.delete(ids[0], how="mark")
        world.changed = tenant.copy()
        yield world


@pytest.fixture
def start(big: Any, calm: Any, tmp_path: Path, world_class: Any) -> Any:
    """A world with the catalog as it stood before the change, and a workflow file."""
    calm(big.sandbox)
    big.sandbox.tenant.restore_from(big.changed)
    world = world_class(big.sandbox, tmp_path / "catalog.db")
    shutil.copy(big.catalog, world.catalog)
    world.before = world.state()
    world.file = tmp_path / "workflow.yaml"
    # JSON is YAML. Few workers, so that the middle of a run is long enough to be met.
    world.file.write_text(json.dumps(world.config({"threads": 2})), "utf-8")
    return world


@pytest.fixture
def undisturbed(big: Any, calm: Any, tmp_path: Path, world_class: Any) -> Any:
    """What a run that nothing disturbs leaves."""
    calm(big.sandbox)
    big.sandbox.tenant.restore_from(big.changed)
    world = world_class(big.sandbox, tmp_path / "undisturbed.db")
    shutil.copy(big.catalog, world.catalog)
    assert world.good_run().number("deleted") == 2
    return world.state()


def ingest(world: Any, *options: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """`metaglean ingest` of the world's workflow, on its own."""
    command = before or ("-m", "metaglean")
    return subprocess.Popen(
        [sys.executable, *command, "ingest", "-c", str(world.file), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """(exit code, what it printed, its errors)."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    due = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"it has ended before: {process.communicate()}"
        assert time.monotonic() < due, "it never came so far"
        time.sleep(0.002)


def in_the_middle(world: Any) -> subprocess.Popen[str]:
    """A run that has written some of its changes, but not all."""
    world.sandbox.stats.reset()
    world.sandbox.settings.latency_ms = 8
    process = ingest(world)
    wait_for(lambda: world.sandbox.stats.routes["dataset"] >= DATASETS * 3 // 4, process)
    return process


def check_whole(world: Any, after: dict[Any, Any]) -> int:
    """Every entity is as before or as it should be; returns how many have changed."""
    state = world.state()
    assert state.keys() >= world.before.keys()
    assert state.keys() <= after.keys()
    for key, entity in state.items():
        assert entity in (world.before.get(key), after[key]), key
        assert not entity.deleted
    return sum(1 for key, entity in state.items() if entity != world.before.get(key))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_in_order(
    start: Any, undisturbed: Any, number: signal.Signals, code: int
) -> None:
    process = in_the_middle(start)
    process.send_signal(number)
    returned, out, err = ended(process)
    assert returned == code, out + err
    assert re.search(r"^\s+table\s+320 listed", out, re.MULTILINE) or re.search(
        r"^\s+table\s+\d+ listed.* updated", out, re.MULTILINE
    ), out
    assert "Traceback" not in out + err
    assert check_whole(start, undisturbed), "what was in flight is written"
    start.sandbox.settings.latency_ms = 0
    returned, out, err = ended(ingest(start))
    assert returned == 0, out + err
    assert start.state() == undisturbed


def test_a_killed_run_leaves_a_whole_catalog(start: Any, undisturbed: Any) -> None:
    process = in_the_middle(start)
    process.kill()
    assert ended(process)[0] == -signal.SIGKILL
    changed = check_whole(start, undisturbed)
    assert changed < sum(1 for key, entity in undisturbed.items() if entity != start.before[key])
    start.sandbox.settings.latency_ms = 0
    returned, out, err = ended(ingest(start))
    assert returned == 0, out + err
    assert start.state() == undisturbed
    returned, out, _ = ended(ingest(start))
    assert returned == 0
    assert "updated" not in out
    assert "deleted" not in out


@pytest.mark.parametrize("fresh", [False, True], ids=["second run", "first run"])
def test_two_runs_at_once_both_end_well(start: Any, undisturbed: Any, fresh: bool) -> None:
    expected = undisturbed
    if fresh:
        start.catalog.unlink()
        expected = {key: entity for key, entity in undisturbed.items() if not entity.deleted}
    start.sandbox.settings.latency_ms = 2
    results = [ended(process) for process in [ingest(start), ingest(start)]]
    assert [code for code, _, _ in results] == [0, 0], results
    state = start.state()
    if fresh:
        # The display name of what was renamed before its first run is its name.
        assert {e.source_id for e in state.values()} == {e.source_id for e in expected.values()}
        assert not any(entity.deleted for entity in state.values())
    else:
        assert state == expected


@pytest.mark.parametrize("room", [0, 40_000])
def test_a_full_disk_is_one_clear_message(start: Any, undisturbed: Any, room: int) -> None:
    limit = start.catalog.stat().st_size + room
    process = ingest(start, "--quiet", before=("-c", SMALL_DISK, str(limit)))
    code, out, err = ended(process)
    assert code == 1, out + err
    lines = (out + err).strip().splitlines()
    assert 1 <= len(lines) <= 6, out + err
    assert "can't be written" in err
    assert str(start.catalog) in err
    assert "Make room" in err
    check_whole(start, undisturbed)
    returned, out, err = ended(ingest(start))
    assert returned == 0, out + err
    assert start.state() == undisturbed


def test_no_room_for_a_first_run(start: Any) -> None:
    start.catalog.unlink()
    process = ingest(start, "--quiet", before=("-c", SMALL_DISK, "20000"))
    code, out, err = ended(process)
    assert code == 1, out + err
    assert len((out + err).strip().splitlines()) <= 6, out + err
    assert "can't be written" in err
    returned, out, err = ended(ingest(start))
    assert returned == 0, out + err
    assert len(start.tables()) == DATASETS - 2
