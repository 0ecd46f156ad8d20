"""A fake OpenMetadata server: real sockets, no Java. For tests and benchmarks.

It follows what was measured on a real 1.2 server and read in the source of later ones; a table of
rules runs against both.

    from metaglean_testkit.openmetadata import FakeServer

    with FakeServer(version="1.2.0") as server:
        print(server.url, server.token)

As a command: `python -m metaglean_testkit.openmetadata --version 2.0 --port 8585`.
"""

from __future__ import annotations

from metaglean_testkit.openmetadata.faults import Fault
from metaglean_testkit.openmetadata.policy import Person
from metaglean_testkit.openmetadata.server import FakeServer, Logged

__all__ = ["FakeServer", "Fault", "Logged", "Person"]
