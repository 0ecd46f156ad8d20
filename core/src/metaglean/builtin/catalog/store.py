"""The SQLite file: opened, checked, and used in short transactions that wait for their turn.

A rollback journal, not WAL: a catalog is then one file that may be copied, read where it can't be
written, and kept on the network shares that schedulers use. Its price is that a writer waits for
readers, so nobody keeps a lock while something else (a source, a pager) takes its time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from metaglean.builtin.catalog.schema import (
    APPLICATION_ID,
    MIGRATION,
    READABLE,
    SEARCH,
    TABLES,
    VERSION,
)
from metaglean.clock import Clock
from metaglean.errors import ConfigError, MetagleanError, RunError

DEFAULT_PATH = "metaglean.db"
ENVIRONMENT = "METAGLEAN_CATALOG"
PATIENCE = 30.0  # seconds until a locked file is an error
PAUSE = 0.05

Result = TypeVar("Result")


def default_path() -> str:
    """Where the catalog is if nothing is said: `METAGLEAN_CATALOG`, else `metaglean.db` here."""
    return os.environ.get(ENVIRONMENT) or DEFAULT_PATH


class Store:
    """One connection to a catalog.

    `writable` creates the file and its tables where they are missing, and brings an older catalog
    to this version; without it a missing file reads as an empty catalog, and nothing is ever
    written. `version` is that of the file. Raises ConfigError for what is no catalog or one of a
    newer version, RunError for a full disk and for a file that stays locked.
    """

    def __init__(self, path: Path, clock: Clock, *, writable: bool) -> None:
        self.path = path
        self.version = VERSION
        self._clock = clock
        with self._translated():
            self._connection = self._connect(writable)
            try:
                self._check(writable)
            except BaseException:
                self._connection.close()
                raise

    def _connect(self, writable: bool) -> sqlite3.Connection:
        """A missing file that must not be made is a database in memory."""
        if not writable and not self.path.exists():
            name, mode = ":memory:", "rw"
        else:
            name = self.path.absolute().as_uri()
            # A read-only connection can't mend what a killed run left behind, so it is only
            # for files that can't be written anyway.
            mode = "rwc" if writable else ("rw" if os.access(self.path, os.W_OK) else "ro")
            name = f"{name}?mode={mode}"
        # SQLite's own waiting can't be interrupted, so it is short and repeated (`_patiently`).
        connection = sqlite3.connect(
            name, uri=name != ":memory:", timeout=0.1, isolation_level=None
        )
        # A batch never fills the cache; spilling it would need the lock before the commit.
        connection.execute("PRAGMA cache_spill = OFF")
        return connection

    def _check(self, writable: bool) -> None:
        tables, application, version = self._patiently(self._identity)
        if tables and application != APPLICATION_ID:
            raise ConfigError(
                f"{self.path} is an SQLite file, but not a catalog",
                "Name another file; nothing was changed in this one.",
            )
        if tables and version not in READABLE:
            raise ConfigError(
                f"{self.path} has catalog version {version}, this Metaglean has {VERSION}",
                "Use the Metaglean that made it, or another file.",
            )
        if tables and version != VERSION:
            self.version = self._migrate() if writable else version
        if not tables:
            if not writable:  # an empty file must stay as it is, too
                self._connection.close()
                self._connection = sqlite3.connect(":memory:", isolation_level=None)
            self._create()
        if not writable:
            self._connection.execute("PRAGMA query_only = ON")

    def _identity(self) -> tuple[int, int, int]:
        """The number of tables, the application id, the schema version."""
        run = self._connection.execute
        tables: int = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application: int = run("PRAGMA application_id").fetchone()[0]
        version: int = run("PRAGMA user_version").fetchone()[0]
        return tables, application, version

    def _create(self) -> None:
        with self.writing():
            if self._identity()[0]:
                return  # another run was faster
            for statement in (*TABLES.split(";"), *SEARCH):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _migrate(self) -> int:
        """From version 1, in one short transaction; returns the version it has then."""
        with self.writing():
            if self._identity()[2] != VERSION:  # no other run was faster
                for statement in MIGRATION:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
        return VERSION

    @staticmethod
    def may_write(path: Path) -> None:
        """Raises ConfigError where the file, or a new one, can't be written."""
        if path.exists():
            writable = path.is_file() and os.access(path, os.W_OK)
        else:
            writable = path.absolute().parent.is_dir()
        # SQLite keeps its journal beside the file.
        if not (writable and os.access(path.absolute().parent, os.W_OK)):
            raise _unwritable(path)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of one query; the lock is gone when this returns."""
        with self._translated():
            return self._patiently(lambda: self._connection.execute(sql, values).fetchall())

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first row of one query, or None."""
        found = self.rows(sql, values)
        return found[0] if found else None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement inside `writing`; returns the id of an inserted row."""
        with self._translated():
            return self._connection.execute(sql, values).lastrowid or 0

    def execute_each(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """One statement for each of `values`, inside `writing`."""
        with self._translated():
            self._connection.executemany(sql, values)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several reads under one lock, of one state."""
        with self._transaction("BEGIN"):
            self.rows("SELECT 1 FROM sqlite_master LIMIT 1")  # takes the lock
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: waits until no other run writes; on any error nothing of it stays."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        try:
            with self._translated():
                self._patiently(lambda: self._connection.execute(begin))
            yield
            with self._translated():
                self._patiently(lambda: self._connection.execute("COMMIT"))
        finally:
            # Still open only if something failed; SQLite itself ends it on a full disk.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _patiently(self, action: Callable[[], Result]) -> Result:
        """`action`, again and again while another connection holds the file."""
        deadline = self._clock.monotonic() + PATIENCE
        while True:
            try:
                return action()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or self._clock.monotonic() >= deadline:
                    raise
            self._clock.sleep(PAUSE)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def close(self) -> None:
        self._connection.close()


def translate(error: sqlite3.Error, path: Path) -> MetagleanError:
    """An error of SQLite as one of ours, by its message (its codes come with Python 3.11)."""
    text = str(error)
    if "locked" in text:
        return RunError(
            f"catalog {path}: another run or program held it for {PATIENCE:.0f} s",
            "Start this run again when the other one has ended; nothing is half-written.",
        )
    if "is full" in text or "disk I/O" in text:
        return RunError(
            f"catalog {path}: can't be written ({text})",
            "Make room and run again; what was written before stands.",
        )
    if "not a database" in text:
        return ConfigError(
            f"{path} is not an SQLite file", "Name another file; nothing was changed in this one."
        )
    if "unable to open" in text or "readonly" in text:
        return _unwritable(path)
    if "malformed" in text:
        return RunError(f"catalog {path} is damaged: {text}", "Restore it, or start a new file.")
    return RunError(f"catalog {path}: {text}", "")


def _unwritable(path: Path) -> ConfigError:
    parent = path.absolute().parent
    if not parent.is_dir():
        why = f"there is no directory {parent}"
    elif path.is_dir():
        why = "it is a directory"
    else:
        why = f"no permission to write it, or new files in {parent}"
    return ConfigError(f"catalog {path}: {why}", "Give another file: `path: FILE`.")
