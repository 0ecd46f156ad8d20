"""`metaglean selfcheck` as a user sees it, with a source and a sink of nobody's."""

from __future__ import annotations

import dataclasses
import json

import pytest

from metaglean import Assumption, ConfigError, RemoteError, Sink, Source, Step
from metaglean.cli import main
from metaglean.components import Config
from metaglean.config.model import WorkflowConfig
from metaglean.options import DatabaseOptions
from metaglean.selfcheck import Finding, Selfcheck, as_markdown
from metaglean.selfcheck.report import Shown


class Shelf(Source):
    type = "shelf"
    assumptions = (
        Assumption("pages", "A page holds 100 books."),
        Assumption("times", "Times are ISO 8601."),
        Assumption("forgotten", "Nobody tests this."),
    )
    error: Exception | None = None

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        raise AssertionError("a self-check reads nothing")

    def selfcheck(self, run):
        yield Step("pages", True)
        if self.error:
            raise self.error
        yield Step("times", ok=False, detail="3 of 9 can't be read")


class Paper(Sink):
    type = "paper"

    def write(self, records, run):
        raise AssertionError("nothing is written where nothing can be removed")


def config(source=Shelf, **options):
    return WorkflowConfig(
        service_name="books",
        source_class=source,
        source_config=Config(),
        source_options=DatabaseOptions(),
        sink_type="paper",
        sink_class=Paper,
        sink_config=Config(),
        **options,
    )


def test_what_gets_no_step_is_not_tested():
    found = {one.name: (one.ok, one.detail) for one in Selfcheck(config()).findings()}
    assert found["pages"] == (True, "")
    assert found["times"] == (False, "3 of 9 can't be read")
    assert found["forgotten"] == (None, "nothing tests it")
    assert found["creates"] == (None, "this sink can't remove what a self-check makes")


@pytest.mark.parametrize("error", [RemoteError("the shelf is away"), ConfigError("no shelf")])
def test_a_system_that_is_away_is_told_and_the_rest_not_tested(error):
    class Away(Shelf):
        pass

    Away.error = error
    check = Selfcheck(config(Away))
    found = {one.name: (one.ok, one.detail) for one in check.findings()}
    assert found["times"] == found["forgotten"] == (None, error.message)
    assert check.error is error


def test_a_fault_of_a_plugin_costs_its_part():
    class Odd(Shelf):
        error = ValueError("x")

    found = {one.name: one.ok for one in Selfcheck(config(Odd)).findings()}
    assert found["pages"] is True
    assert found["times"] is None
    assert found["creates"] is None


def test_a_report_has_no_names_addresses_ids_or_quoted_words():
    shown = Shown(config(secrets=("s3cret",)))
    text = shown(
        "books at https://acme.example.com/api/v1 (10.1.2.3:8585) said 'Salaries 2026' to "
        "ann@acme.example.com about 0a1b2c3d-1111-2222-3333-444455556666 and 1234567 with s3cret; "
        "books_selfcheck_0011aabb is gone, bookshelf is not"
    )
    assert text == (
        "<service> at <address> (<address>) said '…' to <mail> about <id> and <id> with ***; "
        "<service> is gone, bookshelf is not"
    )


def test_a_report_does_not_name_a_service_whose_name_was_cut():
    long = dataclasses.replace(config(), service_name="salaries-" * 12)
    text = Shown(long)(f"{Selfcheck(long).scratch} of {long.service_name} could not be removed")
    assert text == "<service> of <service> could not be removed"


def test_a_report_names_no_host_of_the_settings():
    class Hosts(Config):
        hosts: list[str] = ["https://inner.corp/x"]
        host_port: str = "db.corp:5432"

    shown = Shown(dataclasses.replace(config(), source_config=Hosts()))
    assert shown("inner.corp is away, db.corp refuses") == "<address> is away, <address> refuses"


def test_a_report_as_a_page():
    findings = [
        Finding("source shelf", "pages", "A page | holds 100.", ok=False, detail="it\nhad 9")
    ]
    text = as_markdown(config(), findings, ["books_selfcheck_0011aabb was removed"])
    assert "| A page \\| holds 100. | broken | it had 9 |" in text
    assert "- <service> was removed" in text


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "workflow.json"
    records = tmp_path / "records.jsonl"
    records.write_text("")
    connection = {"config": {"path": str(records)}}
    source = {"type": "file", "serviceName": "books", "serviceConnection": connection}
    path.write_text(json.dumps({"source": source}))
    return path


def test_without_live_it_says_what_it_would_do(file, capsys):
    assert main(["selfcheck", "-c", str(file)]) == 2
    said = capsys.readouterr().out
    assert "source file: nothing" in said
    assert "A second run finds all unchanged" in said
    assert "  books_selfcheck_" in said
    assert said.endswith("Nothing was done: add --live.\n")
    assert not file.with_name("metaglean.db").exists()


def test_live_with_a_sink_that_cannot_be_tested(file, capsys):
    report = file.with_name("report.json")
    assert main(["selfcheck", "--live", "-c", str(file), "--report", str(report)]) == 0
    assert "0 ok, 0 BROKEN, 6 not tested" in capsys.readouterr().out
    found = json.loads(report.read_text())
    assert {one["ok"] for one in found["findings"]} == {"not tested"}
    assert "metaglean-core" in found["versions"]


def test_a_report_that_cannot_be_written_is_said_before(file, capsys):
    assert main(["selfcheck", "--live", "-c", str(file), "--report", "no/where.md"]) == 2
    assert "not a file that can be written" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_in_the_end_costs_no_finding(file, capsys):
    full = "/dev/full"
    assert main(["selfcheck", "--live", "-c", str(file), "--report", full]) == 0
    assert f"the report was not written: {full}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["selfcheck", "--live"], ["ingest"]])
def test_a_report_never_takes_the_workflows_place(file, capsys, command):
    before = file.read_bytes()
    assert main([*command, "-c", str(file), "--report", f"./{file.name}"]) == 2
    assert "is the workflow itself" in capsys.readouterr().err
    assert file.read_bytes() == before
