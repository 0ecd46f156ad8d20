"""The workflow that published guides print: copied out of the page, it works as it is.

Only hosts and secrets are replaced, and the sink. The page under `data` has the same keys; where
the original lies beside the checkout, it goes through the same tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from metaglean.cli import main
from metaglean.workflow import Workflow

HERE = Path(__file__).parent
OURS = HERE / "data" / "published-sample.md"
ORIGINAL = HERE.parents[2] / "shared" / "seeds" / "domo-database-airflow-sdk.md"
PAGES = [
    pytest.param(OURS, id="ours"),
    pytest.param(
        ORIGINAL,
        id="original",
        marks=pytest.mark.skipif(
            not ORIGINAL.exists(), reason="the original page isn't part of this repository"
        ),
    ),
]
BLOCK = re.compile(
    r"\{% codeBlock fileName=\"filename\.(\w+)\" %\}(.*?)\{% /codeBlock %\}", re.DOTALL
)
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
KEYS_OF_THE_SAMPLE = {
    "clientId", "secretToken", "accessToken", "apiHost", "sandboxDomain", "database",
    "connectionOptions", "connectionArguments", "markDeletedTables", "includeTables",
    "includeViews", "includeTags", "databaseFilterPattern", "schemaFilterPattern",
    "tableFilterPattern", "openMetadataServerConfig", "securityConfig", "jwtToken",
}  # fmt: skip


def extract(page: Path, language: str) -> str:
    """The fenced blocks of the page's file in this language, one after the other."""
    extension = {"yaml": "yaml", "python": "py"}[language]
    (block,) = [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == extension]
    return "".join(text for kind, text in FENCE.findall(block) if kind == language)


def filled_in(text: str, access: Mapping[str, str]) -> str:
    """The sample with our hosts and secrets, and the embedded catalog as its sink."""
    values = {
        "clientId: client-id": f"clientId: {access['client_id']}",
        "secretToken: secret-token": f"secretToken: {access['client_secret']}",
        "accessToken: access-token": f"accessToken: {access['access_token']}",
        "apiHost: api.domo.com": f"apiHost: {access['public_url']}",
        "https://<api_domo>.domo.com": access["instance_url"],
        "{bot_jwt_token}": "a.bot.token",
        "sink:\n  type: metadata-rest\n  config: {}\n": "sink: {type: catalog}\n",
    }
    for placeholder, value in values.items():
        assert text.count(placeholder) == 1, placeholder
        text = text.replace(placeholder, value)
    return text


def uncommented(text: str) -> str:
    assert text.count("# ") == 27
    return text.replace("# ", "")


class Sample:
    """One page, filled in; `ingest` runs it as the command line does."""

    def __init__(self, page: Path, world: Any, capsys: Any) -> None:
        self.page = page
        self.world = world
        self.text = filled_in(extract(page, "yaml"), world.sandbox.connection())
        self._capsys = capsys

    def ingest(self, text: str) -> tuple[int, str]:
        """(exit code, all that was printed)."""
        path = self.world.catalog.with_name("workflow.yaml")
        path.write_text(text, "utf-8")
        self._capsys.readouterr()
        code = main(["ingest", "-c", str(path)])
        printed = self._capsys.readouterr()
        return code, printed.out + printed.err

    def by_database(self) -> dict[str, set[str]]:
        """Database → the dataset ids that stand live below it."""
        found: dict[str, set[str]] = {}
        for (kind, name), entity in self.world.state().items():
            if kind == "table" and not entity.deleted:
                database = name.split(".")[1]
                found.setdefault(database, set()).add(str(entity.source_id))
        return found


@pytest.fixture(params=PAGES)
def sample(request: Any, world: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Sample:
    monkeypatch.setenv("METAGLEAN_CATALOG", str(world.catalog))
    return Sample(request.param, world, capsys)


def test_our_page_has_the_keys_of_the_published_one() -> None:
    text = extract(OURS, "yaml")
    assert set(re.findall(r"(\w+):", text)) >= KEYS_OF_THE_SAMPLE
    if ORIGINAL.exists():
        assert text == extract(ORIGINAL, "yaml")


def test_as_it_is_all_datasets_arrive(sample: Sample) -> None:
    code, printed = sample.ingest(sample.text)
    assert code == 0, printed
    live = {dataset.id for dataset in sample.world.tenant.live()}
    assert len(live) == 51
    assert sample.by_database() == {"default": live}
    names = [name for (kind, name) in sample.world.state() if kind == "databaseService"]
    assert names == ["local_DomoDatabase"]


def test_uncommented_it_is_valid_and_its_patterns_match_nothing(sample: Sample) -> None:
    sample.ingest(sample.text)
    before = sample.world.state()
    code, printed = sample.ingest(uncommented(sample.text))
    assert code == 0, printed
    summary = printed[printed.index("local_DomoDatabase: ") :]
    assert summary.count("databaseFilterPattern") == 1, summary
    assert re.search(r"^\s+databaseFilterPattern keeps none of 1", summary, re.MULTILINE), summary
    assert "problem" not in summary
    after = sample.world.state()
    assert {key: after[key] for key in before} == before, "something of before has changed"
    assert not any(entity.deleted for entity in after.values())
    assert sample.by_database().keys() == {"default"}


def test_without_its_database_and_schema_patterns_the_table_patterns_decide(
    sample: Sample,
) -> None:
    workflow = yaml.safe_load(uncommented(sample.text))
    options = workflow["source"]["sourceConfig"]["config"]
    del options["databaseFilterPattern"], options["schemaFilterPattern"]
    code, printed = sample.ingest(yaml.safe_dump(workflow))
    assert code == 0, printed
    pattern = options["tableFilterPattern"]

    def matches(name: str) -> bool:
        def some(expressions: list[str]) -> bool:
            return any(re.match(one, name, re.IGNORECASE) for one in expressions)

        return some(pattern["includes"]) and not some(pattern["excludes"])

    expected = {dataset.id for dataset in sample.world.tenant.live() if matches(dataset.name)}
    assert len(expected) >= 3
    assert sample.by_database() == {"database": expected}


def test_an_exclude_of_it_wins(sample: Sample) -> None:
    """As published, no name is matched by both; with a wider include `table3` would be."""
    workflow = yaml.safe_load(uncommented(sample.text))
    options = workflow["source"]["sourceConfig"]["config"]
    del options["databaseFilterPattern"], options["schemaFilterPattern"]
    options["tableFilterPattern"]["includes"].append("TABLE")
    assert sample.ingest(yaml.safe_dump(workflow))[0] == 0
    names = {sample.world.tenant.datasets[i].name for i in sample.by_database()["database"]}
    assert names == {"users", "users_archive", "type_test"}


def test_the_recipe_in_python_called_twice(sample: Sample) -> None:
    namespace: dict[str, Any] = {"yaml": yaml, "Workflow": Workflow}
    code = extract(sample.page, "python")
    recipe = code[code.index("def metadata_ingestion_workflow") :]
    recipe = recipe[: recipe.index("workflow.stop()") + len("workflow.stop()")]
    exec(compile(recipe, str(sample.page), "exec"), namespace)
    namespace["config"] = sample.text
    namespace["metadata_ingestion_workflow"]()
    first = sample.world.state()
    assert len(sample.by_database()["default"]) == 51
    namespace["metadata_ingestion_workflow"]()
    assert sample.world.state() == first
    assert sample.world.history() == []


def test_one_workflow_object_may_be_executed_twice(sample: Sample) -> None:
    workflow = Workflow.create(yaml.safe_load(sample.text))
    for _ in range(2):
        workflow.execute()
        workflow.raise_from_status()
        workflow.print_status()
        workflow.stop()
    assert len(sample.by_database()["default"]) == 51


def test_the_import_of_the_recipe_has_an_equal_here() -> None:
    import metaglean

    assert metaglean.Workflow is Workflow
