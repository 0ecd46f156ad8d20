"""Filter patterns as OpenMetadata has them: regular expressions, matched at the start and ignoring
case; a name is kept if some include matches (or there is none) and no exclude does.

They decide what is yielded, never what was seen: a filtered entity still counts as listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from metaglean.errors import ConfigError

__all__ = ["Filters", "Pattern"]


class Pattern:
    """One compiled filter pattern; `key` is the configuration key it came from."""

    def __init__(
        self, key: str, includes: Iterable[str] = (), excludes: Iterable[str] = ()
    ) -> None:
        self.key = key
        self._includes = _compile(key, includes)
        self._excludes = _compile(key, excludes)

    def keeps(self, name: str) -> bool:
        if any(pattern.match(name) for pattern in self._excludes):
            return False
        return not self._includes or self.match(name) is not None

    def match(self, name: str) -> re.Match[str] | None:
        """What the first include that matches has found, for its groups."""
        for pattern in self._includes:
            if found := pattern.match(name):
                return found
        return None


class Filters:
    """The patterns of a run by kind; `use_fqn` matches the whole qualified name instead."""

    def __init__(
        self, patterns: Mapping[str, Pattern] | None = None, use_fqn: bool = False
    ) -> None:
        self._patterns = dict(patterns or {})
        self.use_fqn = use_fqn

    def pattern(self, kind: str) -> Pattern | None:
        return self._patterns.get(kind)


def compiled(expression: str) -> re.Pattern[str]:
    """The expression as filters match it. Raises ValueError where it is none."""
    try:
        return re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{expression!r} is not a regular expression ({error})") from error


def checked_text(text: str, expression: str | None) -> str:
    r"""The same text, in which `\1` stands for a group of the expression (None: it is wrong
    itself).

    Raises ValueError for a group that there isn't.
    """
    if expression is None:
        return text
    try:
        re.compile(expression).sub(text, "")
    except (re.error, IndexError) as error:
        raise ValueError(
            f"{error}: \\1 is the first group of the expression, \\\\ a backslash"
        ) from error
    return text


def _compile(key: str, expressions: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(map(compiled, expressions))
    except ValueError as error:
        raise ConfigError(
            f"{key}: {error}",
            "Escape special characters with a backslash, or quote the pattern.",
        ) from error
