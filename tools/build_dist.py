"""Build the wheelhouse: a wheel of each distribution, the two aliases included.

    python tools/build_dist.py dist

Wheels of other projects are not in it: `pip install --find-links dist ...` takes those from the
package index.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from repo import GLOBS, distributions


def main() -> int:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    shutil.rmtree(target, ignore_errors=True)
    folders = [str(dist.folder) for dist in distributions(*GLOBS, "examples/*")]
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(target)]
    subprocess.run([*command, *options, *folders], check=True)
    for wheel in sorted(target.glob("*.whl")):
        print(wheel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
