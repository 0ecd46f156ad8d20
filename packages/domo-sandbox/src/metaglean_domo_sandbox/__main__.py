"""`python -m metaglean_domo_sandbox`."""

from __future__ import annotations

import sys

from metaglean_domo_sandbox.cli import main

sys.exit(main())
