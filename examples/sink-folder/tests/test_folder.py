from __future__ import annotations

import pytest
from metaglean_folder import Folder

from metaglean_testkit import SinkContract, directory_snapshot


class TestFolder(SinkContract):
    sink_class = Folder

    @pytest.fixture
    def settings(self, tmp_path):
        return {"directory": str(tmp_path / "out")}

    @pytest.fixture
    def snapshot(self, tmp_path):
        return lambda: directory_snapshot(tmp_path / "out")
