"""`--log-format json`: every line of standard error is one JSON object, whatever happens."""

from __future__ import annotations

import json
import logging
import os
import signal

import pytest
from pydantic import SecretStr

from metaglean import Config, Database, Listed, RemoteError, Schema, Sink, Source, Step, Table
from metaglean.cli import console, main
from metaglean.plugins import Registry

SECRET = 'hunter2-hunter2-"quoted"-\u00fc'
WORKFLOW = f"""\
source:
  type: troubled
  serviceName: svc
  serviceConnection: {{config: {{password: {json.dumps(SECRET)}}}}}
sink: {{type: swallow}}
pipelineRunId: run-1
"""


class TroubledConfig(Config):
    password: SecretStr


class Troubled(Source):
    type = "troubled"
    Config = TroubledConfig
    trouble = staticmethod(lambda run: None)

    def test_connection(self, run):
        run.warn(f"a warning with {SECRET}", feature="tags")
        yield Step("read", True)
        Troubled.trouble(run)

    def read(self, run):
        database = self.service.child("database", "d")
        schema = database.child("databaseSchema", "s")
        yield Database(ref=database)
        yield Schema(ref=schema)
        for ref, _ in run.listing("table", schema).over(
            [Listed("1", "half\udc80"), Listed("2", "b")]
        ):
            with run.item(ref):
                if ref.name == "b":
                    raise ValueError(f"{SECRET}\nsecond line")
                yield Table(ref=ref, source_id="1", columns=())
        logging.getLogger("metaglean.plugin").warning("https://u:p4ssw0rd@host/%s", SECRET)
        Troubled.trouble(run)


class Swallow(Sink):
    type = "swallow"

    def write(self, records, run):
        list(records)
        return iter(())


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """`ask(command, …)` → exit code, standard output, the objects of standard error."""
    kinds = {"source": Troubled, "sink": Swallow}
    monkeypatch.setattr(Registry, "get", lambda self, kind, name: kinds[kind])
    path = tmp_path / "w.yaml"
    path.write_text(WORKFLOW, "utf-8")

    def ask(command, *options, trouble=lambda run: None):
        monkeypatch.setattr(Troubled, "trouble", staticmethod(trouble))
        code = main([command, "-c", str(path), "--log-format", "json", *options])
        out, err = capsys.readouterr()
        for form in (SECRET, json.dumps(SECRET)[1:-1], "p4ssw0rd"):
            assert form not in out + err
        return code, out, [json.loads(line) for line in err.splitlines()]

    return ask


def failing(run):
    raise RemoteError(f"away: {SECRET}", f"Hint: {SECRET}")


def test_every_line_is_an_object(ask):
    code, out, lines = ask("ingest")
    assert (code, out) == (1, "")  # one of two tables failed
    assert {line["service"] for line in lines} == {"svc"}
    assert {line["run"] for line in lines} == {"run-1"}
    assert all(line["time"].endswith("Z") and line["logger"] for line in lines)
    problem = next(line for line in lines if line.get("exception") == "ValueError")
    assert problem["level"] == "ERROR"
    assert problem["stage"] == "source"
    assert problem["item"] == "svc.d.s.b"
    assert "***" in problem["message"]
    assert "traceback" not in problem
    plugin = next(line for line in lines if line["logger"] == "metaglean.plugin")
    assert plugin["message"] == "https://***@host/***"
    told, last = lines[-2:]
    assert told["summary"]["problems"] == 1
    assert told["summary"]["exit_code"] == last["exit_code"] == 1
    assert last["exception"] == "RunError"
    assert last["hint"]


def test_a_run_that_ends_in_an_error_with_its_traceback(ask):
    code, _, lines = ask("ingest", "--debug", trouble=failing)
    assert code == 3
    assert lines[-1]["message"] == "away: ***"
    assert lines[-1]["hint"] == "Hint: ***"
    assert "Traceback" in lines[-1]["traceback"]


def test_a_signal(ask):
    code, _, lines = ask("ingest", trouble=lambda run: os.kill(os.getpid(), signal.SIGINT))
    assert code == 130
    assert [line["message"] for line in lines if line["message"].startswith("stop")] == [
        "stopping; what is in flight is written (again: at once)", "stopped",
    ]  # fmt: skip
    assert next(line for line in lines if "summary" in line)["summary"]["status"] == "stopped"


def test_quiet_leaves_the_errors(ask):
    _, _, lines = ask("ingest", "-q")
    assert {line["level"] for line in lines} == {"ERROR"}


def test_progress_is_a_line(ask, monkeypatch):
    monkeypatch.setattr(console, "PLAIN_INTERVAL", 0.01)
    _, _, lines = ask("ingest", trouble=lambda run: run.clock.sleep(0.1))
    found = [line["progress"] for line in lines if "progress" in line]
    assert found[-1]["total"] == 2
    assert found[-1]["seconds"] >= 0


def test_what_is_wrong_before_a_run(ask, tmp_path):
    (tmp_path / "w.yaml").write_text("source: [\n", "utf-8")
    code, _, lines = ask("ingest")
    assert code == 2
    assert [line["exception"] for line in lines] == ["ConfigError"]
    assert "run" not in lines[0]


@pytest.mark.parametrize("trouble", [lambda run: None, failing])
def test_a_connection_test(ask, trouble):
    code, out, lines = ask("test-connection", trouble=trouble)
    assert out.startswith("ok         read")
    assert lines[0]["message"] == "a warning with ***"
    assert code == (3 if trouble is failing else 0)
    assert len(lines) == (2 if trouble is failing else 1)


def test_text_is_the_default(ask, tmp_path, capsys):
    assert main(["ingest", "-c", str(tmp_path / "w.yaml")]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("svc: ")
    assert err.splitlines()[-2].startswith("error: only ")
