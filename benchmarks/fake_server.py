"""The test kit's fake OpenMetadata server as a process of its own, steered by lines of JSON.

`python fake_server.py VERSION CERTIFICATE KEY` says where it listens, then answers each line on its
standard input with one on its standard output, until that input ends:

    {"do": "reset", "latency": 0.02}     the state as at the start, counted anew
    {"do": "count"}                      counted anew, the state stays
    {"do": "stats"}                      what was counted, and what stands
"""

from __future__ import annotations

import json
import sys
from typing import Any

from metaglean_testkit.openmetadata import FakeServer

Json = dict[str, Any]


def obey(server: FakeServer, order: Json) -> Json:
    """Carry out one order."""
    if order["do"] == "stats":
        return stats(server)
    if order["do"] == "reset":
        server.reset()
        server.latency = float(order.get("latency", 0.0))
    server.forget()
    return {}


def stats(server: FakeServer) -> Json:
    """Requests since the last count, those among them that write, and what stands by now."""
    counts = server.counts
    state = server.app.world.state
    tables = state.all("table")
    return {
        "requests": counts["all"],
        "writes": counts["all"] - counts["GET"],
        "tables": sum(1 for table in tables if table.body.get("columns") and not table.deleted),
        "tags": len(state.all("tag")),
    }


def main() -> int:
    version, certificate, key = sys.argv[1:]
    with FakeServer(version, tls=(certificate, key), keep_bodies=False) as server:
        _say({"url": server.url, "token": server.token})
        for line in sys.stdin:
            _say(obey(server, json.loads(line)))
    return 0


def _say(answer: Json) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
