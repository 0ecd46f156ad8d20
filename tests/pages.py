"""The fenced blocks of a page, and what each of them is."""

from __future__ import annotations

import re
import shlex
import subprocess
import types
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_FENCED = re.compile(
    r"(?ms)^(<!-- not run: (?P<excuse>.+?) -->\n)?```(?P<info>.*?)\n(?P<text>.*?)^```"
)
_FILE = re.compile(r"# ([\w./-]+\.(?:py|toml|yaml))\n")


class Block(NamedTuple):
    """One block. A comment that is a file's name, in its first line, makes it that file; a reason
    in a comment before it (`<!-- not run: why -->`) excuses it from being run."""

    page: str
    line: int
    language: str
    text: str
    excuse: str
    file: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """The blocks of a page in their order; `line` is that of the first line inside."""
    page = path.read_text("utf-8")
    name = str(path.relative_to(ROOT))
    found = []
    for match in _FENCED.finditer(page):
        file = _FILE.match(match["text"])
        line = page.count("\n", 0, match.start("text")) + 1
        found.append(
            Block(
                name, line, match["info"].strip(), match["text"], match["excuse"] or "",
                file[1] if file else "",
            )
        )  # fmt: skip
    return found


def execute(block: Block, module: types.ModuleType) -> None:
    """Run a Python block in a module; a traceback shows the page's own lines."""
    padded = "\n" * (block.line - 1) + block.text
    exec(compile(padded, str(ROOT / block.page), "exec"), module.__dict__)


def commands(block: Block) -> list[str]:
    """The commands of a shell block, comments cut off."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in lines if shlex.split(line, comments=True)]


def run(
    line: str, folder: Path, environment: dict[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """One command of a page, without a shell."""
    return subprocess.run(
        shlex.split(line, comments=True), cwd=folder, env=environment, capture_output=True,
        text=True, timeout=timeout, check=False,
    )  # fmt: skip
