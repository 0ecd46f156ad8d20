"""The page for those who come from OpenMetadata's ingestion names every key that is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metaglean.builtin.server.config import MetadataRestConfig, SecurityConfig, ServerConfig
from metaglean.config.frame import SourceFrame, WorkflowFrame, WorkflowSettings
from metaglean.config.keys import keys_of, spellings, without_effect
from metaglean_domo.config import DomoConnection, DomoDatabaseOptions

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "migrating.md").read_text("utf-8")
KEYS = PAGE[PAGE.index("## Keys") : PAGE.index("## Calls")]
ROW = re.compile(r"(?m)^\| (`.+?`) \| (same|changed|ignored|new) \|")
# Not the peer's keys: this project's own, which the pages of Domo and of the workflow explain.
OURS = {"caFile", "columnDescriptions", "coOwners"}
MODELS = (
    WorkflowFrame, WorkflowSettings, SourceFrame, ServerConfig, MetadataRestConfig, DomoConnection,
    DomoDatabaseOptions,
)  # fmt: skip


def named() -> dict[str, set[str]]:
    """What the page says of each key, where it has several tables possibly several words."""
    found: dict[str, set[str]] = {}
    for keys, word in ROW.findall(KEYS):
        for key in re.findall(r"`([^`]+)`", keys):
            found.setdefault(key.removeprefix("source."), set()).add(word)
    return found


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_named_with_what_becomes_of_it(model):
    table = named()
    known = set(keys_of(model)) - OURS - {"source"}
    assert not {key for key in known if key not in table}, "not on the page"
    for key in without_effect(model):
        assert "ignored" in table.get(key, ()), key
    for key in spellings(model):
        assert "changed" in table.get(key, ()), key


def test_a_key_of_the_page_is_one_that_is_accepted():
    accepted = {
        key
        for model in (*MODELS, SecurityConfig)
        for key in (*keys_of(model), *without_effect(model), *spellings(model))
    }
    assert named().keys() - accepted == set()
