"""No condition of the deletion firewall is idle: made true or false, it turns its tests red."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parents[1] / "core" / "tests" / "unit" / "test_deletion.py"

#: What can't be seen from outside, and why; a label may stand for several places.
EQUAL = {
    "decide: missing -> True": "of nothing, nothing is confirmed (the second place)",
    "_missing: name is not None -> True": "no entity is called None",
    "_missing: listing.standing.name_of(source_id) != name -> True": "only spares memory",
    "_confirmed: policy.filtered -> True": "what is only filtered was listed, so it is not missing",
}


def test_every_condition_of_the_firewall_is_tested() -> None:
    done = subprocess.run(
        [sys.executable, HERE / "mutants.py", TESTS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    verdicts: dict[str, list[bool]] = json.loads(done.stdout)
    assert len(verdicts) >= 50
    idle = {label for label, red in verdicts.items() if not all(red)}
    assert idle <= EQUAL.keys(), idle - EQUAL.keys()
