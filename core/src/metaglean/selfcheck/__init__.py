"""`metaglean selfcheck --live`: what components assume of their systems, tested on the live ones.

sample.py    a small source: what is written into the scratch service
samples.py   runs of it, and what a sink that works makes of each
checking.py  source, then sink; the scratch service is removed whatever happens
report.py    the findings for people and programs, nothing of the tenant in them
"""

from __future__ import annotations

from metaglean.selfcheck.checking import Finding, Selfcheck
from metaglean.selfcheck.report import as_json, as_markdown

__all__ = ["Finding", "Selfcheck", "as_json", "as_markdown"]
