"""The examples of docs/processors.md: what goes in, and what comes out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from metaglean import Ref
from metaglean.config.rename import RenameConfig
from metaglean.plugins import Registry
from metaglean.records import dump, load
from metaglean.run import Run

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "processors.md").read_text("utf-8")
EXAMPLE = re.compile(
    r"(?ms)^```yaml\n((?:processors|rename):.*?)^```\n\nBefore:\n\n```json\n(.*?)^```\n\n"
    r"After:\n\n```json\n(.*?)^```"
)
EXAMPLES = EXAMPLE.findall(PAGE)


def test_every_processor_has_an_example():
    blocks = [yaml.safe_load(text).get("processors", ()) for text, *_ in EXAMPLES]
    shown = {entry["type"] for block in blocks for entry in block}
    installed = {"filter", "tag", "owner", "describe", "drop-columns"}
    assert shown == installed == set(re.findall(r"(?m)^## `([\w-]+)`$", PAGE))


@pytest.mark.parametrize(("text", "before", "after"), EXAMPLES)
def test_the_example_is_true(text, before, after):
    records = iter([load(line) for line in before.splitlines()])
    run = Run(Ref("databaseService", ("domo",))).at("processor")
    workflow = yaml.safe_load(text)
    renaming = RenameConfig.model_validate(workflow.get("rename", {})).renaming("domo")
    records = map(renaming.record, records)
    for entry in workflow.get("processors", ()):
        processor_class = Registry().get("processor", entry["type"])
        config = processor_class.Config.model_validate(entry["config"])
        records = processor_class(config).process(records, run)
    assert [json.loads(dump(one)) for one in records] == list(map(json.loads, after.splitlines()))
