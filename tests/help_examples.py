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
    "OM_BOT_TOKEN=refused metaglean ingest -c away.yaml || true",  # spool.jsonl
)
"""Commands that are run once, in this order, when everything else stands."""

CODES = {
    "metaglean selfcheck -c workflow.yaml": 2,  # it only says what it would do
}
"""Examples that end with another exit code than 0, as their help says."""


def write_files(folder: Path) -> None:
    """The workflows of the README, which the variables of the environment connect, and FILES."""
    readme = (ROOT / "README.md").read_text("utf-8")
    for text in re.findall(r"(?ms)^```yaml\n(.*?)^```", readme):
        named = re.match(r"# (\S+)\n", text)
        if named:
            (folder / named[1]).write_text(text, "utf-8")
    server = (folder / "server.yaml").read_text("utf-8")
    (folder / "away.yaml").write_text(f"{server}limits: {{spool: spool.jsonl}}\n", "utf-8")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
