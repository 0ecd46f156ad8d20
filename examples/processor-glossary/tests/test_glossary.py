from __future__ import annotations

import pytest
from metaglean_glossary import Glossary, GlossaryConfig

from metaglean import Column, Ref, Run, Table
from metaglean_testkit import ProcessorContract

SCHEMA = Ref("databaseSchema", ("service", "database", "schema"))


class TestGlossary(ProcessorContract):
    processor_class = Glossary

    @pytest.fixture
    def settings(self):
        return {"terms": {"ID": "The key.", 'odd "name".x': "An odd one."}}


def described(columns):
    processor = Glossary(GlossaryConfig(terms={"ISBN": "Names an edition."}))
    table = Table(ref=SCHEMA.child("table", "t"), columns=columns)
    run = Run(Ref("databaseService", ("service",)))
    return [c.description for t in processor.process(iter([table]), run) for c in t.columns]


def test_describes_what_the_source_leaves_open():
    assert described((Column(name="isbn"),)) == ["Names an edition."]


def test_the_sources_own_words_win():
    assert described((Column(name="isbn", description="ours"), Column(name="x"))) == ["ours", None]


def test_unread_columns_stay_unread():
    table = Table(ref=SCHEMA.child("table", "t"))
    run = Run(Ref("databaseService", ("service",)))
    (out,) = Glossary(GlossaryConfig()).process(iter([table]), run)
    assert "columns" not in out.model_fields_set
