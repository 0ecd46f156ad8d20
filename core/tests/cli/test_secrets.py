"""Secrets stay out of what the command line prints, whoever raises what, whenever."""

from __future__ import annotations

import os
import sys

import pytest
from pydantic import SecretStr

from metaglean import Config, Sink, Source, Step
from metaglean.cli import main
from metaglean.errors import ConfigError, Interrupted, RemoteError
from metaglean.plugins import Registry

SECRET = "hunter2-hunter2"
WORKFLOW = f"""\
source:
  type: leaky
  serviceName: svc
  serviceConnection: {{config: {{password: {SECRET}}}}}
sink: {{type: leaky}}
"""
ERRORS = [
    ValueError(f"login with {SECRET} failed"),
    ConfigError(f"no {SECRET}", f"Hint: {SECRET}"),
    RemoteError(f"no {SECRET}", f"Hint: {SECRET}"),
    SystemExit(f"bye {SECRET}"),
]
PLACES = ["init", "open", "test_connection", "read", "close"]


class LeakyConfig(Config):
    password: SecretStr


class Leaky(Source):
    type = "leaky"
    Config = LeakyConfig
    place = ""
    error: BaseException = ValueError()

    @classmethod
    def leak(cls, place):
        if place == Leaky.place:
            raise Leaky.error from KeyError(SECRET)

    def __init__(self, config, options, service):
        super().__init__(config, options, service)
        self.leak("init")

    def test_connection(self, run):
        yield Step(f"log in with {SECRET}", True, f"as {SECRET}\x1b")
        self.leak("test_connection")

    def read(self, run):
        self.leak("read")
        return iter(())


class LeakySink(Sink):
    type = "leaky"

    def open(self, run):
        yield Step("open", True)
        Leaky.leak("open")

    def write(self, records, run):
        list(records)
        return iter(())

    def close(self, status):
        Leaky.leak("close")


@pytest.fixture
def file(tmp_path, monkeypatch):
    kinds = {"source": Leaky, "sink": LeakySink}
    monkeypatch.setattr(Registry, "get", lambda self, kind, name: kinds[kind])
    path = tmp_path / "w.yaml"
    path.write_text(WORKFLOW)
    return path


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", ["ingest", "test-connection"])
def test_nobody_prints_a_secret(file, capsys, monkeypatch, command, place, error, debug):
    monkeypatch.setattr(Leaky, "place", place)
    again = type(error)(*([error.message, error.hint] if hasattr(error, "hint") else error.args))
    monkeypatch.setattr(Leaky, "error", again)
    code = main([command, "-c", str(file), *debug])
    shown = "".join(capsys.readouterr())
    assert SECRET not in shown
    assert "\x1b" not in shown
    reached = place not in {"ingest": ["test_connection"], "test-connection": ["read"]}[command]
    assert bool(code) == reached
    if reached:
        assert "error: " in shown
        assert "***" in shown
    if command == "test-connection" and place != "init":
        assert "log in with ***: as ***" in shown


def test_a_reader_that_has_seen_enough_is_no_error(file, monkeypatch, capsys):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["test-connection", "-c", str(file)]) == 0
    assert not capsys.readouterr().err


def test_a_signal_is_said_in_one_word(file, monkeypatch, capsys):
    monkeypatch.setattr(Leaky, "place", "test_connection")
    monkeypatch.setattr(Leaky, "error", Interrupted(15))
    assert main(["test-connection", "-c", str(file), "--debug"]) == 143
    assert capsys.readouterr().err == "stopped\n"


def test_a_broken_file_is_not_shown_with_its_traceback(file, capsys):
    file.write_text(f"password: {SECRET}: x\n")
    assert main(["ingest", "-c", str(file), "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert SECRET not in err
