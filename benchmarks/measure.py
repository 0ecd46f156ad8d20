"""Run a process and say what it cost: processor time, memory and time, children included."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

BYTES_PER_MAXRSS = 1024  # Linux counts ru_maxrss in kilobytes


class Cost(NamedTuple):
    """What one process took: `cpu` is user + system in seconds, `rss` the largest resident set of
    any one of it and its children in MB (10^6 bytes), `wall` seconds from start to end."""

    cpu: float
    rss: float
    wall: float


class Failed(Exception):
    """A measured process that didn't end as it should."""


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    *,
    expected: Iterable[int] = (0,),
) -> Cost:
    """Run `command` in `folder` and wait for it. What it prints goes to `output.txt` there.

    Raises Failed, with the end of what it printed, for any other exit code than `expected`.
    """
    output = folder / "output.txt"
    with output.open("wb") as file:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        # wait4 has taken the process away; Popen must not wait for it again.
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        said = "\n".join(output.read_text("utf-8", "replace").splitlines()[-15:])
        raise Failed(f"{command[0]} ended with exit code {process.returncode}:\n{said}")
    rss = usage.ru_maxrss * BYTES_PER_MAXRSS / 1e6
    return Cost(usage.ru_utime + usage.ru_stime, _above_ours(rss), wall)


def _above_ours(rss: float) -> float:
    """The figure, unless it may be ours: a child's maximum begins with its parent's at the fork.

    Our own comes from this program's memory alone: `ru_maxrss` would begin with that of whoever
    started us, a whole test run for example.
    """
    status = Path("/proc/self/status").read_text("ascii", "replace")
    ours = next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM:"))
    return rss if rss > ours * BYTES_PER_MAXRSS / 1e6 else float("nan")


def least(runs: Iterable[Cost]) -> Cost:
    """The least of each figure: what else the machine does only ever adds."""
    return Cost(*(min(values) for values in zip(*runs, strict=True)))


def repeat(times: int, once: Callable[[], Cost]) -> Cost:
    """The least of so many runs, one after another."""
    return least([once() for _ in range(times)])
