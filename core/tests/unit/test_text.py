"""What is printed: no name may crash a stream, move the cursor or pass for another line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean.records import Ref
from metaglean.run import Run
from metaglean.summary import summary
from metaglean.text import printable, safe, write_line

ANY = st.text(st.characters(codec=None, categories=None), max_size=40)


def stream(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def test_safe():
    assert safe("a\nb\tc\u202ed\x00") == "a\\nb\\tc\\x202ed\\x00"


def test_printable_keeps_lines_and_shows_the_rest():
    assert printable("a\n\x1b[31mÜ\udc80\r", stream("ascii")) == "a\n\\x1b[31m\\xdc\\xdc80\\r"
    assert printable("Ü → 名", stream("latin-1")) == "Ü \\u2192 \\u540d"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252"])
@given(text=ANY)
def test_every_text_can_be_written(encoding, text):
    out = stream(encoding)
    write_line(text, out)
    out.flush()
    written = out.buffer.getvalue().decode(encoding)
    assert written.endswith("\n")
    assert written.count("\n") == text.count("\n") + 1
    assert "\x1b" not in written


def test_a_stream_without_an_encoding_takes_utf_8():
    class Log(io.StringIO):
        encoding = None

    out = Log()
    write_line("Ü\udc80", out)
    assert out.getvalue() == "Ü\\xdc80\n"


def test_the_summary_shows_names_on_one_line():
    run = Run(Ref("databaseService", ("s\x1b[2J",)))
    run.problem("odd\r\nerror: all is well", "na\nme\x1b]0;x\x07", hint="a\nb")
    text = summary(run, "failed", ValueError("first\nsecond\x1b"))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "odd\\r\\nerror: all is well [na me\\x1b]0;x\\x07]" in text
    assert text.endswith("error: ValueError: first\nsecond\\x1b")
