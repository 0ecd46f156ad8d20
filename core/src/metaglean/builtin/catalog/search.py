"""Search: the entities whose texts hold all the words, the best first, and where they hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from metaglean.builtin.catalog.documents import PLACES, Text, texts
from metaglean.builtin.catalog.lookup import Candidate, indexed, matching, tiers
from metaglean.builtin.catalog.reader import Entry, Reader
from metaglean.builtin.catalog.store import Store
from metaglean.builtin.catalog.words import Term, begins, joined, terms, words

POOL = 200  # of equally good ones so many are compared with each other
PAGE = 500
_ALL = (
    "SELECT id, kind, fqn, deleted_run IS NOT NULL, state FROM entities"
    " WHERE id > ? ORDER BY id LIMIT ?"
)
_UNINDEXED = (
    "SELECT id, kind, fqn, deleted_run IS NOT NULL, state FROM search_todo"
    " JOIN entities ON id = entity WHERE entity > ? ORDER BY entity LIMIT ?"
)


class Hit(NamedTuple):
    """An entity that was found, and the texts that hold the words, the best place first."""

    entry: Entry
    texts: list[Text]


class Found(NamedTuple):
    """The best hits; whether there are `more`; how many entities had to be read because they are
    not in the index."""

    hits: list[Hit]
    more: bool
    unindexed: int


def search(
    reader: Reader,
    asked: Sequence[str],
    *,
    kind: str | None = None,
    deleted: bool = False,
    limit: int = 20,
) -> Found:
    """What holds all words of `asked`, each at least as the beginning of a word.

    Never raises for what is asked: there is no syntax, and what has no letter and no digit finds
    nothing.
    """
    query = terms(asked)
    if not query:
        return Found([], more=False, unindexed=0)
    name = joined(" ".join(asked))
    store = reader.store
    found = _indexed(store, tiers(query, name, kind), limit, deleted=deleted)
    unindexed = 0
    for number, entry_kind, fqn, gone, state in _unindexed(store):
        unindexed += 1
        if (kind and kind != entry_kind) or (gone and not deleted) or not _may(query, fqn, state):
            continue
        answer = match(query, name, fqn, json.loads(state))
        if answer is not None:
            found[number] = Candidate(answer.tier, bool(gone), len(fqn), fqn, number)
    best = sorted(found.values())[:limit]
    entries = reader.entries([candidate.id for candidate in best])
    hits = [Hit(entry, _texts(query, name, entry)) for entry in entries]
    return Found(hits, len(found) > limit, unindexed)


def _indexed(
    store: Store, expressions: Iterable[str], limit: int, *, deleted: bool
) -> dict[int, Candidate]:
    """More than `limit` candidates by id, as far as there are, from the strictest tiers."""
    found: dict[int, Candidate] = {}
    if not indexed(store):
        return found
    with store.reading():
        for tier, expression in enumerate(expressions):
            rows = matching(store, expression, len(found) + POOL + limit, deleted=deleted)
            for number, fqn, gone in rows:
                found.setdefault(number, Candidate(tier, bool(gone), len(fqn), fqn, number))
            if len(found) > limit:
                break
    return found


class Answer(NamedTuple):
    """How well an entity answers (as in `lookup.tiers`), and the texts that hold the words."""

    tier: int
    texts: list[Text]


def match(query: Sequence[Term], name: str, fqn: str, state: Mapping[str, Any]) -> Answer | None:
    """What the index would say of this entity, with the texts; None where a word is missing."""
    held = [(text, words(text.text)) for text in texts(fqn, state)]
    held.sort(key=lambda item: PLACES.index(item[0].place))
    chosen: dict[Text, None] = {}
    worst = 0
    for term in query:
        ways = [way for way in (_way(way, held) for way in term.ways) if way]
        if not ways:
            return None
        best = min(ways, key=_worst)
        worst = max(worst, _worst(best))
        chosen.update(dict.fromkeys(best))
    named = [item for item in held if item[0].place == "name"]
    if any(joined(text.text) == name for text, _ in named):
        return Answer(0, [text for text, _ in named if joined(text.text) == name])
    if worst == 0:
        whole = {word for _, held_words in named for word in held_words}
        worst = -1 if all(any(whole.issuperset(way) for way in t.ways) for t in query) else 0
    ordered = sorted(chosen, key=lambda text: PLACES.index(text.place))
    return Answer(worst + 2, ordered)


def _way(way: Sequence[str], held: Sequence[tuple[Text, list[str]]]) -> list[Text]:
    """For each word the best text that holds it; empty where one is nowhere."""
    found = []
    for asked in way:
        text = next((t for t, held_words in held if _holds(t, held_words, asked)), None)
        if text is None:
            return []
        found.append(text)
    return found


def _holds(text: Text, held: Sequence[str], asked: str) -> bool:
    if any(begins(word, asked) for word in held):
        return True
    return text.place == "name" and begins(joined(text.text), asked)


def _worst(found: Sequence[Text]) -> int:
    return max(PLACES.index(text.place) for text in found)


def _texts(query: Sequence[Term], name: str, entry: Entry) -> list[Text]:
    answer = match(query, name, entry.fqn, entry.state)
    return answer.texts if answer else []


def _unindexed(store: Store) -> Iterator[Any]:
    """(id, kind, qualified name, whether deleted, state as JSON) of what is not in the index, page
    by page: no lock is held between pages."""
    query = _UNINDEXED if indexed(store) else _ALL
    last = 0
    while True:
        rows = store.rows(query, (last, PAGE))
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1][0]


def _may(query: Sequence[Term], fqn: str, state: str) -> bool:
    """A first look that is cheap: whether the words stand anywhere in the JSON. Only for plain
    ASCII, where they stand as they are."""
    if not (fqn.isascii() and state.isascii()):
        return True
    # Names are found by their words written as one, too.
    text = f"{joined(fqn)}\n{fqn}\n{state}".casefold()
    if '"display_name":"' in text:
        return True
    return all(any(all(word in text for word in way) for way in term.ways) for term in query)
