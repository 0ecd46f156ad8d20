"""Install core and the Domo plugin as a user does, and look at what that costs.

In a new environment: how many distributions and megabytes arrive, and whether a file belongs to two
of them. Then, without installing: whether the result can stand beside each Airflow version set of
tools/constraints/airflow-*.txt without moving one of its packages.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from pathlib import Path

from repo import ROOT, load

ASKED = ("core", "plugins/domo")
NAMES = ("metaglean-core", "metaglean-plugin-domo")
SEEDED = {"pip", "setuptools", "wheel"}
LISTING = """
import json, sys
from importlib.metadata import distributions
print(json.dumps({
    d.metadata["Name"]: [(str(f), str(d.locate_file(f))) for f in d.files or ()]
    for d in distributions(path=[p for p in sys.path if p.endswith("site-packages")])
}))
"""


def run(*command: str | Path) -> str:
    """Run a command and return what it printed; its own words end the check if it fails."""
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def installed(python: Path) -> dict[str, list[Path]]:
    """Distribution → its files, in the environment of `python`, installers left out."""
    listed = json.loads(run(python, "-I", "-c", LISTING))
    return {
        name: [Path(path).resolve() for _, path in files]
        for name, files in listed.items()
        if normal(name) not in SEEDED
    }


def normal(name: str) -> str:
    """A distribution's name in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_environment(python: Path) -> list[str]:
    """Problems of the installed environment; prints its figures."""
    limits = load(ROOT / "tools" / "budgets.toml")["install"]
    files = installed(python)
    owners: dict[Path, set[str]] = defaultdict(set)
    for name, paths in files.items():
        for path in paths:
            if "__pycache__" not in path.parts:
                owners[path].add(name)
    size = sum(path.stat().st_size for path in owners if path.is_file()) / 1e6
    print(f"pip install ./core ./plugins/domo: {len(files)} distributions, {size:.1f} MB")
    shared = {path: sorted(names) for path, names in owners.items() if len(names) > 1}
    found = [f"{path} belongs to {names}" for path, names in shared.items()]
    if len(files) > limits["distributions"]:
        found.append(f"{len(files)} distributions, allowed are {limits['distributions']}")
    if size > limits["megabytes"]:
        found.append(f"{size:.1f} MB, allowed are {limits['megabytes']}")
    return found


def check_constraints(python: Path, wheels: Path, lock: Path) -> list[str]:
    """Problems of standing beside the packages of one version set."""
    pins = {
        normal(line.partition("==")[0]): line.partition("==")[2].strip()
        for line in lock.read_text("utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    }
    report = wheels / f"{lock.stem}.json"
    run(
        python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
        "--find-links", wheels, "--constraint", lock, "--report", report, *NAMES,
    )  # fmt: skip
    chosen = {
        normal(item["metadata"]["name"]): item["metadata"]["version"]
        for item in json.loads(report.read_text("utf-8"))["install"]
    }
    moved = [
        f"{lock.stem}: moves {name} from {pins[name]} to {version}"
        for name, version in chosen.items()
        if name in pins and pins[name] != version
    ]
    added = sorted(set(chosen) - set(pins) - set(NAMES))
    print(f"{lock.stem}: resolves, moves {len(moved)}, adds {', '.join(added) or 'nothing'}")
    return moved


def main() -> int:
    locks = sorted((ROOT / "tools" / "constraints").glob("airflow-*.txt"))
    with tempfile.TemporaryDirectory() as folder:
        home, wheels = Path(folder) / "venv", Path(folder) / "wheels"
        venv.create(home, with_pip=True)
        python = home / "bin" / "python"
        asked = [ROOT / path for path in ASKED]
        run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, *asked)
        run(python, "-m", "pip", "install", "--quiet", *asked)
        found = check_environment(python)
        for lock in locks:
            found += check_constraints(python, wheels, lock)
    print("\n".join(found) or "installation: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
