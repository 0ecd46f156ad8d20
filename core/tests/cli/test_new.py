"""`metaglean new`: what it makes, of which names, and what it leaves alone."""

from __future__ import annotations

import pytest

from metaglean.cli import main


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
    ("name", "nearest"),
    [("Hello", "hello"), ("My API", "my-api"), ("myApi", "my-api"), ("3d", "d"), ("é!", "e"),
     ("x" * 31, "x" * 30), ("", "hello"), ("a--b", "a-b"), ("a_", "a")],
)  # fmt: skip
def test_a_name_that_does_not_do_is_2_and_shows_the_nearest(name, nearest, tmp_path, capsys):
    assert main(["new", "connector", name]) == 2
    assert capsys.readouterr().err.endswith(f" Nearest: {nearest}\n")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path, capsys):
    readme = tmp_path / "here" / "README.md"
    readme.parent.mkdir()
    readme.write_text("mine")
    assert main(["new", "connector", "hello", "--output", "here"]) == 2
    assert "here/README.md is there already: nothing was written" in capsys.readouterr().err
    assert readme.read_text() == "mine"
    assert list(readme.parent.iterdir()) == [readme]
