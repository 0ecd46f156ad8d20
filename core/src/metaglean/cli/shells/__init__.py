"""What makes a shell complete the command line: one module a shell, each with `script(tree)`.

Completing starts Python in one place only: where a plugin's type belongs, the listing of
`metaglean plugins` is asked, which reads metadata alone.
"""

from __future__ import annotations

TYPES = (
    r"""metaglean plugins --json 2>/dev/null | sed -n 's/^ *"type": "\(.*\)",$/\1/p' | sort -u"""
)
