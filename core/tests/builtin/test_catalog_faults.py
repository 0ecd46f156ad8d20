"""Whatever happens to the file: one clear error, nothing half-written."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from metaglean import ConfigError, Run, RunError
from metaglean.builtin.catalog import register_sinks
from metaglean.clock import SystemClock


@pytest.mark.parametrize("content", [b"this is no database, but long enough" * 50, b"short"])
def test_a_file_that_is_no_database(path, opened_catalog, make_run, content):
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is not an SQLite file"), opened_catalog(make_run()):
        pass
    assert path.read_bytes() == content


def test_another_programs_database(path, opened_catalog, make_run):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(ConfigError, match="not a catalog"), opened_catalog(make_run()):
        pass


def test_another_version(path, write, table, opened_catalog, make_run):
    write([table("t")])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="version 99"), opened_catalog(make_run()):
        pass


def test_an_empty_file_is_a_new_catalog(path, write, table):
    path.touch()
    assert write([table("t")], dry_run=True)[0].action == "created"
    assert not path.read_bytes()
    assert write([table("t")])[0].action == "created"
    assert write([table("t")])[0].action == "unchanged"


@pytest.mark.parametrize("dry_run", [False, True], ids=["a run", "a dry run, or a test"])
def test_a_missing_directory(path, make_run, dry_run):
    catalog = pytest.raises(ConfigError, match="there is no directory")
    with catalog, _opened_at(path.parent / "nowhere" / "x.db", make_run(dry_run=dry_run)):
        pass


def test_a_directory_instead_of_a_file(path, opened_catalog, make_run):
    path.mkdir()
    with pytest.raises(ConfigError, match="is a directory"), opened_catalog(make_run()):
        pass


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a directory nobody can write")
def test_an_unwritable_directory(table, make_run):
    run = make_run()
    refused = pytest.raises(ConfigError, match="no permission")
    with refused, _opened_at("/proc/self/x.db", run) as sink:
        list(sink.write(iter([table("t")]), run))


def _opened_at(path, run):
    @contextmanager
    def opened():
        [kind] = register_sinks()
        sink = kind(kind.Config(path=str(path)))
        try:
            list(sink.open(run))
            yield sink
        finally:
            sink.close("failed")

    return opened()


def test_a_full_disk_ends_the_run_and_keeps_what_was_written(
    path, write, table, opened_catalog, make_run, dump, query
):
    write([table("first", description="x")])
    run = make_run()
    tables = [table(f"t{i}", description="text " * 200) for i in range(1000)]
    with opened_catalog(run) as sink:
        stream = sink.write(iter(tables), run)
        written = [next(stream) for _ in range(200)]
        pages = sink._store._connection.execute("PRAGMA page_count").fetchone()[0]
        sink._store._connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(RunError, match="is full") as caught:
            written.extend(stream)
    assert "Make room" in caught.value.hint
    names = {row[0] for row in query("SELECT name FROM entities")}
    assert names == {"first", *(change.ref.name for change in written)}
    assert query("PRAGMA integrity_check") == [("ok",)]
    write(tables)
    assert query("SELECT count(*) FROM entities") == [(1001,)]


def test_a_file_that_stays_locked_is_one_clear_error(
    path, write, table, opened_catalog, make_run, dump, clock
):
    write([table("a")])
    stood, began = dump(), clock.time
    run = make_run()
    other = closing(sqlite3.connect(path, isolation_level=None))
    with other as connection, opened_catalog(run) as sink:
        connection.execute("BEGIN IMMEDIATE")
        # Each try waits for 0.1 s of real time; 600 of them would be a minute.
        clock.sleep = lambda seconds: setattr(clock, "time", clock.time + 100 * seconds)
        with pytest.raises(RunError, match="held it for 30 s"):
            list(sink.write(iter([table("b")]), run))
    assert clock.time - began >= 30
    assert dump() == stood


def test_a_reader_that_never_ends_holds_nobody_up(write, table, opened_catalog, make_run, parents):
    write([*parents, table("a")])
    run = make_run()
    with opened_catalog(run) as reading:
        stream = reading.existing("table", parents[2].ref)
        next(stream)
        assert write([table("a", description="new")])[0].action == "updated"


def test_runs_at_once_leave_what_one_leaves(path, table, parents, query):
    [kind] = register_sinks()
    tables = [table(f"t{i}", "a", description=f"text {i}") for i in range(600)]

    def one(_):
        run = Run(parents[0].ref, clock=SystemClock()).at("sink")
        sink = kind(kind.Config(path=str(path)))
        list(sink.open(run))
        changes = list(sink.write(iter([*parents, *tables]), run))
        sink.close("success")
        return len(changes), run.report.problems.count

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(one, range(3))) == [(603, 0)] * 3
    assert query("SELECT count(*) FROM entities") == [(603,)]
    # Nobody created what another had created.
    assert query("SELECT count(*) FROM history") == [(603,)]
    assert query("SELECT status FROM runs") == [("success",)] * 3


KILLED = """
import sys
from metaglean import Ref, Run, Table
from metaglean.builtin.catalog import register_sinks
schema = Ref("databaseSchema", ("domo", "default", "default"))
[kind] = register_sinks()
sink = kind(kind.Config(path=sys.argv[1]))
run = Run(Ref("databaseService", ("domo",)))
list(sink.open(run))
def records():
    for i in range(1_000_000):
        yield Table(ref=schema.child("table", f"t{i}"), description="text " * 20)
for number, change in enumerate(sink.write(records(), run)):
    if number == 300:
        print("going", flush=True)
"""


def test_a_killed_run_leaves_a_file_that_the_next_one_completes(path, write, table, query, dump):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "going\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert query("PRAGMA integrity_check") == [("ok",)]
    [[number]] = query("SELECT count(*) FROM entities")
    assert number >= 200
    assert query("SELECT count(*) FROM history") == [(number,)]
    tables = [table(f"t{i}", description="text " * 20) for i in range(number + 100)]
    actions = [change.action for change in write(tables)]
    assert actions == ["unchanged"] * number + ["created"] * 100
    after = dump()
    path.unlink()
    write(tables)
    assert dump() == after
    assert query("SELECT ended IS NULL FROM runs") == [(0,)]


def test_a_source_that_fails_writes_what_it_gave(write, table, opened_catalog, make_run, query):
    run = make_run()

    def failing():
        yield table("a")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"), opened_catalog(run) as sink:
        list(sink.write(failing(), run))
    # Core ends the stream instead; here nothing half-written may stay either.
    assert query("SELECT count(*) FROM entities") == [(0,)]
    write([table("a")])
    assert query("SELECT count(*) FROM entities") == [(1,)]


TORN = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that pages of the open transaction reach the file
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE entities SET state = '{}', name = 'torn'")
os._exit(9)
"""


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_torn_transaction_is_undone_by_whoever_comes_next(path, write, table, dump, dry_run):
    tables = [table(f"t{i}", description="text " * 100) for i in range(100)]
    write(tables)
    stood = dump()
    subprocess.run([sys.executable, "-c", TORN, str(path)], check=False)
    assert path.with_name(f"{path.name}-journal").exists()
    assert {change.action for change in write(tables, dry_run=dry_run)} == {"unchanged"}
    assert dump() == stood
