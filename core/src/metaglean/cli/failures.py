"""From an exception to one clear message and an exit code."""

from __future__ import annotations

import argparse
import os
import sys

from metaglean.errors import Interrupted, MetagleanError, catching

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
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return error.exit_code
    if isinstance(error, Interrupted):
        print("stopped", file=sys.stderr)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        return 130
    print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
    print("  This is a fault of metaglean or of a plugin: --debug shows where.", file=sys.stderr)
    return INTERNAL


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)
