"""Contract and fault suites for Metaglean plugins.

These are the public names; each is imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metaglean_testkit.cassettes import cassette
    from metaglean_testkit.clock import VirtualClock
    from metaglean_testkit.fault_suite import SourceFaults
    from metaglean_testkit.faults import FAULTS, Answer, Fault, Request
    from metaglean_testkit.memory import MemorySink
    from metaglean_testkit.observer_contract import ObserverContract
    from metaglean_testkit.processor_contract import ProcessorContract
    from metaglean_testkit.profiler_contract import ProfilerContract
    from metaglean_testkit.proxy import Aim, FaultProxy, watching
    from metaglean_testkit.running import (
        Classes,
        Outcome,
        catalog_state,
        run_classes,
        run_source,
    )
    from metaglean_testkit.secrets import assert_no_secrets
    from metaglean_testkit.sink_contract import SinkContract, directory_snapshot
    from metaglean_testkit.source_contract import SourceContract

_MODULES = {
    "cassettes": "cassette",
    "clock": "VirtualClock",
    "fault_suite": "SourceFaults",
    "faults": "FAULTS Answer Fault Request",
    "memory": "MemorySink",
    "observer_contract": "ObserverContract",
    "processor_contract": "ProcessorContract",
    "profiler_contract": "ProfilerContract",
    "proxy": "Aim FaultProxy watching",
    "running": "Classes Outcome catalog_state run_classes run_source",
    "secrets": "assert_no_secrets",
    "sink_contract": "SinkContract directory_snapshot",
    "source_contract": "SourceContract",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = [
    "FAULTS", "Aim", "Answer", "Classes", "Fault", "FaultProxy", "MemorySink", "ObserverContract",
    "Outcome", "ProcessorContract", "ProfilerContract", "Request", "SinkContract", "SourceContract",
    "SourceFaults", "VirtualClock", "assert_no_secrets", "cassette", "catalog_state",
    "directory_snapshot", "run_classes", "run_source", "watching",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
