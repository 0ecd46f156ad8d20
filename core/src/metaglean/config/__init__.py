"""Workflow files: YAML with positions, interpolation, old spellings, readable errors.

document.py       text → plain data and where everything stands
interpolation.py  ${VAR}, ${VAR:-default}, ${file:/path}
keys.py           old spellings, keys without effect, unknown keys
values.py         placeholders, masked secrets, which values are secret
validation.py     one model against its part of the data
frame.py          the outer keys of a workflow; rename.py and limits.py: two of ours
source.py         the source's part; stored.py: a connection that the target keeps
parse.py          the whole
rewrites.py       what stands in an old spelling; edits.py: the same as edits of the text
fixing.py         a file in today's spelling; masking.py: its text without secrets
schema.py         JSON Schema for editors
"""

from __future__ import annotations

from metaglean.config.limits import LimitsConfig
from metaglean.config.model import Components, DeletionConfig, WorkflowConfig
from metaglean.config.parse import load_workflow, parse_workflow

__all__ = [
    "Components", "DeletionConfig", "LimitsConfig", "WorkflowConfig", "load_workflow",
    "parse_workflow",
]  # fmt: skip
