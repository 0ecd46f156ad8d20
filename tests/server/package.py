"""Runs the server package: a folder with start.sh, stop.sh, token.sh and libs.sh.

Each server has free ports and a work folder of its own, so that several test runs at once don't
meet; the jars alone are shared and kept between runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

ATTEMPTS = 3  # another process may take a port between our look and the server's start
TAKEN = ("is taken", "Failed to bind", "Address already in use")
# Below those that systems give to outgoing connections: one of them could take the port of a server
# that a test has ended for a while.
PORTS = range(15_000, 32_000)
LOGS = ("server.out", "libs.log", "migrate.log", "initdb.log", "pg.log")
# Waits for the end of the test run, however that comes (this pipe closes with it), then cleans up.
GUARD = 'read -r _; "$OM_HOME/stop.sh" --wipe >/dev/null 2>&1; rm -rf "$OM_WORK"'


class StartFailed(Exception):
    """The server did not start; the message ends with what its logs say."""


class Package:
    """One server of the package, with its work folder; `stop` removes both."""

    def __init__(self, home: Path, *, search: bool = False) -> None:
        self.home = home.resolve()
        self._search = search
        self._libs = Path(os.environ.get("OM_LIBS") or _cache() / f"libs-{_digest(self.home)}")
        self._work = Path(tempfile.mkdtemp(prefix="metaglean-server-"))
        # Where root runs the tests, PostgreSQL runs as another account and must pass through.
        self._work.chmod(0o711)
        self._settings: dict[str, str] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._settings['OM_PORT']}/api"

    @property
    def bot_token(self) -> str:
        return (self._work / "bot.jwt").read_text("utf-8").strip()

    def admin_token(self) -> str:
        """A new one: it lives for an hour."""
        self._script("token.sh")
        return (self._work / "admin.jwt").read_text("utf-8").strip()

    def start(self) -> None:
        """Start what isn't running, on the ports of last time; raises StartFailed."""
        if self._settings:
            self._script("start.sh")
            return
        for attempt in range(1, ATTEMPTS + 1):
            self._choose_ports()
            try:
                if attempt == 1:
                    self._make_libs()
                self._script("start.sh")
            except StartFailed as error:
                self._script("stop.sh", "--wipe")
                if attempt == ATTEMPTS or not any(words in str(error) for words in TAKEN):
                    raise
            else:
                return

    def stop(self) -> None:
        """End everything and remove the work folder."""
        if self._guard is None or self._guard.stdin is None:
            shutil.rmtree(self._work, ignore_errors=True)
            return
        self.kill()
        self._guard.stdin.close()
        self._guard.wait(timeout=120)
        self._guard = None

    def wipe(self) -> None:
        """A new database; the server's address stays, its tokens are others."""
        self.kill()
        self._script("stop.sh", "--wipe")
        self._script("start.sh")

    def kill(self) -> None:
        """End the server at once, as a crash would; its database stays."""
        self.signal(signal.SIGKILL)
        with suppress(OSError, ValueError):
            _gone(self._pid())
        # What nobody has reaped yet would still look alive to start.sh.
        (self._work / "server.pid").unlink(missing_ok=True)

    def signal(self, number: int) -> None:
        """Send the server's process a signal; nothing where there is none."""
        with suppress(OSError, ValueError):
            os.kill(self._pid(), number)

    def _pid(self) -> int:
        return int((self._work / "server.pid").read_text("utf-8"))

    def _choose_ports(self) -> None:
        self._settings = {
            "OM_HOME": str(self.home),
            "OM_WORK": str(self._work),
            "OM_LIBS": str(self._libs),
            "OM_PORT": str(_free_port(2)),
            "OM_PG_PORT": str(_free_port()),
            "OM_SEARCH": "opensearch" if self._search else "none",
        }
        if self._search:
            # Its runner takes none above 9299.
            self._settings["OM_SEARCH_PORT"] = str(_free_port(among=range(9201, 9299)))
        self._guard = self._guard or subprocess.Popen(
            ["/bin/sh", "-c", GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self._settings},
            start_new_session=True,
        )

    def _make_libs(self) -> None:
        if (self._libs / ".complete").exists():
            return
        with _lock(self._libs.with_name(f"{self._libs.name}.lock")):
            if not (self._libs / ".complete").exists():
                self._script("libs.sh")

    def _script(self, name: str, *words: str) -> None:
        # A file, not a pipe: what the script leaves running would hold a pipe open.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [self.home / name, *words],
                env={**os.environ, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server themselves
                check=False,
            )
            if done.returncode:
                said.seek(0)
                raise StartFailed(
                    f"{name} of {self.home} ended with {done.returncode}:\n"
                    f"{said.read()[-4000:]}{self._logs()}"
                )

    def _logs(self) -> str:
        texts = [(name, self._work / "logs" / name) for name in LOGS]
        tails = [
            f"\n--- {name}\n{path.read_text('utf-8', 'replace')[-2000:]}"
            for name, path in texts
            if path.exists()
        ]
        return "".join(tails)


def _free_port(count: int = 1, *, among: range = PORTS) -> int:
    """The first of `count` ports in a row that nobody has, any of this range."""
    for port in random.sample(among, len(among)):
        with suppress(OSError), ExitStack() as held:
            for number in range(port, port + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", number))
            return port
    raise StartFailed(f"no port is free of {among}")


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "metaglean-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(home: Path) -> str:
    """Stands for the jars that a package makes: what it brings and what it asks Maven for."""
    if not (home / "start.sh").is_file():
        raise StartFailed(f"{home} has no start.sh")
    digest = hashlib.sha256()
    for path in [home / "libs.sh", *sorted(home.rglob("pom.xml")), *sorted(home.rglob("*.jar"))]:
        digest.update(f"{path.relative_to(home)} {path.stat().st_size}\n".encode())
        if path.suffix != ".jar":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """One process at a time; the others wait here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _gone(pid: int) -> None:
    due = time.monotonic() + 10
    while time.monotonic() < due:
        os.kill(pid, 0)
        time.sleep(0.05)
