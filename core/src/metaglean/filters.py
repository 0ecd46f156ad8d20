"""Filter patterns as OpenMetadata has them: regular expressions, matched at the start and ignoring
case; a name is kept if some include matches (or there is none) and no exclude does.

They decide what is yielded, never what was seen: a filtered entity still counts as listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from metaglean.errors import ConfigError


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
        return next(filter(None, (pattern.match(name) for pattern in self._includes)), None)


class Filters:
    """The patterns of a run by kind; `use_fqn` matches the whole qualified name instead."""

    def __init__(
        self, patterns: Mapping[str, Pattern] | None = None, use_fqn: bool = False
    ) -> None:
        self._patterns = dict(patterns or {})
        self.use_fqn = use_fqn

    def pattern(self, kind: str) -> Pattern | None:
        return self._patterns.get(kind)


def _compile(key: str, expressions: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    compiled = []
    for expression in expressions:
        try:
            compiled.append(re.compile(expression, re.IGNORECASE))
        except re.error as error:
            raise ConfigError(
                f"{key}: {expression!r} is not a regular expression ({error})",
                "Escape special characters with a backslash, or quote the pattern.",
            ) from error
    return tuple(compiled)
