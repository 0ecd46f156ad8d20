"""`python -m benchmarks`: everything, as `make bench` does it."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    sys.path.insert(0, str(folder))
    sys.argv = [str(folder / "run.py"), *(sys.argv[1:] or ["--all"])]
    runpy.run_path(sys.argv[0], run_name="__main__")
