from __future__ import annotations

import pytest
from metaglean_bookshelf import Bookshelf

from metaglean_testkit import SourceContract, SourceFaults


class TestBookshelf(SourceContract):
    source_class = Bookshelf

    @pytest.fixture
    def connection(self, api):
        return {"hostPort": api.url, "token": api.token}


class TestBookshelfFaults(SourceFaults):
    source_class = Bookshelf

    @pytest.fixture
    def upstream(self, api):
        self.api = api
        return api

    def connection(self, base_url):
        return {"hostPort": base_url, "token": self.api.token}

    def remove_one(self):
        del self.api.shelves["shelf-0003"]
        return "shelf-0003"
