"""Names and texts made safe for a terminal and for whatever stream they are written to."""

from __future__ import annotations

import re
from typing import TextIO

# Control characters (they move the cursor), bidirectional overrides (they reorder), surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def safe(text: str) -> str:
    """`text` on one line, with what a terminal would act upon written as an escape."""
    return _UNSAFE.sub(lambda found: _SHORT.get(found[0]) or f"\\x{ord(found[0]):02x}", text)


def printable(text: str, stream: TextIO) -> str:
    """`text` made safe line by line, with what the stream's encoding doesn't have as escapes."""
    text = "\n".join(safe(line) for line in text.split("\n"))
    # A host's stream (Airflow's log) may have no encoding.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def write_line(text: str, stream: TextIO) -> None:
    """Write `text`, printable, and an end of line. Raises OSError as the stream does."""
    stream.write(printable(text, stream) + "\n")
