"""The stages of the bad-input table (docs/errors.md): how each row's trouble is made.

A stage is a directory with a workflow for a sandbox of its own and the catalog of a good run; a
row's trouble changes one thing of it.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from metaglean_domo_sandbox import Fault, FaultPlan, Sandbox, Tenant

WORKFLOW = """\
source:
  type: domodatabase
  serviceName: domo
  serviceConnection:
    config:
      type: DomoDatabase
      clientId: ${DOMO_CLIENT_ID}
      secretToken: ${DOMO_SECRET_TOKEN}
      accessToken: ${DOMO_ACCESS_TOKEN}
      instanceDomain: ${DOMO_INSTANCE_DOMAIN}
      apiHost: ${DOMO_API_HOST}
  sourceConfig:
    config:
      type: DatabaseMetadata
sink:
  type: catalog
  config:
    path: catalog.db
"""
METAGLEAN = [sys.executable, "-m", "metaglean"]


@dataclass
class Stage:
    """Where one row is tried."""

    directory: Path
    sandbox: Sandbox
    environ: dict[str, str] = field(default_factory=dict)
    run: Callable[[list[str]], list[tuple[int, str]]] | None = None

    def __post_init__(self) -> None:
        connection = self.sandbox.connection()
        kept = ("PATH", "HOME", "PYTHONPATH")
        self.environ = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "DOMO_CLIENT_ID": connection["client_id"],
            "DOMO_SECRET_TOKEN": connection["client_secret"],
            "DOMO_ACCESS_TOKEN": connection["access_token"],
            "DOMO_INSTANCE_DOMAIN": self.sandbox.instance_url,
            "DOMO_API_HOST": self.sandbox.public_url,
            "PYTHONIOENCODING": "utf-8",
        }
        self.write(WORKFLOW)

    def write(self, text: str, name: str = "workflow.yaml") -> None:
        (self.directory / name).write_text(text, encoding="utf-8")

    def replace(self, old: str, new: str) -> None:
        path = self.directory / "workflow.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def start(self, command: list[str], **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=self.directory, env=self.environ, text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # type: ignore[call-overload]  # options are Popen's own  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code and what was said of the failure (standard error)."""
        _, errors = process.communicate(timeout=120)
        return process.returncode, errors

    def outcomes(self, command: str) -> list[tuple[int, str]]:
        words = shlex.split(command)
        assert words[0] == "metaglean"
        line = [*METAGLEAN, *words[1:]]
        return self.run(line) if self.run else [self.finish(self.start(line))]

    def wait_for_details(self, number: int) -> None:
        """Until the sandbox has answered so many detail calls."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = sum("/v1/datasets/" in request.path for request in list(self.sandbox.requests))
            if done >= number:
                return
            time.sleep(0.01)
        raise AssertionError("the run never came so far")


def broken_yaml(stage: Stage) -> None:
    stage.replace("  serviceName: domo", "   serviceName: domo")


def unknown_key(stage: Stage) -> None:
    stage.replace("clientId:", "clientID:")


def wrong_type(stage: Stage) -> None:
    stage.replace("type: DatabaseMetadata", "threads: many")


def missing_variable(stage: Stage) -> None:
    del stage.environ["DOMO_SECRET_TOKEN"]


def placeholder(stage: Stage) -> None:
    stage.replace("${DOMO_INSTANCE_DOMAIN}", "https://<api_domo>.domo.com")


SERVER = """\
sink:
  type: metadata-rest
workflowConfig:
  openMetadataServerConfig:
    hostPort: http://127.0.0.1:9/api
    securityConfig:
      jwtToken: eyJ.of.bot
"""


def _server(old: str, new: str) -> Callable[[Stage], None]:
    """A workflow that writes to a server, with one thing of its settings changed."""

    def trouble(stage: Stage) -> None:
        text = WORKFLOW[: WORKFLOW.index("sink:")] + SERVER
        assert old in text
        stage.write(text.replace(old, new))

    return trouble


def no_server(stage: Stage) -> None:
    _server("http://127.0.0.1:9/api", f"{stage.sandbox.public_url}/api")(stage)


def no_server_but_a_spool(stage: Stage) -> None:
    no_server(stage)
    stage.replace("source:\n  type", "limits:\n  spool: spool.jsonl\nsource:\n  type")


def nothing(_stage: Stage) -> None:
    """The command itself is the trouble."""


def unknown_source(stage: Stage) -> None:
    stage.replace("type: domodatabase", "type: domodatabas")


def python_class(stage: Stage) -> None:
    stage.replace("type: domodatabase", "type: customDatabase")


def not_installed(stage: Stage) -> None:
    stage.replace("type: domodatabase", "type: airflow")


def fails_to_import(stage: Stage) -> None:
    stage.replace("type: domodatabase", "type: brokenplugin")
    stage.write("import no_such_module\n", "broken_plugin.py")
    info = stage.directory / "broken_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[metaglean.sources.v1]\nbrokenplugin = broken_plugin\n")
    python_path = stage.environ.get("PYTHONPATH", "")
    stage.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(stage.directory), python_path]))


def wrong_secret(stage: Stage) -> None:
    stage.environ["DOMO_SECRET_TOKEN"] = "not-the-secret"


def expired_access_token(stage: Stage) -> None:
    stage.sandbox.faults = FaultPlan([Fault("401", plane="instance")])


def missing_scope(stage: Stage) -> None:
    stage.sandbox.settings.scopes = frozenset({"user", "dashboard"})


def unreachable(stage: Stage) -> None:
    stage.environ["DOMO_API_HOST"] = "http://127.0.0.1:9"


def page_fails(stage: Stage) -> None:
    stage.sandbox.faults = FaultPlan([Fault("503", route="^datasets$", target="offset=50")])


def ten_percent(stage: Stage) -> None:
    stage.sandbox.faults = FaultPlan.at_random(0.1, 3)


def instance_down(stage: Stage) -> None:
    stage.sandbox.close_plane("instance")


def full_disk(stage: Stage) -> None:
    stage.sandbox.tenant.set_description(
        stage.sandbox.tenant.by_name("orders")[0].id, "much text " * 100_000
    )

    def limit() -> None:
        import resource

        size = (stage.directory / "catalog.db").stat().st_size + 4096
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    stage.run = lambda line: [stage.finish(stage.start(line, preexec_fn=limit))]


def _signalled(number: signal.Signals) -> Callable[[Stage], None]:
    def trouble(stage: Stage) -> None:
        stage.sandbox.settings.latency_ms = 50

        def run(line: list[str]) -> list[tuple[int, str]]:
            process = stage.start(line)
            stage.wait_for_details(5)
            process.send_signal(number)
            return [stage.finish(process)]

        stage.run = run

    return trouble


def kill_then_again(stage: Stage) -> None:
    _signalled(signal.SIGKILL)(stage)
    killed = stage.run
    assert killed

    def run(line: list[str]) -> list[tuple[int, str]]:
        ((code, _),) = killed(line)
        assert code == -signal.SIGKILL
        return [stage.finish(stage.start(line))]

    stage.run = run


def two_at_once(stage: Stage) -> None:
    def run(line: list[str]) -> list[tuple[int, str]]:
        processes = [stage.start(line) for _ in range(2)]
        return [stage.finish(process) for process in processes]

    stage.run = run


TROUBLES: dict[str, Callable[[Stage], None]] = {
    "missing file": lambda stage: None,
    "broken YAML": broken_yaml,
    "unknown key": unknown_key,
    "wrong type": wrong_type,
    "missing secret variable": missing_variable,
    "a placeholder of the docs left in": placeholder,
    "no server for metadata-rest": _server(SERVER.partition("workflowConfig")[2], ": {}\n"),
    "a server's address without /api": _server(":9/api", ":8585"),
    "no token for the server": _server("jwtToken: eyJ.of.bot", "{}"),
    "a token's file that is not there": _server("eyJ.of.bot", "/run/secrets/nope.jwt"),
    "a token in a secrets manager": _server("eyJ.of.bot", "secret:/om/bot"),
    "unknown key for the server": _server("hostPort:", "hostport:"),
    "wrong word for verifySSL": _server("securityConfig:", "verifySSL: valid\n    securityConfig:"),
    "an address that is no OpenMetadata server": no_server,
    "the same, with a spool": no_server_but_a_spool,
    "a file that is no spool": nothing,
    "unknown source type": unknown_source,
    "a Python class for a source": python_class,
    "plugin not installed": not_installed,
    "plugin that fails to import": fails_to_import,
    "wrong client secret": wrong_secret,
    "expired access token": expired_access_token,
    "missing scope": missing_scope,
    "unreachable host": unreachable,
    "a page of the listing that fails after retries": page_fails,
    "10 % of all responses are 429, 503 or dropped": ten_percent,
    "the instance plane down while OAuth works": instance_down,
    "a full disk under the catalog": full_disk,
    "SIGTERM in the middle": _signalled(signal.SIGTERM),
    "Ctrl-C in the middle": _signalled(signal.SIGINT),
    "SIGKILL in the middle, then a second run": kill_then_again,
    "two runs on one catalog at once": two_at_once,
}


def tenant() -> Tenant:
    return Tenant.demo()
