"""Install the example plugins from their wheels, whatever stands there of the same version.

python tools/install_examples.py dist
"""

from __future__ import annotations

import subprocess
import sys

from repo import distributions


def main() -> int:
    names = [dist.name for dist in distributions("examples/*")]
    if not names:
        print("there are no example plugins")
        return 0
    pip = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--find-links", sys.argv[1]]
    subprocess.run([*pip, *names], check=True)
    ours = ["metaglean-core", "metaglean-testkit", *names]
    subprocess.run([*pip, "--no-deps", "--no-index", "--force-reinstall", *ours], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
