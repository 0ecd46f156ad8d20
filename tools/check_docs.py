"""Keep the docs true: generated parts are as the program is, and links lead somewhere.

    python tools/check_docs.py           # fails if something is stale
    python tools/check_docs.py --write   # rewrites the generated parts

A generated part stands between `<!-- generated: WHAT -->` and `<!-- end -->`, where WHAT is a
command (`metaglean ingest --help`), the keys of a configuration model
(`keys metaglean.options:DatabaseOptions`), what a component assumes
(`assumptions metaglean_domo.database:DomoDatabase`), or the public names of a module
(`names metaglean.http`, `names metaglean.records except metaglean`). A page that shows a command's
help shows that of all its commands, too.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from repo import ROOT

PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"(?m)^#+ +(.+?) *$")
COMMANDS = re.compile(r"(?m)^  (?:COMMAND|ACTION)\n((?:    .*\n)+)")
COMMAND = re.compile(r"(?m)^    ([a-z][a-z-]*)")
PYTHON = re.compile(r"(?ms)^```python\n(.*?)^```")
REFERENCE = ("components", "run", "records", "http", "testkit", "versions")
CONSTANTS = {
    "ANCESTORS": "Kind → the kinds of its ancestors, outermost first",
    "FAULTS": "All faults of the suite, by name",
    "MAX_NAME": "The most characters of a stored name, 256",
    "RECORD_KINDS": "Kind → the class of its records",
    "__version__": "The version of metaglean-core",
    "hookimpl": "Marks a function as the implementation of a hook",
    "hookspec": "Marks a function as the specification of a hook; core's own",
}
FENCED = re.compile(r"(?ms)^```.*?^```")


def pages() -> list[Path]:
    """All Markdown files that people read, sorted."""
    tops = ("", "docs/**/", "core/", "plugins/*/", "packages/**/", "examples/**/")
    found = {path for top in tops for path in ROOT.glob(f"{top}*.md")}
    return sorted(path for path in found if ".venv" not in str(path.relative_to(ROOT)))


@cache
def generated(what: str) -> str:
    """The text of a generated part."""
    if what.startswith("assumptions "):
        return assumptions_list(what.removeprefix("assumptions "))
    if what.startswith("keys "):
        return keys_table(what.removeprefix("keys "))
    if what.startswith("names "):
        return names_table(what.removeprefix("names "))
    program, *arguments = what.split()
    command = [str(Path(sys.executable).parent / program), *arguments]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return f"```text\n$ {what}\n{done.stdout.rstrip()}\n```\n"


def keys_table(where: str) -> str:
    """A table of a pydantic model's keys, their defaults and descriptions."""
    module, _, name = where.partition(":")
    model = getattr(importlib.import_module(module), name)
    rows = ["| key | default | what it does |", "|---|---|---|"]
    rows += [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(rows) + "\n"


def assumptions_list(where: str) -> str:
    """What a component assumes of its system, or a list of such."""
    module, _, name = where.partition(":")
    found = getattr(importlib.import_module(module), name)
    lines = [f"- {one.text}" for one in getattr(found, "assumptions", found)]
    return "\n".join(lines) + "\n"


def _row(name: str, field: Any) -> str:
    if field.is_required():
        default = "required"
    elif isinstance(field.json_schema_extra, dict) and "default" in field.json_schema_extra:
        default = f"`{field.json_schema_extra['default']}`"
    else:
        default = _shown(field.get_default(call_default_factory=True))
    description = (field.description or "").replace("|", "\\|")
    return f"| `{field.alias or name}` | {default} | {description} |"


def names_table(where: str) -> str:
    """A table of a module's public names (`MODULE except OTHER`: without those of the other): what
    each is for, and the page of docs/authors with the most examples of it."""
    where, _, other = where.partition(" except ")
    module = importlib.import_module(where)
    names = set(module.__all__) - set(importlib.import_module(other).__all__ if other else ())
    rows = ["| name | what it is | example |", "|---|---|---|"]
    for name in sorted(names, key=lambda name: (name.casefold(), name)):
        text = CONSTANTS.get(name) or _first_sentence(getattr(module, name))
        page = max(REFERENCE, key=lambda page: _uses(page, name))
        example = f"[{page}]({page}.md)" if _uses(page, name) else "–"
        rows.append(f"| `{name}` | {text} | {example} |")
    return "\n".join(rows) + "\n"


def _first_sentence(thing: object) -> str:
    text = " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`])", text, maxsplit=1)[0].rstrip(".").replace("|", "\\|")


@cache
def _uses(page: str, name: str) -> int:
    """How often the Python blocks of that page of docs/authors have the name."""
    text = (ROOT / "docs" / "authors" / f"{page}.md").read_text("utf-8")
    return sum(len(re.findall(rf"\b{name}\b", block)) for block in PYTHON.findall(text))


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def stale(path: Path, *, write: bool) -> Iterator[str]:
    """The generated parts of a page that are not what would be generated; rewritten if asked."""
    text = path.read_text("utf-8")
    fresh = PART.sub(lambda part: part[1] + generated(part[2]) + part[4], text)
    if fresh != text and write:
        path.write_text(fresh, "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    elif fresh != text:
        yield f"{path.relative_to(ROOT)}: a generated part is stale: tools/check_docs.py --write"


def left_out(path: Path) -> Iterator[str]:
    """Commands of a shown help whose own help the page doesn't show."""
    shown = [part[2] for part in PART.finditer(path.read_text("utf-8"))]
    for what in shown:
        commands = COMMANDS.search(generated(what))
        for name in COMMAND.findall(commands[1]) if commands else ():
            wanted = what.replace("--help", f"{name} --help")
            if wanted not in shown:
                yield f"{path.relative_to(ROOT)}: `{wanted}` is not shown"


def broken_links(path: Path) -> Iterator[str]:
    """Links to files or headings that are not there."""
    for target in LINK.findall(FENCED.sub("", path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"{path.relative_to(ROOT)}: {target} is not there"
        elif anchor and anchor not in anchors(file):
            yield f"{path.relative_to(ROOT)}: {target}: no such heading"


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = HEADING.findall(FENCED.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main() -> int:
    write = "--write" in sys.argv[1:]
    found: list[str] = []
    for path in pages():
        found += stale(path, write=write)
        found += left_out(path)
        found += broken_links(path)
    print("\n".join(found) or f"{len(pages())} pages: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
