"""The folder in which the examples of every command's help are run.

What an example names must stand here: add files to FILES, and what takes a command to make to
MADE. Each example gets a copy of the folder of its own.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FILES: dict[str, str] = {
    "workflows/replay.yaml": """\
source:
  type: file
  serviceName: replay
  serviceConnection: {config: {path: records.jsonl}}
processor: {type: filter}
""",
}
"""More files by name (folders are made)."""

MADE = (
    "metaglean ingest -c workflow.yaml",  # the catalog metaglean.db
    "metaglean ingest -c workflow.yaml",  # with a second run in it
)
"""Commands that are run once, in this order, when everything else stands."""


def write_files(folder: Path) -> None:
    """The workflows of the README, which the variables of the environment connect, and FILES."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for text in re.findall(r"(?ms)^```yaml\n(.*?)^```", readme):
        named = re.match(r"# (\S+)\n", text)
        if named:
            (folder / named[1]).write_text(text, "utf-8")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
