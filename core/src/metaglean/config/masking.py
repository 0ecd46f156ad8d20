"""The text of a workflow file as it may be shown: secrets masked, line by line as it was."""

from __future__ import annotations

import re

import yaml

from metaglean.config.document import Path
from metaglean.config.edits import Edit, edited, scalar_starts
from metaglean.config.parse import Reading
from metaglean.config.values import SECRET_KEY, is_placeholder, is_secret_key
from metaglean.redaction import MASK, Redactor

_LINES = re.compile(r"(\r\n|\n|\r)")
_VARIABLE = re.compile(
    r"(?P<literal>\$\$\{)"
    r"|(?P<named>\$\{(?:file:[^{}]+|[A-Za-z_]\w*)\})"
    r"|(?P<default>\$\{[A-Za-z_]\w*:-)[^{}]*\}"
    r"|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
)
_COMMENTED = re.compile(rf"(#.*?(?:{SECRET_KEY.pattern})[\w-]*[\"']?\s*[:=]\s*)\S.*", re.IGNORECASE)
_LONG_WORD = re.compile(r"(#\s*(?:-\s+)?)(?!.*://)\S{24,}\s*$")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
# In a comment beside a secret, or about one: a word with letters and digits may be an older one.
_ODD_WORD = re.compile(r"(?<![^\s#])(?![$#])(?=\S*[A-Za-z])(?=\S*\d)\S{6,}")


def masked_lines(reading: Reading, text: str, *, is_json: bool) -> list[str]:
    """The lines of what `reading` was read from, without their ends.

    A value is masked where its key or its model says that it is secret, variables in it excepted;
    known secrets everywhere; and what looks like one in a comment.
    """
    document, problems = reading.document, reading.problems
    starts = scalar_starts(text, is_json=is_json)
    edits = set()
    for path, node in [*document.nodes.items(), *_lone_keys(reading)]:
        start = starts.get(node.end_mark.index)
        if start is None or not isinstance(node, yaml.ScalarNode) or is_placeholder(node.value):
            continue
        if _is_secret(path, problems.secret_paths):
            replaced = {r.new for r in problems.rewrites if r.path == path and r.kind == "variable"}
            end = node.end_mark.index
            edits.add(Edit(start, end, _masked(text[start:end], replaced)))
    known = {*problems.secrets, *(reading.workflow.secrets if reading.workflow else ())}
    redactor = Redactor(*known)
    lines = _LINES.split(edited(text, edits))[::2]
    return [redactor.url(_without_commented(line)) for line in lines]


def _lone_keys(reading: Reading) -> list[tuple[Path, yaml.Node]]:
    """Keys without a value: `{hunter2}` without quotes is a mapping to YAML."""
    document = reading.document
    return [
        (path, key)
        for path, key in document.key_nodes.items()
        if getattr(document.nodes.get(path), "value", None) == ""
        and not is_placeholder(f"{{{path[-1]}}}")
        and _is_secret(path[:-1], reading.problems.secret_paths)
    ]


def _is_secret(path: Path, secret_paths: set[Path]) -> bool:
    return any(
        path[: depth + 1] in secret_paths or (isinstance(part, str) and is_secret_key(part))
        for depth, part in enumerate(path)
    )


def _masked(written: str, replaced: set[str]) -> str:
    head, inner, tail = "", written, ""
    if written[0] in "\"'":
        head, inner, tail = written[0], written[1:-1], written[-1]
    elif written[0] in "|>":
        head = _LINES.split(written, maxsplit=1)[0]
        inner = written[len(head) :]
    parts = _LINES.split(inner)
    parts[::2] = [_masked_line(line, replaced) for line in parts[::2]]
    return head + "".join(parts) + tail


def _masked_line(line: str, replaced: set[str]) -> str:
    """Only the variables of a line; of a bare one it must be known that it was replaced."""
    inner = line.lstrip()
    parts, at = [line[: len(line) - len(inner)]], 0
    for found in _VARIABLE.finditer(inner):
        shown = found["named"] or (found["bare"] in replaced and found[0])
        if found["default"]:
            shown = f"{found['default']}{MASK}}}"
        if shown:
            parts += [MASK if found.start() > at else "", shown]
            at = found.end()
    return "".join((*parts, MASK if inner[at:].strip() else ""))


def _without_commented(line: str) -> str:
    found = _COMMENT.search(line)
    if found and SECRET_KEY.search(line):
        words = _ODD_WORD.sub(MASK, found[0])
        line = line[: found.start()] + words
    return _LONG_WORD.sub(rf"\1{MASK}", _COMMENTED.sub(rf"\1{MASK}", line))
