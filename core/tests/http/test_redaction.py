from __future__ import annotations

import base64
import io
import json
import logging
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean.redaction import Redactor

SECRET = 'ca/na ry+"value'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        json.dumps(SECRET),
        repr(SECRET),
    ],
)
def test_every_form_is_masked(form):
    cleaned = Redactor(SECRET).clean(f"before {form} after")
    assert "***" in cleaned
    assert "na" not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


def test_short_and_empty_values_are_ignored():
    redactor = Redactor("", None, "abc")
    assert redactor.clean("abc def") == "abc def"


def test_longest_first():
    assert Redactor("secret", "secret-longer").clean("x secret-longer x secret") == "x *** x ***"


def test_trailing_newline_of_a_file():
    assert Redactor("token-1\n").clean("is token-1.") == "is ***."


def test_lines_of_a_key_are_masked():
    key = "-----BEGIN-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCBKcw\n"
    assert Redactor(key).clean("oops kiG9w0BAQEFAASCBKcw") == "oops ***"


@given(st.text(min_size=4).filter(lambda text: text.strip() == text), st.text(), st.text())
def test_the_value_never_survives(secret, before, after):
    if "*" not in secret:
        assert secret not in Redactor(secret).clean(f"{before}{secret}{after}")


def test_clean_value_keeps_the_shape():
    value = {"a": ["x canary", ("canary", 1)], "canary": None, "n": 1.5, "t": True}
    assert Redactor("canary").clean_value(value) == {
        "a": ["x ***", ("***", 1)], "***": None, "n": 1.5, "t": True,
    }  # fmt: skip


def test_url():
    redactor = Redactor("registered")
    text = "https://me:pw@host/p?client_secret=abc&limit=5&API_KEY=x&q=registered#f"
    assert redactor.url(text) == (
        "https://***@host/p?client_secret=***&limit=5&API_KEY=***&q=***#f"
    )
    assert redactor.url("GET /v1/things?limit=50&offset=0") == "GET /v1/things?limit=50&offset=0"
    assert redactor.url("see https://host/a?code=1&x=2 and a@b") == (
        "see https://host/a?code=***&x=2 and a@b"
    )


@pytest.fixture
def logged():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redactor("canary-1").filter())
    log = logging.getLogger("metaglean.test-redaction")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    yield log, stream
    log.removeHandler(handler)


def test_filter_cleans_message_and_arguments(logged):
    log, stream = logged
    log.info("a %s %d", "canary-1", 5)
    log.info("canary-1 in the message, 100%")
    log.info("https://u:p@host/?token=abc")
    log.info({"key": "canary-1"})
    written = stream.getvalue()
    assert "canary" not in written
    assert "a *** 5" in written
    assert "100%" in written
    assert "https://***@host/?token=***" in written


def test_filter_cleans_tracebacks(logged):
    log, stream = logged
    try:
        int("it was canary-1")
    except ValueError:
        log.exception("failed", stack_info=True)
    assert "canary" not in stream.getvalue().replace('"canary-1"', "")
    assert "ValueError: invalid literal for int() with base 10: 'it was ***'" in stream.getvalue()


def test_filter_survives_arguments_that_do_not_fit(logged, capsys):
    log, stream = logged
    log.info("a %d", "canary-1")
    assert "canary" not in stream.getvalue() + capsys.readouterr().err
    assert "***" in stream.getvalue()


def test_threads():
    redactor = Redactor()
    numbers = range(40)

    def work(start):
        for number in numbers:
            redactor.add(f"secret-{start}-{number}")

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for start in range(4):
        assert redactor.clean(f"secret-{start}-39") == "***"
