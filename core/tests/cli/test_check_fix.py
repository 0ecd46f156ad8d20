"""`check --fix` and `check` of a folder, as they are called."""

from __future__ import annotations

import json
import os
import stat

import pytest

from metaglean.cli import main

OLD = """\
# über alles
source:
  type: FILE   # c
  serviceName: replay
  serviceConnection: {config: {path: "$RECORDS"}}
  sourceConfig:
    config: {tableFilterPattern: {includes: [users]}}
processor:
  type: filter
"""
NEW = """\
# über alles
source:
  type: file   # c
  serviceName: replay
  serviceConnection: {config: {path: "${RECORDS}"}}
  sourceConfig:
    config: {tableFilterPattern: {includes: [users]}}
processors:
  - type: filter
"""
DIFFERENCE = """\
--- {0}
+++ {0} (fixed)
@@ -1,9 +1,9 @@
 # über alles
 source:
-  type: FILE   # c
+  type: file   # c
   serviceName: replay
-  serviceConnection: {{config: {{path: "$RECORDS"}}}}
+  serviceConnection: {{config: {{path: "${{RECORDS}}"}}}}
   sourceConfig:
     config: {{tableFilterPattern: {{includes: [users]}}}}
-processor:
-  type: filter
+processors:
+  - type: filter
"""


@pytest.fixture(autouse=True)
def records(monkeypatch):
    monkeypatch.setenv("RECORDS", "records.jsonl")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(OLD, "utf-8")
    return path


@pytest.fixture
def terminal(monkeypatch):
    """`terminal(answer)`: someone sits there and types this."""

    def terminal(answer):
        def reply(prompt):
            assert prompt == "Write it? [y/N] "
            if answer is None:
                raise EOFError
            return answer

        monkeypatch.setattr("builtins.input", reply)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    return terminal


def test_without_a_terminal_the_difference_is_shown_and_nothing_written(file, capsys):
    assert main(["check", "-c", str(file), "--fix"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(DIFFERENCE.format(file))
    assert f"suggestion: {file}:7:46  users also matches users_old; --anchor writes users$" in out
    assert f"{file}: not written; --yes writes it\n" in out
    assert file.read_text("utf-8") == OLD


def test_yes_writes_and_the_second_run_has_nothing_to_do(file, capsys):
    assert main(["check", str(file), "--fix", "--yes"]) == 0
    out = capsys.readouterr().out
    assert f"{file}: written\n{file}: valid\n" in out
    assert "warning" not in out
    assert file.read_text("utf-8") == NEW
    assert main(["check", str(file), "--fix"]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: nothing to fix\n")
    assert file.read_text("utf-8") == NEW


@pytest.mark.parametrize(("answer", "written"), [("y", 1), (" YES ", 1), ("", 0), (None, 0)])
def test_on_a_terminal_it_asks(file, capsys, terminal, monkeypatch, answer, written):
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal(answer)
    assert main(["check", "-c", str(file), "--fix"]) == (0 if written else 1)
    assert file.read_text("utf-8") == (NEW if written else OLD)
    out = capsys.readouterr().out
    assert "\x1b[31m-processor:\x1b[0m\n" in out
    assert "\x1b[32m+processors:\x1b[0m\n" in out


def test_no_color_where_it_is_not_wanted(file, capsys, terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal("n")
    main(["check", "-c", str(file), "--fix"])
    assert "\x1b" not in capsys.readouterr().out


def test_links_modes_line_ends_and_the_byte_order_mark_stay(file, tmp_path):
    data = b"\xef\xbb\xbf" + OLD.replace("\n", "\r\n").encode()
    file.write_bytes(data)
    file.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file.name)
    assert main(["check", "-c", str(link), "--fix", "-y"]) == 0
    assert link.is_symlink()
    assert file.read_bytes() == b"\xef\xbb\xbf" + NEW.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "w.yaml"]


def test_a_file_that_changed_in_the_meantime_is_left(file, capsys, terminal, monkeypatch):
    terminal("y")

    def edit(_prompt):
        file.write_text("# mine\n")
        return "y"

    monkeypatch.setattr("builtins.input", edit)
    assert main(["check", "-c", str(file), "--fix"]) == 2
    assert "changed in the meantime" in capsys.readouterr().err
    assert file.read_text() == "# mine\n"


def test_a_file_that_cannot_be_written(file, capsys, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert main(["check", "-c", str(file), "--fix", "-y"]) == 2
    assert "can't be written: Permission denied" in capsys.readouterr().err
    assert file.read_text("utf-8") == OLD


def test_what_stays_wrong_is_told_after_what_was_fixed(file, capsys):
    file.write_text(OLD.replace("$RECORDS", "<path_of_records>"))
    assert main(["check", "-c", str(file), "--fix", "-y"]) == 2
    captured = capsys.readouterr()
    assert f"{file}: written" in captured.out
    assert "<path_of_records> is a placeholder of the documentation" in captured.err
    assert file.read_text() == NEW.replace("${RECORDS}", "<path_of_records>")


def test_a_broken_file_is_not_touched(file, capsys):
    file.write_text(OLD + "processor: {}\n")
    assert main(["check", "-c", str(file), "--fix", "-y"]) == 2
    assert "the key 'processor' stands here twice" in capsys.readouterr().err
    assert file.read_text() == OLD + "processor: {}\n"


def test_secrets_are_not_shown(file, capsys):
    config = "sink: {type: file, config: {path: x.jsonl}}\n# apiKey: hunter2-was-it\n"
    server = (
        'workflowConfig:\n  openMetadataServerConfig: {securityConfig: {jwtToken: "pa55word"}}\n'
    )
    file.write_text(OLD + server + config)
    assert main(["check", "-c", str(file), "--fix"]) == 1
    captured = capsys.readouterr()
    assert "pa55word" not in captured.out + captured.err
    assert "hunter2" not in captured.out + captured.err
    assert 'jwtToken: "***"' in captured.out


def test_a_variable_that_is_not_set_is_named_and_stays(file, capsys, monkeypatch):
    monkeypatch.delenv("RECORDS")
    assert main(["check", "-c", str(file), "--fix", "-y"]) == 0
    out = capsys.readouterr().out
    assert f"note: {file}:5:38  source.serviceConnection.config.path: looks like a variable" in out
    assert '"$RECORDS"' in file.read_text("utf-8")


def test_patterns_and_header(file, capsys):
    arguments = ["check", "-c", str(file), "--fix", "-y", "--anchor", "--schema-header", "s.json"]
    assert main(arguments) == 0
    expected = "# yaml-language-server: $schema=s.json\n" + NEW.replace("[users]", "[users$]")
    assert file.read_text("utf-8") == expected
    assert main(arguments) == 0
    assert file.read_text("utf-8") == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--yes"], "--yes has no effect without --fix"),
        (["--anchor"], "--anchor has no effect without --fix"),
        (["--schema-header", "s"], "--schema-header has no effect without --fix"),
        (["--fix", "--schema-header", "a b"], "expected a path or URL without blanks"),
        (["--fix", "--schema-header", ""], "expected a path or URL without blanks"),
    ],
)
def test_options_that_make_no_sense(file, capsys, arguments, message):
    assert main(["check", "-c", str(file), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_nothing_named(capsys):
    assert main(["check"]) == 2
    assert "Name a workflow file or a folder" in capsys.readouterr().err


def test_json_has_no_header(tmp_path, capsys):
    path = tmp_path / "w.json"
    path.write_text(json.dumps({"source": {"type": "File", "serviceName": "x"}}))
    assert main(["check", "-c", str(path), "--fix", "--schema-header", "s.json"]) == 2
    assert "JSON has no comments" in capsys.readouterr().err


@pytest.fixture
def folder(tmp_path):
    """A project's folder; what is to be left out holds broken workflows."""
    files = {
        "a/good.yaml": NEW, "a/old.yml": OLD, "b.json": '{"source": {}}',
        "broken.yaml": "source: [", "compose.yaml": "services: {}\n",
        "many.yaml": "a: 1\n---\nb: 2\n", "mkdocs.yml": "source: docs\n",
        "notes.txt": "x", ".hidden/w.yaml": "source: [", "node_modules/w.yaml": "source: [",
        "env/pyvenv.cfg": "", "env/w.yaml": "source: [", ".x.yaml": "source: [",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "large.json").write_text(" " * (1 << 20) + "{}")
    return tmp_path


def test_a_folder_is_one_line_a_file(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["check", "."]) == 2
    lines = capsys.readouterr().out.splitlines()
    unfinished = "expected the node content, but found '<stream end>'"
    assert lines == [
        "b.json: not valid: 1:2  source.type: missing (and 1 more)",
        f"broken.yaml: not valid: 1:10  not valid YAML: {unfinished}",
        "compose.yaml: skipped: no block `source`",
        "large.json: skipped: larger than 1048576 bytes",
        "many.yaml: skipped: no block `source`",
        "mkdocs.yml: skipped: no block `source`",
        f"a{os.sep}good.yaml: valid",
        f"a{os.sep}old.yml: valid, 2 warnings",
        "2 valid, 2 not valid, 4 skipped",
        "`metaglean check -c FILE` tells all of one file",
    ]


def test_a_folder_is_fixed(folder, capsys):
    for name in ("broken.yaml", "b.json"):
        (folder / name).unlink()
    assert main(["check", "-c", str(folder), "--fix"]) == 1
    assert "2 valid, 4 skipped, 1 to fix" in capsys.readouterr().out
    connection = {"config": {"path": "x"}}
    source = {"type": "FILE", "serviceName": "x", "serviceConnection": connection}
    (folder / "c.json").write_text(json.dumps({"source": source}))
    assert main(["check", "-c", str(folder), "--fix", "--yes", "--schema-header", "s"]) == 0
    assert "nothing to fix" not in capsys.readouterr().out
    header = "# yaml-language-server: $schema=s\n"
    assert (folder / "a/old.yml").read_text("utf-8") == header + NEW
    assert (folder / "c.json").read_text().startswith('{"source": {"type": "file"')
    assert main(["check", str(folder / "a/good.yaml"), str(folder / "a/old.yml")]) == 0


def test_a_folder_without_workflows(folder, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 2
    assert "no workflow file in" in capsys.readouterr().err
