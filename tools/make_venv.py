"""Make the development environment: everything editable, with what tests and checks need.

python3 tools/make_venv.py FOLDER        (standard library only; used by the Makefile)
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from repo import GLOBS, ROOT, distributions

QUIETLY = ("--quiet", "--disable-pip-version-check")
GROUPS = ("build", "check", "test", "observability", "browser")


def main() -> int:
    folder = Path(sys.argv[1])
    print(f"making {folder} with Python {sys.version.split()[0]}", flush=True)
    venv.create(folder, with_pip=True, clear=not _made_by_this_python(folder))
    pip = [str(folder / "bin" / "python"), "-m", "pip", *QUIETLY, "install"]
    needs = [part for name in GROUPS for part in ("-r", _requirements(name))]
    subprocess.run([*pip, *needs], check=True)
    ours = [str(d.folder) for d in distributions(*GLOBS, "examples/*") if not d.alias]
    editable = [part for path in ours for part in ("--editable", path)]
    # Without build isolation: hatchling stands in the environment, and one is enough.
    subprocess.run([*pip, "--no-build-isolation", *editable], check=True)
    return 0


def _made_by_this_python(folder: Path) -> bool:
    """Whether the environment stands and can be brought up to date instead of made anew."""
    found = folder / "pyvenv.cfg"
    return found.is_file() and f"version = {sys.version.split()[0]}\n" in found.read_text("utf-8")


def _requirements(name: str) -> str:
    return str(ROOT / "tools" / "requirements" / f"{name}.txt")


if __name__ == "__main__":
    sys.exit(main())
