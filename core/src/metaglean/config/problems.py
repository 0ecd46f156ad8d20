"""What is wrong with a workflow, gathered so that all of it is shown at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from metaglean.config.document import Document, Path, Position
from metaglean.config.rewrites import Rewrite
from metaglean.errors import ConfigError, MetagleanError, PluginError

MAX_SHOWN = 20
_NOWHERE = Position(1, 1)


class Problems:
    """Errors and warnings by the path of the value; with a document they get line and column."""

    def __init__(self, document: Document | None = None) -> None:
        self.document = document
        self.warnings: list[str] = []
        self.reported: set[Path] = set()
        self.suggested: set[Path] = set()
        self.unfilled: set[Path] = set()
        """Values whose variables are not set: nothing more is said about them."""
        self.members: dict[Path, str] = {}
        """The name of the model that was picked where a field takes one of several."""
        self.secrets: set[str] = set()
        """Cut out of what plugins say: their validators may repeat what they were given."""
        self.secret_paths: set[Path] = set()
        """Where in the file a value stands that its model takes for a secret."""
        self.rewrites: list[Rewrite] = []
        """What `check --fix` does to the file."""
        self.loose_patterns: dict[Path, str] = {}
        """Filter patterns that look like a name and match more than that."""
        self._errors: list[tuple[Position, str]] = []
        self._only_plugins = True
        self._moved: dict[Path, Path] = {}

    @property
    def count(self) -> int:
        return len(self._errors)

    def moved(self, new: Path, old: Path) -> None:
        """What validation sees at `new` stands in the file at `old`."""
        self._moved[new] = old

    def error(
        self, path: Path, what: str, expected: str = "", *, key: bool = False, plugin: bool = False
    ) -> None:
        """One error: `what` is wrong at `path` (with its key, if `key`), `expected` is right."""
        self.reported.add(self.origin(path))
        if self.origin(path) in self.unfilled:
            return
        self._only_plugins = self._only_plugins and plugin
        text = self._located(path, what, key)
        place = self.document.position(self.origin(path), key=key) if self.document else _NOWHERE
        self._errors.append((place, f"{text}\n    {expected}" if expected else text))

    def plugin_error(self, path: Path, error: MetagleanError) -> None:
        """A component that can't be had, at the place that names it."""
        self.error(path, error.message, error.hint, plugin=True)

    def warn(self, path: Path, what: str, *, key: bool = False) -> None:
        self.warnings.append(self._located(path, what, key))

    def secret(self, path: Path, value: object) -> None:
        """What stands at `path` is never shown."""
        self.secret_paths.add(self.origin(path))
        if isinstance(value, str):
            self.secrets.add(value)

    def old_key(self, path: Path, new: str) -> None:
        """The key at `path` is called `new` today: a dotted path from where it stands."""
        self.warn(path, f"is an old spelling; write {new}", key=True)
        self.rewrites.append(Rewrite("key", self.origin(path), new))

    def old_list(self, path: Path, new: str) -> None:
        """What stands at `path` is an item of the list `new` today."""
        self.warn(path, f"is an old spelling; write a list called {new}", key=True)
        self.rewrites.append(Rewrite("list", self.origin(path), new))

    def old_value(self, path: Path, old: str, new: str) -> None:
        """The word `old` at `path` is written `new` today."""
        self.warn(path, f"is accepted; write {new}")
        self.rewrites.append(Rewrite("value", self.origin(path), new, old))

    def bare_variable(self, path: Path, name: str) -> None:
        """`$name` in the text at `path` was replaced by the environment variable."""
        self.warn(path, f"${name} was replaced by the environment variable; write ${{{name}}}")
        self.rewrites.append(Rewrite("variable", self.origin(path), name))

    def masked(self, text: str) -> str:
        """A text of a plugin without secrets; those too short to be told from words are left."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) > 3:
                text = text.replace(secret, "*****")
        return text

    def raise_if_any(self) -> None:
        """Raise all errors as one: a PluginError if only plugins are wrong, else a ConfigError."""
        if not self._errors:
            return
        in_order = sorted(self._errors, key=lambda error: error[0])
        shown = list(dict.fromkeys(text for _, text in in_order))
        lines = shown[:MAX_SHOWN]
        if len(shown) > MAX_SHOWN:
            lines.append(f"… and {len(shown) - MAX_SHOWN} more errors")
        message = "\n".join(lines)
        raise PluginError(message) if self._only_plugins else ConfigError(message)

    def _located(self, path: Path, what: str, key: bool) -> str:
        path = self.origin(path)
        text = f"{dotted(path)}: {what}" if path else what
        return f"{self.document.where(path, key=key)}  {text}" if self.document else text

    def origin(self, path: Path) -> Path:
        """Where in the file stands what validation sees at `path`."""
        for cut in range(len(path), 0, -1):
            old = self._moved.get(path[:cut])
            if old is not None:
                return self.origin(old) + path[cut:]
        return path


def dotted(path: Path) -> str:
    """`source.processors[0].type`, as errors show it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that was probably meant, or None."""
    by_folded: Mapping[str, str] = {fold(known): known for known in words}
    close = difflib.get_close_matches(fold(word), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def fold(word: str) -> str:
    return word.replace("_", "").replace("-", "").casefold()


def expected_words(word: str, words: Iterable[str]) -> str:
    """`expected one of a, b; did you mean b?`"""
    known = sorted(words, key=str.casefold)
    text = f"expected one of {', '.join(known)}" if known else "nothing is expected here"
    meant = nearest(word, known)
    return f"{text}; did you mean {meant}?" if meant else text
