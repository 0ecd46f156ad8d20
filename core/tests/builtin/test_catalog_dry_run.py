from __future__ import annotations

from metaglean import Lineage


def test_a_missing_file_is_empty_and_stays_missing(write, table, parents, path):
    a, b = table("a"), table("b")
    changes = write([*parents, a, b, Lineage(ref=a.ref, target=b.ref)], dry_run=True)
    assert {change.action for change in changes} == {"created"}
    assert not list(path.parent.iterdir())


def test_it_says_what_a_run_then_does_and_changes_no_byte(write, table, parents, path):
    write([*parents, table("a", "x", description="old"), table("b"), table("c", owners=())])
    content = path.read_bytes()
    after = [*parents, table("a", "y", description="new"), table("b"), table("d")]
    planned = write(after, dry_run=True)
    assert path.read_bytes() == content
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert write(after) == planned
    assert [change.action for change in planned][-3:] == ["updated", "unchanged", "created"]


def test_opening_alone_leaves_no_file(opened_catalog, make_run, path):
    with opened_catalog(make_run()):
        pass
    assert not list(path.parent.iterdir())
