"""`python -m metaglean` is the same as `metaglean`."""

from __future__ import annotations

import sys

from metaglean.cli import main

if __name__ == "__main__":
    sys.exit(main())
