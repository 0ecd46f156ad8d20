"""The words of a text, as search compares them: without case and accents, names taken apart.

What is indexed and what is asked for pass through the same functions, so both are cut alike in
every script, and nothing of a query reaches SQLite as syntax.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

MOST = 32  # words of a query; those after them are left out

# Letters and digits; the signs of the scripts from Devanagari to Khmer are part of their words.
_WORD = re.compile(r"(?:[^\W_]|[\u0900-\u109f\u1780-\u17ff])+")
# Scripts that put no space between words: they are compared by pairs of characters.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_RUNS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_HUMPED = re.compile("[a-z0-9][A-Z]|[A-Z][A-Z][a-z]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Term(NamedTuple):
    """One word of a query: found where all words of one of `ways` begin a word of the text."""

    ways: tuple[tuple[str, ...], ...]


def words(text: str) -> list[str]:
    """The words of a text in their order; of `CustomerId` that word and both of its parts."""
    found: list[str] = []
    for word in _WORD.findall(_plain(text)):
        if word.isascii() and (word.islower() or word.isdecimal()):
            found.append(word)
            continue
        found += _pairs(word.casefold(), last=True)
        parts = _HUMP.split(word)
        if len(parts) > 1:
            found += [part.casefold() for part in parts]
    return found


def indexable(text: str) -> str:
    """A text that SQLite's tokenizer `ascii` takes apart into `words(text)`."""
    text = _plain(text)
    if not text.isascii():
        return " ".join(words(text))
    if text.islower() or not _HUMPED.search(text):
        return text
    return f"{text} {_HUMP.sub(' ', text)}"


def joined(text: str) -> str:
    """All words of a text written as one: two names that differ only in signs have the same."""
    return "".join(_WORD.findall(_plain(text))).casefold()


def terms(asked: Iterable[str]) -> list[Term]:
    """What a query looks for; empty where it has no letter and no digit."""
    found: dict[Term, None] = {}
    for word in _WORD.findall(_plain(" ".join(asked))):
        whole = tuple(_pairs(word.casefold(), last=False)[:MOST])
        parts = tuple(part.casefold() for part in _HUMP.split(word)[:MOST])
        found[Term((whole, parts) if len(parts) > 1 else (whole,))] = None
        if len(found) == MOST:
            break
    return list(found)


def begins(word: str, asked: str) -> bool:
    """Whether a word of a text answers one that was asked for."""
    return word == asked if is_short(asked) else word.startswith(asked)


def is_short(asked: str) -> bool:
    """A single letter or digit stands for itself only: nearly everything begins with it."""
    return len(asked) == 1 and not _IS_UNSPACED.match(asked)


def _plain(text: str) -> str:
    """Compatibility forms and accents taken away."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    for sign in filter(unicodedata.combining, set(parts)):
        parts = parts.replace(sign, "")
    return parts


def _pairs(word: str, *, last: bool) -> list[str]:
    """The word itself, or pairs of characters where it is of a script without spaces; with `last`
    the last one also alone, so that each character begins something."""
    if word.isascii() or not _IS_UNSPACED.search(word):
        return [word]
    found: list[str] = []
    for run in _RUNS.findall(word):
        if not _IS_UNSPACED.match(run):
            found.append(run)
            continue
        found += [run[at : at + 2] for at in range(len(run) - 1)]
        if last or len(run) == 1:
            found.append(run[-1])
    return found
