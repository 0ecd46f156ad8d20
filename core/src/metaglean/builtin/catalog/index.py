"""The full-text index of a catalog, kept by those who write it.

A change only notes its entity in `search_todo` (by a trigger, so in its own transaction); the sink
indexes what was noted in portions, which costs less than indexing each change by itself. Search
reads what is still noted from the entities, so what it finds is always what stands: after a run
that was killed, during one, and in a file that a Python without FTS5 wrote.

The full-text table stores no text of its own (that would nearly double the file), so a row can't
be taken out of it: a changed entity gets a new row, and `search_docs` says which one counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from metaglean.builtin.catalog.documents import document
from metaglean.builtin.catalog.store import Store

PORTION = 500  # entities in one transaction
WASTE = 10_000  # rows that don't count; when as many as those that do, and this many, start anew

# After `kind` the places of documents.PLACES.
_CREATE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(kind, name, parts, labels, texts, path,"
    " content='', columnsize=0, detail=column, tokenize='ascii')"
)
_INSERT = (
    "INSERT INTO search (rowid, kind, name, parts, labels, texts, path)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def available(store: Store) -> bool:
    """Whether this Python's SQLite has full-text search."""
    # Either pragma gives nothing where SQLite was built without it.
    named = [row[0] for row in store.rows("PRAGMA module_list")]
    return "fts5" in named or ("ENABLE_FTS5",) in store.rows("PRAGMA compile_options")


def exists(store: Store) -> bool:
    """Whether the catalog has a full-text table, and this SQLite can read it."""
    found = store.row("SELECT 1 FROM sqlite_master WHERE name = 'search'")
    return bool(found) and available(store)


def waiting(store: Store) -> int:
    """How many entities are to be indexed; none where SQLite has no FTS5."""
    number: int = store.row("SELECT count(*) FROM search_todo")[0]
    return number if available(store) else 0


def catch_up(store: Store, stopping: Callable[[], bool], most: int | None = None) -> int:
    """Index what was noted, in transactions of PORTION, at most about `most` entities. Returns how
    many it was; nothing is done where SQLite has no FTS5."""
    if not available(store):
        return 0
    live, last = store.row("SELECT count(*), ifnull(max(doc), 0) FROM search_docs")
    if last > 2 * live + WASTE:
        with store.writing():
            _clear(store)
    total = 0
    while (most is None or total < most) and not stopping():
        with store.writing():
            done = _portion(store)
        total += done
        if done < PORTION:
            break
    return total


def _portion(store: Store) -> int:
    store.execute(_CREATE)
    rows = store.rows(
        "SELECT id, kind, fqn, state FROM search_todo JOIN entities ON id = entity LIMIT ?",
        (PORTION,),
    )
    if not rows:
        return 0
    last = store.row("SELECT ifnull(max(doc), 0) FROM search_docs")[0]
    texts = ((kind, *document(name, json.loads(state))) for _, kind, name, state in rows)
    store.execute_each(_INSERT, ((doc, *text) for doc, text in enumerate(texts, last + 1)))
    ids = [(row[0],) for row in rows]
    store.execute_each(
        "REPLACE INTO search_docs (doc, entity) VALUES (?, ?)",
        ((doc, number) for doc, (number,) in enumerate(ids, last + 1)),
    )
    store.execute_each("DELETE FROM search_todo WHERE entity = ?", ids)
    return len(rows)


def _clear(store: Store) -> None:
    """Forget all rows, and note every entity."""
    store.execute("INSERT INTO search (search) VALUES ('delete-all')")
    store.execute("DELETE FROM search_docs")
    store.execute("INSERT OR IGNORE INTO search_todo SELECT id FROM entities")
