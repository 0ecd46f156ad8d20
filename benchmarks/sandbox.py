"""The Domo sandbox as a process of its own, over TLS, and the certificates for it."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import certifi

START_SECONDS = 60.0


class Certificates(NamedTuple):
    """A server's certificate and key, its authority, and a bundle of certifi's with that one."""

    server: Path
    key: Path
    authority: Path
    bundle: Path


def certificates(folder: Path) -> Certificates:
    """Made by trustme, in a process of its own: its memory would count as that of our children."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "trustme", "-q", "-d", str(folder), "-i", "127.0.0.1"], check=True
    )
    made = Certificates(
        folder / "server.pem", folder / "server.key", folder / "client.pem", folder / "bundle.pem"
    )
    # As large as what a real client reads: certifi's authorities, then ours.
    made.bundle.write_bytes(
        Path(certifi.where()).read_bytes() + b"\n" + made.authority.read_bytes()
    )
    return made


class Shape(NamedTuple):
    """How large a tenant is; the last three are shares of the datasets."""

    datasets: int = 1000
    columns: int = 20
    streams: float = 0.5
    views: float = 0.0
    federated: float = 0.0


class Tenant:
    """A running sandbox, steered over one kept connection (which its counts leave out)."""

    def __init__(self, facts: dict[str, Any], made: Certificates, shape: Shape) -> None:
        self.public_url = str(facts["public_url"])
        self.instance_url = str(facts["instance_url"])
        self.client_id = str(facts["client_id"])
        self.client_secret = str(facts["client_secret"])
        self.access_token = str(facts["access_token"])
        self.bundle = made.bundle
        self.shape = shape
        self._context = ssl.create_default_context(cafile=str(made.authority))
        self._connection: http.client.HTTPSConnection | None = None
        self._reconnected = 0

    def reset(self, **faults: Any) -> None:
        """Lift all faults, set these (as the sandbox's control call takes them), count anew."""
        self._call("POST", "reset", {"data": True, "faults": True})
        self._reconnected = 0
        if faults:
            self._call("POST", "faults", faults)

    def stats(self) -> dict[str, Any]:
        """What the sandbox has counted since the last `reset`."""
        found = dict(self._call("GET", "stats"))
        found["connections"]["public"] -= self._reconnected
        return found

    def _call(self, method: str, name: str, body: dict[str, Any] | None = None) -> Any:
        sent = None if body is None else json.dumps(body)
        if self._connection is not None:
            try:
                return self._exchange(self._connection, method, name, sent)
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):
                self.close()  # the sandbox ends connections that were idle during a long run
                self._reconnected += 1
        address = urlsplit(self.public_url).netloc
        self._connection = http.client.HTTPSConnection(address, timeout=60, context=self._context)
        return self._exchange(self._connection, method, name, sent)

    @staticmethod
    def _exchange(
        connection: http.client.HTTPSConnection, method: str, name: str, sent: str | None
    ) -> Any:
        kind = {"Content-Type": "application/json"}
        connection.request(method, f"/__sandbox__/{name}", sent, kind)
        response = connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise RuntimeError(f"the sandbox answered {name} with {response.status}: {data!r}")
        return json.loads(data)

    def close(self) -> None:
        """End the kept connection."""
        if self._connection is not None:
            self._connection.close()


@contextmanager
def running(shape: Shape, made: Certificates, folder: Path) -> Iterator[Tenant]:
    """A sandbox that holds a tenant of this shape, on free ports, until the block ends."""
    ready = folder / "sandbox.json"
    command = [
        sys.executable, "-m", "metaglean_domo_sandbox", "--ready-file", ready,
        "--tls", made.server, made.key, "--datasets", shape.datasets, "--columns", shape.columns,
        "--streams", shape.streams, "--views", shape.views, "--federated", shape.federated,
    ]  # fmt: skip
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    try:
        tenant = Tenant(_wait_for(ready, process), made, shape)
        yield tenant
        tenant.close()
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    due = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > due:
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.05)
    return dict(json.loads(ready.read_text("utf-8")))
