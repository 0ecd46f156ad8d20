"""A Domo API server on loopback, for demos, tests and benchmarks. It is not Domo.

It was written from public documentation and has never been compared with a live tenant.

    from metaglean_domo_sandbox import Sandbox, Tenant

    with Sandbox(Tenant.demo()) as sandbox:
        print(sandbox.public_url, sandbox.instance_url)
"""

from __future__ import annotations

from metaglean_domo_sandbox.data import Tenant
from metaglean_domo_sandbox.faults import Fault, FaultPlan
from metaglean_domo_sandbox.model import Column, Dataset, Group, Owner, Stream, User
from metaglean_domo_sandbox.server import Sandbox

__all__ = [
    "Column",
    "Dataset",
    "Fault",
    "FaultPlan",
    "Group",
    "Owner",
    "Sandbox",
    "Stream",
    "Tenant",
    "User",
]
