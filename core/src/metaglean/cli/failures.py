"""From an exception to one clear message and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from metaglean.errors import ConfigError, Interrupted, MetagleanError, catching
from metaglean.text import write_line

if TYPE_CHECKING:
    from metaglean.workflow import Workflow

Clean = Callable[[str], str]
INTERNAL = 70


def exit_code(options: argparse.Namespace) -> int:
    """Run the command of `options`; whatever it raises becomes a message on standard error."""
    code = 0
    with catching(ending=True) as caught:
        code = int(options.run(options))
    error = caught.error
    if error is None:
        return code
    if isinstance(error, BrokenPipeError):
        # The reader (`| head`) has seen enough; keep the interpreter from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, SystemExit):
        raise error
    return report(error, debug=getattr(options, "debug", False))


def cleaning(workflow: Workflow) -> Clean:
    """What removes the secrets of a workflow, begun or not, from a text."""
    if workflow.run:
        return workflow.run.redactor.clean
    from metaglean.redaction import Redactor

    return Redactor(*workflow.config.secrets).clean


def report(error: BaseException, clean: Clean = str, *, debug: bool = False) -> int:
    """Print an error in at most a few lines, with `debug` its traceback above; returns its exit
    code. `clean` removes secrets."""
    if isinstance(error, KeyboardInterrupt):
        write_line("stopped", sys.stderr)
        return error.exit_code if isinstance(error, Interrupted) else 130
    if debug:
        write_line(clean(_traceback(error)), sys.stderr)
    if isinstance(error, MetagleanError):
        write_line(clean(f"error: {error.message}"), sys.stderr)
        if error.hint:
            write_line(clean(f"  {error.hint}"), sys.stderr)
        return error.exit_code
    write_line(clean(f"error: {type(error).__name__}: {error}"), sys.stderr)
    write_line("  This is a fault of metaglean or of a plugin: --debug shows where.", sys.stderr)
    return INTERNAL


def _traceback(error: BaseException) -> str:
    import traceback

    # What lies below an error of the configuration quotes the file, secrets and all.
    chain = not isinstance(error, ConfigError)
    lines = traceback.format_exception(type(error), error, error.__traceback__, chain=chain)
    return "".join(lines).rstrip("\n")
