"""What docs/observers.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from metaglean import Source
from metaglean.config import parse_workflow
from metaglean_testkit import Classes, MemorySink

PAGE = Path(__file__).resolve().parents[3] / "docs" / "observers.md"


class Nothing(Source):
    type = "nothing"

    def test_connection(self, run):
        return iter(())

    def read(self, run):
        return iter(())


def block(language):
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE.read_text("utf-8"))[0]


def test_the_workflow_is_valid():
    workflow = {
        "source": {"type": "nothing", "serviceName": "s", "serviceConnection": {"config": {}}},
        "sink": {"type": "memory"},
        **yaml.safe_load(block("yaml")),
    }
    config = parse_workflow(workflow, Classes(Nothing, MemorySink))
    assert [cls.type for cls, _ in config.observers] == ["opentelemetry", "openlineage"]


def test_the_observer_is_one(capsys):
    made = {}
    exec(compile(block("python"), "observers.md", "exec"), made)
    bell = made["register_observers"]()[0]
    bell(bell.Config()).ended({"service": "s", "status": "success"})
    assert capsys.readouterr().out == "s success\n"
