"""Asking the full-text index: what is asked for as an expression, and the entities that answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from metaglean.builtin.catalog.documents import PLACES
from metaglean.builtin.catalog.index import exists
from metaglean.builtin.catalog.store import Store
from metaglean.builtin.catalog.words import Term, is_short

MOST_NAMED = 2000
_FIND = (
    "SELECT d.entity, e.fqn, e.deleted_run IS NOT NULL FROM search"
    " CROSS JOIN search_docs d ON d.doc = search.rowid CROSS JOIN entities e ON e.id = d.entity"
    " WHERE search MATCH ? AND (? OR e.deleted_run IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM search_todo t WHERE t.entity = d.entity) LIMIT ?"
)


class Candidate(NamedTuple):
    """An entity that answers, and how well: 0 is its very name, more is worse."""

    tier: int
    deleted: bool
    length: int
    fqn: str
    id: int


def tiers(terms: Sequence[Term], name: str, kind: str | None) -> Iterator[str]:
    """Expressions of FTS5, the strictest first, each true for all that those before it find:
    the very name, all words whole in the name, begun in it, then in one more place each.

    `name` is what was asked for, written as one word. All words are letters and digits.
    """
    of_kind = f' AND kind : "{kind}"' if kind else ""
    if name:
        yield f'name : "{name}"{of_kind}'
    yield f"name : ({_all(terms, whole=True)}){of_kind}"
    for number in range(1, len(PLACES) + 1):
        places = " ".join(PLACES[:number])
        yield f"{{{places}}} : ({_all(terms, whole=False)}){of_kind}"


def _all(terms: Sequence[Term], *, whole: bool) -> str:
    return " AND ".join(f"({_any(term, whole=whole)})" for term in terms)


def _any(term: Term, *, whole: bool) -> str:
    ways = (" AND ".join(_word(word, whole=whole) for word in way) for way in term.ways)
    return " OR ".join(f"({way})" for way in ways)


def _word(word: str, *, whole: bool) -> str:
    return f'"{word}"' if whole or is_short(word) else f'"{word}" *'


def indexed(store: Store) -> bool:
    """Whether there is an index that can be asked."""
    return store.version > 1 and exists(store)


def matching(store: Store, expression: str, limit: int, *, deleted: bool) -> list[Any]:
    """(id, qualified name, whether deleted) of indexed entities that answer, in no order."""
    return store.rows(_FIND, (expression, deleted, limit))


def named(store: Store, terms: Sequence[Term]) -> list[int] | None:
    """Ids of the entities, deleted ones too, that have all words in their name or display name;
    None where that can't be told: there are too many, or some are not in the index."""
    if store.row("SELECT 1 FROM search_todo LIMIT 1"):
        return None
    rows = matching(store, f"name : ({_all(terms, whole=True)})", MOST_NAMED, deleted=True)
    return [row[0] for row in rows] if len(rows) < MOST_NAMED else None
