"""The catalog's tables. `state` and the like stand last, so that reading the narrow columns before
them never touches the pages that they fill."""

from __future__ import annotations

APPLICATION_ID = 0x4D474C4E  # "MGLN": tells a catalog from other SQLite files
VERSION = 2
READABLE = (1, 2)  # what a reader understands; a writer brings the file to VERSION

# What search needs besides the full-text table, which index.py makes where SQLite has FTS5.
# search_docs says which row of it is an entity's newest text (rows before it are never found);
# search_todo holds the entities whose newest text is not in it yet, whoever wrote them.
SEARCH = (
    "CREATE TABLE search_docs (doc INTEGER PRIMARY KEY, entity INTEGER NOT NULL UNIQUE)",
    "CREATE TABLE search_todo (entity INTEGER PRIMARY KEY)",
    """
    CREATE TRIGGER search_created AFTER INSERT ON entities
    BEGIN INSERT OR IGNORE INTO search_todo VALUES (new.id); END
    """,
    """
    CREATE TRIGGER search_changed AFTER UPDATE OF state ON entities
    WHEN new.state IS NOT old.state
    BEGIN INSERT OR IGNORE INTO search_todo VALUES (new.id); END
    """,
)
# From version 1: all that stands is still to be indexed.
MIGRATION = (*SEARCH, "INSERT INTO search_todo SELECT id FROM entities")

# entities.parent and fqn are qualified names (metaglean.fqn.build), name is the stored form.
# state is the record's JSON without ref and without what is volatile; hash is the digest of the
# record that was merged last, or NULL where merging it again might give something else.
TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    source_type TEXT NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    status TEXT,
    counts TEXT
);
CREATE TABLE entities (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    fqn TEXT NOT NULL,
    source_id TEXT,
    hash BLOB,
    deleted_run INTEGER REFERENCES runs (id),
    updated REAL NOT NULL,
    created_run INTEGER NOT NULL REFERENCES runs (id),
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    volatile TEXT NOT NULL,
    state TEXT NOT NULL,
    UNIQUE (kind, fqn)
);
CREATE INDEX entities_by_parent ON entities (kind, parent);
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    entity INTEGER NOT NULL REFERENCES entities (id),
    run INTEGER NOT NULL REFERENCES runs (id),
    at REAL NOT NULL,
    action TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX history_by_entity ON history (entity);
CREATE INDEX history_by_run ON history (run);
CREATE TABLE lineage (
    entity INTEGER NOT NULL REFERENCES entities (id),
    target INTEGER NOT NULL REFERENCES entities (id),
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    state TEXT NOT NULL,
    PRIMARY KEY (entity, target)
);
CREATE INDEX lineage_by_target ON lineage (target);
CREATE TABLE pipeline_runs (
    entity INTEGER NOT NULL REFERENCES entities (id),
    timestamp INTEGER NOT NULL,
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    state TEXT NOT NULL,
    PRIMARY KEY (entity, timestamp)
);
CREATE TABLE profiles (
    entity INTEGER NOT NULL REFERENCES entities (id),
    timestamp INTEGER NOT NULL,
    updated_run INTEGER NOT NULL REFERENCES runs (id),
    state TEXT NOT NULL,
    PRIMARY KEY (entity, timestamp)
)
"""
