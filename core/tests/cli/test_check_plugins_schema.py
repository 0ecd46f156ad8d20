"""`check`, `plugins` and `schema`, as they are called."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from metaglean.cli import main

VALID = """\
source:
  type: file
  serviceName: replay
  serviceConnection: {config: {path: "${RECORDS}"}}
processors: [{type: filter, config: {excludes: [x]}}]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(VALID)
    return path


def test_check_says_what_would_be_run(file, capsys, monkeypatch):
    monkeypatch.setenv("RECORDS", "secret-place.jsonl")
    assert main(["check", "-c", str(file)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{file}: valid\n")
    assert "source     file, writes the service 'replay'" in out
    assert "processors filter" in out
    assert "sink       catalog" in out
    assert "secret-place" not in out


def test_check_shows_warnings(file, capsys, monkeypatch):
    monkeypatch.setenv("RECORDS", "x")
    file.write_text(VALID + "stage: {}\n")
    assert main(["check", "-c", str(file)]) == 0
    assert "warning: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VALID, "w.yaml:4:38  source.serviceConnection.config.path: the environment variable"),
        ("a: b: c", "w.yaml:1:5  not valid YAML: mapping values are not allowed here"),
        (VALID.replace("${RECORDS}", "x") + "sinc: {}", "w.yaml:6:1  sinc: unknown key"),
        (VALID.replace("type: file", "type: fil"), "the environment variable RECORDS"),
        (VALID.replace("type: file", "type: domodb").replace("${RECORDS}", "x"),
         "w.yaml:2:9  source.type: there is no source of the type 'domodb'"),
        (VALID.replace("type: filter", "type: fliter").replace("${RECORDS}", "x"),
         "Did you mean filter?"),
    ],
)  # fmt: skip
def test_check_of_a_bad_file_is_2_and_short(file, capsys, monkeypatch, text, message):
    monkeypatch.delenv("RECORDS", raising=False)
    file.write_text(text)
    assert main(["check", "-c", str(file)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) <= 6
    assert not captured.out


def test_check_of_a_missing_file(tmp_path, capsys):
    assert main(["check", "-c", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: No such file or directory" in capsys.readouterr().err


def test_plugins_lists_what_is_installed(capsys):
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["TYPE", "KIND", "DISTRIBUTION", "VERSION", "API"]
    assert any(line.split()[:3] == ["catalog", "sink", "metaglean-core"] for line in lines)


def test_plugins_as_json_of_one_kind(capsys):
    assert main(["plugins", "list", "--json", "--kind", "sink", "--check"]) == 0
    infos = json.loads(capsys.readouterr().out)
    assert {"catalog", "console", "file"} <= {info["type"] for info in infos}
    assert {info["kind"] for info in infos} == {"sink"}
    assert not any(info["problem"] for info in infos)


def test_plugins_show_tells_capabilities_and_keys(capsys):
    assert main(["plugins", "show", "FILE"]) == 0
    out = capsys.readouterr().out
    assert "file (source)" in out
    assert "file (sink)" in out
    assert "serviceConnection.config:" in out
    assert "path (text, required)" in out
    assert "includeViews (true or false, default true)" in out


def test_plugins_show_names_the_systems_for_limits(capsys):
    assert main(["plugins", "show", "metadata-rest"]) == 0
    assert "\n  systems       OpenMetadata\n" in capsys.readouterr().out
    assert main(["plugins", "show", "catalog", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["systems"] == []


def test_plugins_show_as_json(capsys):
    assert main(["plugins", "show", "catalog", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert "deletion" in shown["capabilities"]


@pytest.mark.parametrize(
    "arguments", [["show", "nothing"], ["show", "file", "--kind", "processor"]]
)
def test_plugins_show_of_what_is_not_there(capsys, arguments):
    assert main(["plugins", *arguments]) == 2
    assert "there is no " in capsys.readouterr().err


def test_plugins_show_needs_a_type(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["plugins", "show"])
    assert caught.value.code == 2


def test_schema_of_everything_and_of_one(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Metaglean workflow"
    assert main(["schema", "file"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "file"
    assert main(["schema", "catalog"]) == 0
    assert "properties" in json.dumps(json.loads(capsys.readouterr().out))
    assert main(["schema", "nothing"]) == 2


def test_listing_plugins_imports_nothing_heavy():
    code = (
        "import sys; from metaglean.cli import main; main(['plugins']); "
        "print(*sorted({'pydantic', 'pluggy', 'requests', 'rich', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
