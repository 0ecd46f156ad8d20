"""What the command line prints on terminals that can't show it, and what names may not do to it."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from metaglean import Change, Ref
from metaglean.cli import main
from metaglean.cli.changes import print_change
from metaglean.cli.console import LineHandler
from metaglean.cli.failures import report
from metaglean.errors import ConfigError

WORKFLOW = """\
source:
  type: file
  serviceName: Straße
  serviceConnection: {config: {path: "ü\\e[2J.jsonl"}}
sink: {type: console}
"""
REF = Ref("table", ("svc", "d", "s", "Übersicht\udc80\x1b[2J\nname"))


def ascii_stream():
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


def content(stream):
    stream.flush()
    return stream.buffer.getvalue().decode("ascii")


@pytest.fixture
def replaced(monkeypatch):
    """`replaced(name)` → an ASCII stream in place of sys.stdout or sys.stderr."""

    def replaced(name):
        monkeypatch.setattr(sys, name, ascii_stream())
        return getattr(sys, name)

    return replaced


def test_a_change_is_one_line_a_field_whatever_it_holds(replaced):
    out = replaced("stdout")
    fields = {"description": ("Ü\udc80\x9b", "b\nc")}
    print_change(Change(REF, "updated", fields=fields, kept={"x\x1b": "edited\nthere"}))
    lines = content(out).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("~ change  table svc.d.s.")
    assert "\\xdcbersicht" in lines[0]
    assert lines[1] == '      description: "\\xdc\\xdc80\\x9b" \\u2192 "b\\nc"'
    assert lines[2] == "      x\\x1b: kept (edited\\nthere)"


def test_a_change_says_whose_the_stored_value_was(capsys):
    change = Change(
        Ref("table", ("svc", "d", "s", "t")),
        "updated",
        fields={"description": ("a", "b"), "tags": ([], ["x"])},
        kept={"displayName": "a person wrote it"},
        whose={"description": "ingestion-bot", "displayName": "anna"},
    )
    print_change(change)
    assert capsys.readouterr().out.splitlines() == [
        "~ change  table svc.d.s.t",
        """      description: "a" → "b" (was ingestion-bot's)""",
        """      tags: [] → ["x"]""",
        "      displayName: kept (anna's, a person wrote it)",
    ]


def test_a_log_line_whatever_it_holds():
    out = ascii_stream()
    record = logging.LogRecord("metaglean", 30, "", 0, "Ü\udc80 %s", ("\x1b[2J",), None)
    LineHandler(out, None).emit(record)
    assert content(out) == "warning: \\xdc\\xdc80 \\x1b[2J\n"


def test_commands_that_name_things(replaced, tmp_path):
    out, err = replaced("stdout"), replaced("stderr")
    path = tmp_path / "Übersicht.yaml"
    path.write_text(WORKFLOW, encoding="utf-8")
    assert main(["check", "-c", str(path)]) == 0
    assert main(["test-connection", "-c", str(path)]) == 2
    assert main(["ingest", "-c", str(path)]) == 2
    shown = content(out)
    assert "\\xdcbersicht.yaml: valid" in shown
    assert "service 'Stra\\xdfe'" in shown
    assert "\\xfc\\x1b[2J.jsonl" in shown + content(err)


def test_an_error_whatever_it_holds(replaced):
    err = replaced("stderr")
    assert report(ConfigError("Ü\udc80\x1b[2J: missing\nw.yaml:1:1", "Write ü")) == 2
    assert report(ValueError("ü\x1b")) == 70
    assert content(err).splitlines()[:4] == [
        "error: \\xdc\\xdc80\\x1b[2J: missing", "w.yaml:1:1", "  Write \\xfc",
        "error: ValueError: \\xfc\\x1b",
    ]  # fmt: skip
