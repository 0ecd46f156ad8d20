"""The exceptions, named by their consequence, and the one place that isolates foreign ones.

Nothing of Metaglean is imported here, so that every other module may.

    MetagleanError
    ├── ItemError          costs the one item at hand; the run goes on
    │   ├── AccessDenied   the item stands but may not be read: it counts as seen
    │   └── NotFound       the item is not there (any more)
    └── RunEndingError
        ├── ConfigError    exit code 2
        ├── PluginError    exit code 2
        ├── RemoteError    exit code 3: a system is away, or refuses the credentials
        ├── RunError       exit code 1: a listing stayed incomplete, or too little succeeded
        │   ├── LimitReached  what the workflow lets a system be asked is used up
        │   └── Spooled    the sink was away: what it did not get is in a spool
        └── Interrupted    exit code 130 or 143 (a KeyboardInterrupt as well)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "AccessDenied", "ConfigError", "Interrupted", "ItemError", "MetagleanError", "NotFound",
    "PluginError", "RemoteError", "RunEndingError", "RunError",
]  # fmt: skip

# Airflow 2.4 to 2.7 raise their task time-out and SIGTERM as ordinary exceptions inside our code.
_HOST_MODULES = ("airflow.exceptions", "airflow.sdk.exceptions")


class MetagleanError(Exception):
    """Base of all errors of ours: `message` names the thing, `hint` says what to do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ItemError(MetagleanError):
    """One item could not be read or written; `status` is the HTTP status where there was one."""

    def __init__(self, message: str, hint: str = "", *, status: int | None = None) -> None:
        super().__init__(message, hint)
        self.status = status


class AccessDenied(ItemError):
    """The item exists, but these credentials may not read it (401/403 for this item alone)."""


class NotFound(ItemError):
    """The item is gone or was never there (404, or a deleted mark)."""


class RunEndingError(MetagleanError):
    """Ends the run; never isolated by `Run.item` or `Run.map`."""


class ConfigError(RunEndingError):
    """The workflow can't be started as it is written."""

    exit_code = 2


class PluginError(RunEndingError):
    """A plugin is missing, claimed twice, made for another hook API, or fails to import."""

    exit_code = 2


class RemoteError(RunEndingError):
    """A system can't be reached, or refuses the credentials."""

    exit_code = 3


class RunError(RunEndingError):
    """The run went through but its result is not good enough."""

    exit_code = 1


class LimitReached(RunError):
    """A system may not be asked any more in this run: a limit of the workflow is used up."""


class Spooled(RunError):
    """The sink was away: what it did not get is in a spool, to be sent later."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to end; `exit_code` is 128 plus the signal's number."""

    def __init__(self, signal_number: int = 2) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.exit_code = 128 + signal_number


class Caught:
    """What `catching` caught: `error` is None where the block ended well."""

    def __init__(self) -> None:
        self.error: BaseException | None = None


def ends_run(error: BaseException) -> bool:
    """Whether an exception must end the run instead of costing one item."""
    if isinstance(error, RunEndingError) or not isinstance(error, Exception):
        return True
    return from_host(error)


def from_host(error: BaseException) -> bool:
    """Whether the host or the user ended things: a signal, or a time-out of Airflow's."""
    host = any(kind.__module__ in _HOST_MODULES for kind in type(error).__mro__)
    return host or isinstance(error, KeyboardInterrupt)


@contextmanager
def catching(*, ending: bool = False) -> Iterator[Caught]:
    """Isolate a block: whatever fails inside is caught, except for what must end the run.

    With `ending` that is caught as well (for those who put a run in order before they raise it);
    only the closing of a generator always passes. This is the only broad `except` of the project;
    `Run.item`, `Run.map`, the import of plugins and the command line all go through it.
    """
    caught = Caught()
    try:
        yield caught
    except BaseException as error:
        if isinstance(error, GeneratorExit) or (ends_run(error) and not ending):
            raise
        caught.error = error
