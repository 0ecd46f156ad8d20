"""`metaglean new`: what it makes, of which names, and what it leaves alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglean.cli import main
from metaglean.scaffold import nearest, plugin


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_connector_is_a_whole_distribution(tmp_path, capsys):
    assert main(["new", "connector", "hello"]) == 0
    folder = tmp_path / "metaglean-plugin-hello"
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"pyproject.toml", "README.md", "LICENSE", ".gitignore", "workflow.yaml"} < made
    assert ".github/workflows/ci.yml" in made
    assert {f"src/metaglean_hello/{name}.py" for name in ("plugin", "config", "api")} < made
    out = capsys.readouterr().out
    for path in made:
        assert f"metaglean-plugin-hello/{path}\n" in out


@pytest.mark.parametrize(
    ("kind", "distribution", "group", "package"),
    [
        ("connector", "metaglean-plugin-my-api", "sources", "metaglean_my_api"),
        ("processor", "metaglean-processor-my-api", "processors", "metaglean_my_api_processor"),
        ("sink", "metaglean-sink-my-api", "sinks", "metaglean_my_api_sink"),
        ("profiler", "metaglean-profiler-my-api", "profilers", "metaglean_my_api_profiler"),
    ],
)
def test_each_kind_names_its_entry_point(kind, distribution, group, package, tmp_path):
    assert main(["new", kind, "my_api", "--title", "My: API's"]) == 0
    described = (tmp_path / distribution / "pyproject.toml").read_text()
    assert f'name = "{distribution}"' in described
    assert (
        f'[project.entry-points."metaglean.{group}.v1"]\nmy_api = "{package}.plugin"' in described
    )
    assert "My: API's" in described
    texts = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(re.search(r"@\w+@", text) for text in texts)
    assert any("TODO" in text for text in texts)


def test_a_profiler_uses_the_source_that_is_installed(tmp_path, capsys):
    assert main(["new", "profiler", "file"]) == 0
    assert capsys.readouterr().err == ""
    made = tmp_path / "metaglean-profiler-file"
    assert 'dependencies = ["metaglean-core>=0.1"]' in (made / "pyproject.toml").read_text()
    text = (made / "src/metaglean_file_profiler/profiler.py").read_text()
    line = next(line for line in text.splitlines() if line.startswith("from metaglean.builtin"))
    exec(line, namespace := {})
    assert namespace[line.split()[-1]].type == "file"


def test_a_profiler_without_an_installed_source_says_what_it_takes(tmp_path, capsys):
    assert main(["new", "profiler", "my-api"]) == 0
    assert "no source 'my-api' is installed" in capsys.readouterr().err
    made = tmp_path / "metaglean-profiler-my-api"
    assert '"metaglean-plugin-my-api"]' in (made / "pyproject.toml").read_text()
    api = (made / "src/metaglean_my_api_profiler/api.py").read_text()
    assert "from metaglean_my_api.source import MyApiSource\n" in api


@pytest.mark.parametrize(
    ("name", "near"),
    [("Hello", "hello"), ("My API", "my-api"), ("myApi", "my-api"), ("3d", "d"), ("é!", "e"),
     ("x" * 21, "x" * 20), ("", "hello"), ("a--b", "a-b"), ("a_", "a")],
)  # fmt: skip
def test_a_name_that_does_not_do_is_2_and_shows_the_nearest(name, near, tmp_path, capsys):
    assert main(["new", "connector", name]) == 2
    assert capsys.readouterr().err.endswith(f" Nearest: {near}\n")
    assert list(tmp_path.iterdir()) == []


@given(st.text())
def test_the_nearest_name_does(name):
    made = plugin("connector", nearest(name))
    assert made.words["Class"].isidentifier()
    assert f"{made.package}.{made.type}".isprintable()


@pytest.mark.parametrize("title", ['a"b', "a\\b", "", " ", "a\nb", "@type@", "x" * 33, "{x}"])
def test_a_title_that_would_break_a_file_is_2(title, tmp_path, capsys):
    assert main(["new", "connector", "hello", "--title", title]) == 2
    assert "can't be a title" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_type_that_is_taken_is_2(tmp_path, capsys):
    assert main(["new", "sink", "catalog"]) == 2
    assert "the sink 'catalog' is that of metaglean-core" in capsys.readouterr().err
    assert main(["new", "connector", "testkit"]) == 2
    assert "the package metaglean_testkit belongs to Metaglean" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path, capsys):
    readme = tmp_path / "here" / "README.md"
    readme.parent.mkdir()
    readme.write_text("mine")
    assert main(["new", "connector", "hello", "--output", "here"]) == 2
    assert "here/README.md is there already: nothing was written" in capsys.readouterr().err
    assert readme.read_text() == "mine"
    assert list(readme.parent.iterdir()) == [readme]


def test_a_link_that_leads_nowhere_is_left_alone(tmp_path, capsys):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "README.md").symlink_to(tmp_path / "elsewhere")
    assert main(["new", "connector", "hello", "--output", "here"]) == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_can_not_be_written_is_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["new", "connector", "hello", "--output", "file/below"]) == 2
    assert "file" in capsys.readouterr().err
