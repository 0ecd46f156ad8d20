"""From an exception to one clear message and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from metaglean.errors import ConfigError, Interrupted, MetagleanError, catching

if TYPE_CHECKING:
    from metaglean.cli.lines import Lines
    from metaglean.workflow import Workflow

Clean = Callable[[str], str]
INTERNAL = 70
FAULT = "This is a fault of metaglean or of a plugin: --debug shows where."


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
    from metaglean.cli.lines import Lines  # with logging: what ends well doesn't pay for it

    lines = Lines(getattr(options, "log_format", "text"))
    return report(error, debug=getattr(options, "debug", False), lines=lines)


def cleaning(workflow: Workflow) -> Clean:
    """What removes the secrets of a workflow, begun or not, from a text."""
    from metaglean.cli.lines import redactor_of

    return redactor_of(workflow).clean


def report(
    error: BaseException, clean: Clean = str, *, debug: bool = False, lines: Lines | None = None
) -> int:
    """Say an error in at most a few lines, with `debug` its traceback as well; returns its exit
    code. `clean` removes secrets."""
    import logging

    from metaglean.cli.lines import Lines

    say = (lines or Lines()).say
    if isinstance(error, KeyboardInterrupt):
        code = error.exit_code if isinstance(error, Interrupted) else 130
        say(logging.INFO, "stopped", exit_code=code)
        return code
    message, hint, code = f"{type(error).__name__}: {error}", FAULT, INTERNAL
    if isinstance(error, MetagleanError):
        message, hint, code = error.message, error.hint, error.exit_code
    say(
        logging.ERROR,
        clean(message),
        hint=clean(hint),
        exit_code=code,
        exception=type(error).__name__,
        traceback=clean(_traceback(error)) if debug else "",
    )
    return code


def _traceback(error: BaseException) -> str:
    import traceback

    # What lies below an error of the configuration quotes the file, secrets and all.
    chain = not isinstance(error, ConfigError)
    lines = traceback.format_exception(type(error), error, error.__traceback__, chain=chain)
    return "".join(lines).rstrip("\n")
