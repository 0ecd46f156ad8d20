"""A receiver on loopback, and runs to observe."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from metaglean import Database, Listed, Schema, Source, Step, Table
from metaglean_testkit import MemorySink, run_classes

CANARY = "canary-0f-the-run"


class Receiver:
    """Keeps what is posted: (path, headers, body). `status` and `answer` is what it says."""

    def __init__(self):
        self.posts = []
        self.status = 200
        self.answer = b""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, b"{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, dict(self.headers), body))
                self.answer(receiver.status, receiver.answer)

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def bodies(self, path):
        return [body for at, _, body in self.posts if at == path]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Shop(Source):
    """Three tables, of which one fails, behind an API at `api`."""

    type = "shop"
    api = ""
    ending = None

    def test_connection(self, run):
        yield Step("read", True)

    def read(self, run):
        run.redactor.add(CANARY)
        if self.api:
            run.session("Shop API", self.api).get_json("/things")
        database = self.service.child("database", "d")
        schema = database.child("databaseSchema", "s")
        yield Database(ref=database)
        yield Schema(ref=schema)
        inventory = [Listed(str(n), name) for n, name in enumerate(["a.b", "broken", "c"])]
        for ref, listed in run.listing("table", schema).over(inventory):
            with run.item(ref):
                if ref.name == "broken":
                    raise ValueError(f"no {CANARY}")
                yield Table(ref=ref, source_id=listed.id, columns=(), description=CANARY)
        if self.ending:
            raise self.ending


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("OTEL_", "TRACE")):
            monkeypatch.delenv(name)


@pytest.fixture
def observed(receiver):
    """`observed(type, config, ending=None, **options)` → the outcome of a run that is watched."""

    def observed(type_, config, ending=None, **options):
        source = type("Ending", (Shop,), {"api": receiver.url, "ending": ending})
        workflow = {
            "source": {"type": "shop", "serviceName": "svc", "serviceConnection": {"config": {}}},
            "sink": {"type": "memory"},
            "observers": [{"type": type_, "config": config}],
            "workflowConfig": {"successThreshold": 10},
            "pipelineRunId": "11111111-2222-3333-4444-555555555555",
        }
        return run_classes(workflow, source, MemorySink, **options)

    return observed


@pytest.fixture
def complaints():
    """`complaints(outcome)` → what the run says of its observers."""

    def complaints(outcome):
        return [one["message"] for one in outcome.report["warnings"] if one["stage"] == "observer"]

    return complaints
