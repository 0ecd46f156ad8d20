"""`check --fix`: a workflow file in today's spelling, and nothing else of it changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from metaglean.config.document import parse_document
from metaglean.config.edits import Editor, edited, with_header
from metaglean.config.model import Components, WorkflowConfig
from metaglean.config.parse import Reading, read_workflow
from metaglean.config.problems import dotted
from metaglean.config.rewrites import ByHandError, Rewrite, rewritten, same
from metaglean.errors import ConfigError


class Fixed(NamedTuple):
    """A file before and after; `by_hand` is what only people can change, one line each."""

    before: Reading
    old: str
    after: Reading
    new: str
    by_hand: list[str]

    @property
    def changed(self) -> bool:
        return self.old != self.new


class Fixer:
    """Rewrites the text of one file. Raises ConfigError for a text that is no YAML or JSON."""

    def __init__(
        self, name: str, registry: Components, environ: Mapping[str, str], *, is_json: bool
    ) -> None:
        self._name = name
        self._registry = registry
        self._environ = environ
        self._is_json = is_json

    def read(self, text: str) -> Reading:
        document = parse_document(text, self._name, is_json=self._is_json)
        return read_workflow(document, self._registry, self._environ)

    def fix(self, text: str, *, anchor: bool = False, header: str = "") -> Fixed:
        """The text with all old spellings rewritten; with `anchor` also filter patterns that look
        like a name and match more than that. `header` is the path of a schema for editors.
        """
        before = self.read(text)
        reading, new = before, text
        refused: dict[Rewrite, str] = {}
        problems = before.problems
        # Each time something is rewritten or refused; once is enough, unless changes overlap.
        for _ in range(2 * (len(problems.rewrites) + len(problems.loose_patterns)) + 1):
            pending = _without(reading.problems.rewrites, refused)
            if anchor and not pending:  # last: they change which workflow it is
                pending = _without(_anchored(reading), refused)
            if not pending:
                break
            done = self._some(reading, new, pending, refused)
            if done:
                reading, new = done
                refused.clear()  # what was refused may go now
        left = [*reading.problems.rewrites, *(_anchored(reading) if anchor else ())]
        by_hand = [_told(reading, rewrite, refused) for rewrite in left]
        if header:
            new = with_header(new, header)
            reading = self.read(new)
        return Fixed(before, text, reading, new, list(dict.fromkeys(by_hand)))

    def _some(
        self,
        reading: Reading,
        text: str,
        pending: list[Rewrite],
        refused: dict[Rewrite, str],
    ) -> tuple[Reading, str] | None:
        """The text after all that is pending; without what is refused, or after one of it, where
        all together don't go."""
        editor = Editor(reading.document, text, is_json=self._is_json)
        groups: dict[object, list[Rewrite]] = {}
        for rewrite in pending:
            groups.setdefault(editor.place(rewrite), []).append(rewrite)

        def tried(
            batch: list[list[Rewrite]], refused: dict[Rewrite, str]
        ) -> tuple[Reading, str] | None:
            try:
                return self._after(reading, text, editor, batch)
            except (ByHandError, ConfigError) as error:
                reason = str(error) if isinstance(error, ByHandError) else ""
                refused.update((rewrite, reason) for group in batch for rewrite in group)
                return None

        everything = list(groups.values())
        found = tried(everything, {})
        if found is None:
            alone = [group for group in everything if tried([group], refused)]
            if alone:
                found = tried(alone, {}) or tried(alone[:1], {})
        return found

    def _after(
        self, reading: Reading, text: str, editor: Editor, groups: list[list[Rewrite]]
    ) -> tuple[Reading, str]:
        """Raises ByHandError, or ConfigError, where the result would not be what is meant."""
        rewrites = [rewrite for group in groups for rewrite in group]
        expected = rewritten(reading.document.data, rewrites)
        new = edited(text, [edit for group in groups for edit in editor.edits(group)])
        after = self.read(new)
        if not same(after.document.data, expected):
            raise ByHandError("it is written in a way that is not understood")
        if after.problems.count > reading.problems.count or set(rewrites) & set(
            after.problems.rewrites
        ):
            raise ByHandError("the file would not be better for it")
        anchored = any(rewrite.path in reading.problems.loose_patterns for rewrite in rewrites)
        if not anchored and _workflow(reading) not in (None, _workflow(after)):
            raise ByHandError("the workflow would be another one")
        return after, new


def _workflow(reading: Reading) -> WorkflowConfig | None:
    """The workflow without its warnings."""
    return reading.workflow and dataclasses.replace(reading.workflow, warnings=(), secrets=())


def _without(rewrites: Iterable[Rewrite], refused: Mapping[Rewrite, str]) -> list[Rewrite]:
    return [rewrite for rewrite in dict.fromkeys(rewrites) if rewrite not in refused]


def _anchored(reading: Reading) -> Iterator[Rewrite]:
    for path, pattern in reading.problems.loose_patterns.items():
        yield Rewrite("value", path, f"{pattern}$", pattern)


def _told(reading: Reading, rewrite: Rewrite, refused: Mapping[Rewrite, str]) -> str:
    where = reading.document.where(rewrite.path, key=rewrite.kind in {"key", "list"})
    new = f"${{{rewrite.new}}}" if rewrite.kind == "variable" else rewrite.new
    reason = refused.get(rewrite)
    why = f" ({reason})" if reason else ""
    return f"{where}  {dotted(rewrite.path)}: write {new} by hand{why}"
