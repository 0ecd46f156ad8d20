"""The spool: what a run read while its sink was away, in a file that is sent later.

file.py     the file: JSON Lines, a header first, each line whole
journal.py  the run's side: keeps all that passes, and lets go of it where the sink stayed
fitted.py   columns, where the target's rules were not known
replay.py   the side of `metaglean push`: names are decided anew, by what stands then
"""

from __future__ import annotations

from metaglean.spool.journal import Direct, Journal, spool_of
from metaglean.spool.replay import Replay

__all__ = ["Direct", "Journal", "Replay", "spool_of"]
