"""What a person writes into a new plugin of each kind: file → {part of one line: what that line
becomes}.

The API of Harbor has a bearer token, pages by token, envelopes, and objects in objects.
"""

from __future__ import annotations

CONNECTOR = {
    "tests/fake_api.py": {
        "LISTING = ": 'LISTING = "/api/v2/datasets"',
        "NEXT = ": 'NEXT = "page_token"',
        "TODO fake_api.py: one table": """\
    fields = [{"key": "id", "kind": {"name": "int64"}}, {"key": "at", "kind": {"name": "date"}}]
    about = {"title": name, "notes": f"All {name}.", "created_at": f"2024 {table_id}"}
    return {"uid": table_id, "attributes": about, "schema": {"fields": fields}}""",
        "TODO fake_api.py: the envelope": """\
    return {"data": table}""",
        "TODO fake_api.py: a page": """\
    return {"data": {"items": tables, "paging": {"next_token": following}}}""",
    },
    "src/metaglean_harbor/api.py": {
        "import Bearer": "from metaglean.http import Bearer, cursor_pages",
        "TODO api.py: list the tables": """\
        return cursor_pages(
            self._session,
            "/api/v2/datasets",
            items="data.items",
            next_cursor="data.paging.next_token",
            cursor_key="page_token",
        )""",
        "TODO api.py: get one table": """\
        return self.get("api", "v2", "datasets", table_id)["data"]""",
    },
    "src/metaglean_harbor/convert.py": {
        "PAGE = ": 'PAGE = "/datasets/"',
        "TYPES = {": "TYPES = {",
        '"integer": ': '    "int64": "LONG",',
        "TODO convert.py: a listed table": """\
    about = item["attributes"]
    return Listed(item["uid"], about["title"], about["created_at"])""",
        "TODO convert.py: what else": """\
        description=detail["attributes"]["notes"] or None,""",
        "TODO convert.py: the columns": """\
    return detail["schema"]["fields"]""",
        "TODO convert.py: a column": """\
    return Column(name=field["key"], data_type=data_type(field["kind"]["name"]))""",
    },
}

PROCESSOR = {
    "src/metaglean_harbor_processor/config.py": {
        "import Config": "from metaglean import Config\nfrom pydantic import Field",
        "TODO config.py": '    prefix: str = Field("", description="Display names begin so.")',
    },
    "src/metaglean_harbor_processor/convert.py": {
        "TODO convert.py": """\
    name = table.display_name
    if name is None or name.startswith(config.prefix):
        return table
    return table.model_copy(update={"display_name": f"{config.prefix}{name}"})""",
    },
    "src/metaglean_harbor_processor/processor.py": {
        "TODO processor.py": '    """Puts a prefix before the display names of tables."""',
    },
    "tests/test_contract.py": {"return {}": '        return {"prefix": "Harbor: "}'},
    "tests/test_convert.py": {
        "BEFORE = ": 'BEFORE = Table(ref=REF, display_name="Orders")',
        "AFTER = ": 'AFTER = Table(ref=REF, display_name="Harbor: Orders")',
        "CONFIG = ": 'CONFIG = HarborConfig(prefix="Harbor: ")',
        "import Column": "from metaglean import Ref, Table",
    },
}

SINK = {
    "src/metaglean_harbor_sink/api.py": {
        "from typing": "from pathlib import Path\nfrom typing import Any, NamedTuple",
        "from collections.abc": "import hashlib\nimport json\nfrom collections.abc import Iterator",
        "self._target =": "        self._folder = Path(config.target)",
        "TODO api.py: whether": "        return self._folder.parent.is_dir()",
        "TODO api.py: load": """\
        path = self._path(ref)
        return _read(path) if path.exists() else None""",
        "TODO api.py: save": """\
        self._folder.mkdir(exist_ok=True)
        beside = self._folder / "next.part"
        beside.write_text(json.dumps(stored))
        beside.replace(self._path(stored.ref))""",
        "TODO api.py: what stands": """\
        found = map(_read, sorted(self._folder.glob("*.json")))
        return (one for one in found if (one.ref.kind, one.ref.parent) == (kind, scope))

    def _path(self, ref: Ref) -> Path:
        return self._folder / f"{hashlib.sha256(json.dumps(ref).encode()).hexdigest()}.json"


def _read(path: Path) -> Stored:
    (kind, names), state, deleted = json.loads(path.read_text())
    return Stored(Ref(kind, tuple(names)), state, deleted)""",
    },
    "src/metaglean_harbor_sink/sink.py": {
        "TODO sink.py": '    """A folder of JSON files, one an entity."""',
    },
    "tests/test_contract.py": {
        "import SinkContract": "from metaglean_testkit import SinkContract, directory_snapshot",
        "TODO test_contract.py": '        return lambda: directory_snapshot(tmp_path / "target")',
    },
}

PROFILER = {
    "src/metaglean_harbor_profiler/api.py": {
        "TODO api.py": """\
    answer = source.api(run).get("api", "v2", "datasets", str(table.source_id), "figures")
    return answer["data"]""",
    },
    "src/metaglean_harbor_profiler/convert.py": {
        "TODO convert.py: the number": '    return int(answer["rows"])',
        "TODO convert.py: the figures": """\
    total = rows(answer)
    for name, empty in answer["empty"].items():
        yield ColumnProfile(name=name, null_count=empty, null_proportion=share(empty, total))""",
    },
    "tests/fake_api.py": {
        "FIGURES = ": """\
FIGURES = {"rows": 40, "empty": {"id": 0, "at": 10}}
FIELDS = [{"key": key, "kind": {"name": "date"}} for key in FIGURES["empty"]]
ABOUT = {"title": "Orders", "notes": "All.", "created_at": "2024"}
TABLE = {"uid": "id-1", "attributes": ABOUT, "schema": {"fields": FIELDS}}
ANSWERS = {"figures": FIGURES, "id-1": TABLE, "datasets": {"items": [TABLE], "paging": {}}}""",
        "TODO fake_api.py": """\
        return 200, {"data": ANSWERS[request.path.rpartition("/")[2]]}""",
    },
    "tests/test_convert.py": {"NAMES = ": 'NAMES = ("id", "at")'},
}
