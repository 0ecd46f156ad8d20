"""The core's processors keep the rules that the kit asks of everybody's."""

from __future__ import annotations

import pytest

from metaglean.builtin.describe import DescribeProcessor
from metaglean.builtin.drop_columns import DropColumnsProcessor
from metaglean.builtin.owner import OwnerProcessor
from metaglean.builtin.tag import TagProcessor
from metaglean_testkit import ProcessorContract


class TestTag(ProcessorContract):
    processor_class = TagProcessor

    @pytest.fixture
    def settings(self):
        rules = [
            {"pattern": r".*\.orders$", "tag": "Order"},
            {"pattern": ".*", "columns": "(odd|id)", "tag": r"\1"},
        ]
        return {"classification": "Rules", "rules": rules}


class TestTagThatAdds(ProcessorContract):
    processor_class = TagProcessor

    @pytest.fixture
    def settings(self):
        rules = [{"pattern": ".*", "tag": "Sample", "columns": "id"}]
        return {"classification": "Testkit", "mode": "add", "rules": rules}


class TestOwner(ProcessorContract):
    processor_class = OwnerProcessor

    @pytest.fixture
    def settings(self):
        rules = [{"pattern": ".*", "users": ["bob@example.com"], "teams": ["Data"]}]
        return {"mode": "always", "rules": rules}


class TestDescribe(ProcessorContract):
    processor_class = DescribeProcessor

    @pytest.fixture
    def settings(self):
        rules = [
            {"pattern": r"(.*)", "description": r"It is \1."},
            {"pattern": ".*", "columns": "(.*)", "description": r"Column \1."},
        ]
        return {"mode": "always", "rules": rules}


class TestDropColumns(ProcessorContract):
    processor_class = DropColumnsProcessor

    @pytest.fixture
    def settings(self):
        return {"rules": [{"columns": '"odd', "pattern": ".*"}]}


class TestDropsAllColumns(ProcessorContract):
    processor_class = DropColumnsProcessor

    @pytest.fixture
    def settings(self):
        return {"rules": [{"columns": ".*"}]}
