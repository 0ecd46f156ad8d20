"""The fake as a command: prints one line of JSON (url, token, …), serves until it is ended."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence

from metaglean_testkit.openmetadata.server import FakeServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, or until standard input closes with `--stdin`."""
    parser = argparse.ArgumentParser(
        prog="python -m metaglean_testkit.openmetadata",
        description="A fake OpenMetadata server on loopback.",
    )
    parser.add_argument("--version", default="1.2.0", help="behave as this version (default 1.2.0)")
    parser.add_argument("--port", type=int, default=8585, help="0 for any (default 8585)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--tls", action="store_true", help="with a certificate made for it")
    parser.add_argument("--cert", help="certificate chain for --tls (PEM)")
    parser.add_argument("--key", help="its key (PEM)")
    parser.add_argument("--stdin", action="store_true", help="end when standard input closes")
    options = parser.parse_args(arguments)
    tls = (options.cert, options.key) if options.cert else options.tls
    server = FakeServer(
        options.version,
        tls=tls,
        latency=options.latency,
        port=options.port,
        keep_bodies=False,
    )
    with server:
        shown = {"url": server.url, "token": server.token, "adminToken": server.admin_token}
        if server.ca_file is not None:
            shown["caFile"] = server.ca_file
        sys.stdout.write(json.dumps(shown) + "\n")
        sys.stdout.flush()
        _wait(until_stdin_closes=options.stdin)
    return 0


def _read_then(done: threading.Event) -> None:
    sys.stdin.read()
    done.set()


def _wait(*, until_stdin_closes: bool) -> None:
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    if until_stdin_closes:
        threading.Thread(target=_read_then, args=(done,), daemon=True).start()
    while not done.wait(0.5):
        pass
