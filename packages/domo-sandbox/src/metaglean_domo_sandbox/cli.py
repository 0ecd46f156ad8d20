"""The command line: a sandbox in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from metaglean_domo_sandbox.data import Tenant
from metaglean_domo_sandbox.faults import FaultPlan
from metaglean_domo_sandbox.model import Json
from metaglean_domo_sandbox.server import Sandbox

_NOTICE = (
    "This is a sandbox on loopback, not Domo. It was written from public documentation and\n"
    "never checked against a live tenant."
)
_EXAMPLES = """\
examples:
  metaglean-domo-sandbox
      the demo tenant, on any two free ports
  metaglean-domo-sandbox --port 8800 --datasets 1000 --columns 20
      a large tenant; public plane on port 8800, instance plane on 8801
  metaglean-domo-sandbox --fault-rate 0.1 --latency-ms 20
      10 % of the answers are 429, 503 or a dropped connection; each takes 20 ms
  metaglean-domo-sandbox --ready-file ready.json --tls cert.pem key.pem
      for scripts: ready.json appears when it listens, with urls and credentials

another process may ask and steer it on the public url:
  GET /__sandbox__/stats      POST /__sandbox__/reset, /__sandbox__/faults, /__sandbox__/mutate
"""
#: Environment variables of `--print-env`, and the keys they show.
_VARIABLES = {
    "DOMO_API_HOST": "public_url",
    "DOMO_INSTANCE_DOMAIN": "instance_url",
    "DOMO_CLIENT_ID": "client_id",
    "DOMO_SECRET_TOKEN": "client_secret",
    "DOMO_ACCESS_TOKEN": "access_token",
}


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog="metaglean-domo-sandbox",
        description="A Domo API server on loopback with generated data.\n" + _NOTICE,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--port", type=int, default=0, metavar="N", help="public plane; instance N+1; 0: any")
    add("--datasets", type=int, metavar="N", help="a generated tenant instead of the demo's")
    add("--columns", type=int, default=20, metavar="N", help="columns of each (with --datasets)")
    add("--streams", type=float, default=0.5, metavar="F", help="share that has a stream")
    add("--views", type=float, default=0.0, metavar="F", help="share that is a view")
    add("--federated", type=float, default=0.0, metavar="F", help="share that is federated")
    add("--seed", type=int, default=7, metavar="N", help="of the data and of random faults")
    add("--latency-ms", type=float, default=0.0, metavar="MS", help="before each answer")
    add("--fault-rate", type=_share, default=0.0, metavar="F", help="0.1: 10 %% 429, 503, dropped")
    add("--rate-limit", type=int, metavar="N", help="requests a second and plane, then 429")
    add("--tls", nargs=2, metavar=("CERT", "KEY"), help="PEM files; without: plain HTTP")
    add("--expires-in", type=int, default=3599, metavar="S", help="life of an OAuth token")
    add("--print-env", action="store_true", help="print export lines for a shell, nothing else")
    add("--ready-file", type=Path, metavar="PATH", help="write urls and credentials as JSON")
    return made


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns the exit code: 0, or 2 where it can't start."""
    options = parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with _sandbox(options) as sandbox:
            _announce(sandbox, options)
            # A wait without a time limit would not be interrupted by signals everywhere.
            while not stop.wait(0.2):
                pass
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"metaglean-domo-sandbox: {problem}\n")
        return 2
    finally:
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
    return 0


def _sandbox(options: argparse.Namespace) -> Sandbox:
    tenant = Tenant.demo(options.seed)
    if options.datasets is not None:
        tenant = Tenant.scale(
            options.datasets,
            options.columns,
            options.streams,
            options.seed,
            views=options.views,
            federated=options.federated,
        )
    plan = FaultPlan()
    if options.fault_rate:
        plan = FaultPlan.at_random(options.fault_rate, options.seed)
    port: int = options.port
    return Sandbox(
        tenant,
        faults=plan,
        latency_ms=options.latency_ms,
        rate_limit=options.rate_limit,
        tls=tuple(options.tls) if options.tls else None,
        expires_in=options.expires_in,
        ports=(port, port + 1 if port else 0),
    )


def _announce(sandbox: Sandbox, options: argparse.Namespace) -> None:
    facts = sandbox.connection()
    if options.print_env:
        lines = [f"export {k}={shlex.quote(str(facts[v]))}" for k, v in _VARIABLES.items()]
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        count = len(sandbox.tenant.live())
        sys.stdout.write(f"{_NOTICE}\n\n  {count} datasets\n")
        sys.stdout.writelines(f"  {key:<14} {value}\n" for key, value in facts.items())
        sys.stdout.write("\nThe credentials are made up. Ctrl-C stops it.\n")
    sys.stdout.flush()
    if options.ready_file is not None:
        _write(options.ready_file, {**facts, "datasets": len(sandbox.tenant.live())})


def _write(path: Path, facts: Json) -> None:
    """Write the file whole: a script that waits for it never reads half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({**facts, "pid": os.getpid()}, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
