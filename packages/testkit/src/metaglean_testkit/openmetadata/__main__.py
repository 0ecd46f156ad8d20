"""`python -m metaglean_testkit.openmetadata`."""

from __future__ import annotations

import sys

from metaglean_testkit.openmetadata.cli import main

sys.exit(main())
