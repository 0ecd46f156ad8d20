"""From an exception to one clear message and an exit code."""

from __future__ import annotations

import argparse
import os
import sys

from metaglean.errors import Interrupted, MetagleanError, catching
from metaglean.text import write_line

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
    if getattr(options, "debug", False):
        _print_traceback(error)
    return report(error)


def report(error: BaseException) -> int:
    """Print an error in at most a few lines; returns its exit code."""
    if isinstance(error, MetagleanError):
        write_line(f"error: {error.message}", sys.stderr)
        if error.hint:
            write_line(f"  {error.hint}", sys.stderr)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        write_line("stopped", sys.stderr)
        return error.exit_code if isinstance(error, Interrupted) else 130
    write_line(f"error: {type(error).__name__}: {error}", sys.stderr)
    write_line("  This is a fault of metaglean or of a plugin: --debug shows where.", sys.stderr)
    return INTERNAL


def _print_traceback(error: BaseException) -> None:
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    write_line("".join(lines).rstrip("\n"), sys.stderr)
