"""A new plugin: a complete distribution of one kind, rendered from the templates beside this file.

A template's name ends in `.txt`. `@word@` is filled in, in texts and in paths; a name that begins
with `dot-` gets its dot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from metaglean.errors import ConfigError

if TYPE_CHECKING:
    from importlib.abc import Traversable

KINDS = ("connector", "processor", "sink", "profiler")
# So that no rendered line gets longer than 100 characters.
LONGEST_NAME = 20
LONGEST_TITLE = 32
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_TITLE = re.compile(r"[^\W_](?:[\w .&'()+,/:-]*[\w.)+])?")
_WORD = re.compile(r"@(\w+)@")
_ABOUT = {
    "connector": "{} for Metaglean: its tables, with their columns.",
    "processor": "{}: a processor for Metaglean.",
    "sink": "{}: a sink for Metaglean.",
    "profiler": "{} for Metaglean: profiles of its tables.",
}
# Import names of distributions that this project has.
_TAKEN = frozenset({"metaglean_domo", "metaglean_airflow", "metaglean_testkit"})


class Plugin(NamedTuple):
    """What a new plugin is called: its `type` in workflows, and its `title` for people."""

    kind: str
    type: str
    title: str

    @property
    def package(self) -> str:
        """The import name."""
        name = f"metaglean_{self.type.replace('-', '_')}"
        return name if self.kind == "connector" else f"{name}_{self.kind}"

    @property
    def distribution(self) -> str:
        """The name in a package index."""
        word = "plugin" if self.kind == "connector" else self.kind
        return f"metaglean-{word}-{self.type.replace('_', '-')}"

    @property
    def registers(self) -> str:
        """The kind of component that it has: a connector has a source."""
        return "source" if self.kind == "connector" else self.kind

    @property
    def words(self) -> dict[str, str]:
        """What stands for each `@word@`."""
        return {
            "type": self.type,
            "title": self.title,
            "package": self.package,
            "distribution": self.distribution,
            "about": _ABOUT[self.kind].format(self.title),
            "group": f"metaglean.{self.registers}s.v1",
            "Class": "".join(word.capitalize() for word in re.split("[-_]", self.type)),
            "ENV": self.type.replace("-", "_").upper(),
        }


def plugin(kind: str, name: str, title: str | None = None) -> Plugin:
    """The names of a new plugin of one of `KINDS`. Raises ConfigError for a name or title that
    doesn't do; its hint has the nearest one that does."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ConfigError(
            f"{name!r} can't be the name of a {kind}",
            "A name has lower-case letters, digits, `-` and `_`, begins with a letter, and is at "
            f"most {LONGEST_NAME} characters long. Nearest: {nearest(name)}",
        )
    if title is None:
        title = " ".join(word.capitalize() for word in re.split("[-_]", name))
    if not _TITLE.fullmatch(title) or len(title) > LONGEST_TITLE:
        raise ConfigError(
            f"{title!r} can't be a title",
            f"A title has letters, digits, spaces and .&'()+,/:- and at most {LONGEST_TITLE} "
            "characters.",
        )
    made = Plugin(kind, name, title)
    if made.package in _TAKEN:
        raise ConfigError(
            f"the package {made.package} belongs to Metaglean itself",
            f"Choose another name, for example: {name}-2",
        )
    return made


def nearest(name: str) -> str:
    """The valid name that is nearest to this one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain).lower()
    words = re.sub(r"[^a-z0-9]+", "-", split).lstrip("-0123456789")
    return words[:LONGEST_NAME].strip("-") or "hello"


def render(made: Plugin, **more: str) -> dict[str, str]:
    """Path below the distribution's folder → text, sorted. `more` are further words."""
    words = {**made.words, **more}
    root = files(__name__)
    found = {**_templates(root / "common"), **_templates(root / made.kind)}
    return {_filled(path, words): _filled(found[path], words) for path in sorted(found)}


def _templates(folder: Traversable, path: str = "") -> dict[str, str]:
    """All templates below a folder: path to text, as they are."""
    return dict(_walk(folder, path))


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        name = path + re.sub("^dot-", ".", entry.name)
        if entry.is_dir():
            yield from _walk(entry, f"{name}/")
        elif name.endswith(".txt"):
            yield name.removesuffix(".txt"), entry.read_text("utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return _WORD.sub(lambda found: words[found[1]], text)
