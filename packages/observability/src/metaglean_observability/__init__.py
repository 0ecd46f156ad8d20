"""Observers of Metaglean's runs: `opentelemetry` and `openlineage`."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("metaglean-observability")
