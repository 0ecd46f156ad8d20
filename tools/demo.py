"""`make demo`: read a Domo that runs on this machine into a catalog file, and show what arrived.

Standard library only. Makes the environment .venv-demo, installs core, the Domo plugin and the
sandbox from this checkout, and leaves the catalog in .demo/ to look at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv-demo"
FOLDER = ROOT / ".demo"
PARTS = ("core", "plugins/domo", "packages/domo-sandbox")
WORKFLOW = "examples/domo-database.yaml"
SHOWN = ("domo.default.default.orders", "domo.default.default.v_revenue_by_region")
VARIABLES = {
    "DOMO_API_HOST": "public_url",
    "DOMO_INSTANCE_DOMAIN": "instance_url",
    "DOMO_CLIENT_ID": "client_id",
    "DOMO_SECRET_TOKEN": "client_secret",
    "DOMO_ACCESS_TOKEN": "access_token",
}
QUIETLY = ("--quiet", "--disable-pip-version-check")
START_SECONDS = 30


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def install() -> None:
    say(f"Install {', '.join(PARTS)} into {HOME.name}")
    if not (HOME / "bin" / "pip").exists():
        venv.create(HOME, with_pip=True, clear=True)
    pip = [str(HOME / "bin" / "python"), "-m", "pip", *QUIETLY, "install"]
    # One hatchling for the three, instead of a build environment for each.
    subprocess.run([*pip, "hatchling>=1.26"], check=True)
    subprocess.run(
        [*pip, "--no-build-isolation", *(str(ROOT / part) for part in PARTS)], check=True
    )


@contextmanager
def sandbox() -> Iterator[dict[str, str]]:
    """The sandbox on free ports of loopback; gives the environment that the workflow names."""
    ready = FOLDER / "sandbox.json"
    process = subprocess.Popen(
        [HOME / "bin" / "metaglean-domo-sandbox", "--ready-file", ready], stdout=subprocess.DEVNULL
    )
    try:
        facts = _wait_for(ready, process)
        print(f"{facts['datasets']} datasets at {facts['public_url']}, {facts['instance_url']}")
        yield {name: str(facts[key]) for name, key in VARIABLES.items()}
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> dict[str, object]:
    due = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > due:
            sys.exit("the sandbox did not start")
        time.sleep(0.05)
    return dict(json.loads(ready.read_text("utf-8")))


def metaglean(*arguments: str, environment: dict[str, str]) -> None:
    """Run the command line as a user would, the command shown first."""
    say(f"metaglean {' '.join(arguments)}")
    command = [str(HOME / "bin" / "metaglean"), *arguments]
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    if code:
        sys.exit(f"metaglean {arguments[0]} ended with exit code {code}")


def main() -> int:
    began = time.monotonic()
    catalog = FOLDER / "catalog.db"
    FOLDER.mkdir(exist_ok=True)
    for left in FOLDER.iterdir():
        left.unlink()
    install()
    say("Start the Domo sandbox on loopback")
    with sandbox() as variables:
        environment = {**os.environ, **variables, "METAGLEAN_CATALOG": str(catalog)}
        environment.pop("PYTHONPATH", None)
        metaglean("check", "-c", WORKFLOW, environment=environment)
        metaglean("test-connection", "-c", WORKFLOW, environment=environment)
        metaglean("ingest", "-c", WORKFLOW, environment=environment)
        metaglean("catalog", "ls", environment=environment)
        for name in SHOWN:
            metaglean("catalog", "show", name, environment=environment)
        say("Once more: nothing has changed at the source, so nothing is written")
        metaglean("ingest", "-c", WORKFLOW, environment=environment)
    say(f"Done in {time.monotonic() - began:.0f} s; the catalog is {catalog.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
