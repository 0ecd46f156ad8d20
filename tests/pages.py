"""The fenced blocks of a page, and what each of them is."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import textwrap
import types
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_FENCED = re.compile(
    r"(?ms)^(<!-- not run: (?P<excuse>.+?) -->\n)?```(?P<info>.*?)\n(?P<text>.*?)^```"
)
_FILE = re.compile(r"# (in )?([\w./-]+\.(?:py|toml|yaml))\n")


class Block(NamedTuple):
    """One block. A comment with a file's name, in its first line, makes it that file (`# in …`:
    changes of that file, `edits`); a reason in a comment before it (`<!-- not run: why -->`)
    excuses it from being run."""

    page: str
    line: int
    language: str
    text: str
    excuse: str
    file: str
    edits: bool

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
                file[2] if file else "", bool(file and file[1]),
            )
        )  # fmt: skip
    return found


def execute(block: Block, module: types.ModuleType) -> None:
    """Run a Python block in a module; a traceback shows the page's own lines."""
    padded = "\n" * (block.line - 1) + block.text
    exec(compile(padded, str(ROOT / block.page), "exec"), module.__dict__)


def edited(text: str, changes: str) -> str:
    """A module with its functions, methods, constants and imports of the same name replaced by
    those of `changes`, as somebody would who reads "replace"."""
    for change in re.split(r"(?m)^(?=\S)|^(?= {4}def )", changes):
        if not (change.strip() and ast.parse(textwrap.dedent(change)).body):
            continue
        wanted = _title(ast.parse(textwrap.dedent(change)).body[0])
        found = [node for node in ast.walk(ast.parse(text)) if _title(node) == wanted]
        assert wanted, change
        assert len(found) == 1, f"{wanted} stands there {len(found)} times"
        lines = text.splitlines(keepends=True)
        new = [line + "\n" for line in change.strip("\n").splitlines()]
        lines[found[0].lineno - 1 : found[0].end_lineno] = new
        text = "".join(lines)
    return text


def _title(node: ast.AST) -> str:
    """What a change is known by."""
    if isinstance(node, ast.FunctionDef):
        return f"def {node.name}"
    if isinstance(node, ast.ImportFrom):
        return f"from {node.module}"
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return f"{node.targets[0].id} ="
    return ""


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
