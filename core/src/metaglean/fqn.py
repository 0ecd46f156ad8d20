"""Qualified names in OpenMetadata's grammar: build, split, quote, encode, cut, compare.

`fqn := part ("." part)*`; a part that holds a dot is quoted with `"`, a quote inside is doubled.
Some texts can't stand in a name and are written as reserved words (`::` as
`__reserved__colon__`, …), as OpenMetadata's own ingestion (1.3 and later) writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "MAX_NAME", "NameRules", "build", "comparable", "cut", "decode", "encode", "quote", "split",
]  # fmt: skip

RESERVED = {
    "::": "__reserved__colon__",
    ">": "__reserved__arrow__",
    '"': "__reserved__quote__",
    "\n": "__reserved__newline__",
    "\r": "__reserved__carriage_return__",
    "\t": "__reserved__tab__",
}
_ENCODED = re.compile("|".join(re.escape(text) for text in RESERVED))
_WORDS = {word: text for text, word in RESERVED.items()}
_DECODED = re.compile("|".join(_WORDS))
# Control characters make a server answer 500 (NUL) or can't be shown; surrogates can't be sent.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
MAX_NAME = 256
SUFFIX_LENGTHS = (8, 16)


def encode(name: str) -> str:
    """The stored form of a raw name; control characters become `_`."""
    if name.isidentifier() or name.isalnum():
        return name
    return _ENCODED.sub(lambda found: RESERVED[found[0]], _CONTROL.sub("_", name))


def decode(name: str) -> str:
    """The raw name of a stored form."""
    return _DECODED.sub(lambda found: _WORDS[found[0]], name)


def quote(part: str) -> str:
    """An encoded name as one part of a qualified name."""
    if "." in part or '"' in part:
        return '"' + part.replace('"', '""') + '"'
    return part


def build(names: Iterable[str]) -> str:
    """The qualified name of raw names: each is encoded and, where it holds a dot, quoted."""
    return ".".join(quote(encode(name)) for name in names)


def split(fqn: str) -> tuple[str, ...]:
    """The raw names of a qualified name.

    Raises ValueError for an empty part or a quote that isn't closed.
    """
    parts = []
    position = 0
    while True:
        part, position = _part(fqn, position)
        parts.append(decode(part))
        if position == len(fqn):
            return tuple(parts)
        position += 1


def _part(fqn: str, start: int) -> tuple[str, int]:
    """The part that begins at `start` and the position of the dot (or end) after it."""
    if fqn.startswith('"', start):
        found = re.compile(r'"((?:[^"]|"")*)"(?=\.|$)', re.DOTALL).match(fqn, start)
        if not found or not found[1]:
            raise ValueError(f"{fqn!r}: the quote at {start} is not closed or empty")
        return found[1].replace('""', '"'), found.end()
    end = fqn.find(".", start)
    end = len(fqn) if end < 0 else end
    part = fqn[start:end]
    if not part or '"' in part:
        raise ValueError(f"{fqn!r}: empty part or stray quote at {start}")
    return part, end


def cut(name: str, length: int) -> str:
    """The longest beginning of a raw name whose stored form has at most `length` characters."""
    if len(name) <= length and len(encode(name)) <= length:
        return name
    low, high = 0, min(len(name), length)
    while low < high:
        middle = (low + high + 1) // 2
        if len(encode(name[:middle])) <= length:
            low = middle
        else:
            high = middle - 1
    # A "::" must not be cut in half: half of it would be kept as a raw colon and merge names.
    if low and low < len(name) and name[low - 1 : low + 1] == "::":
        low -= 1
    return name[:low]


class NameRules:
    """What a target can hold as a name. Sinks give theirs; this one is OpenMetadata's (1.3 on),
    which the embedded catalog shares so that names stay the same when a server comes."""

    def __init__(self, max_length: int = MAX_NAME) -> None:
        self.max_length = max_length

    def fit(self, kind: str, name: str, room: int = 0) -> str:
        """`name` cut so that its stored form leaves `room` characters; control characters replaced.

        Returns an empty string where nothing is left.
        """
        cleaned = _CONTROL.sub("_", name) if _CONTROL.search(name) else name
        return cut(cleaned, self.max_length - room)

    def stored(self, kind: str, name: str) -> str:
        """The form in which the target keeps the raw name."""
        return encode(name)


def comparable(stored: str) -> str:
    """Two names that differ only in this never stand side by side: not every target tells case
    apart."""
    return stored.casefold()
