"""`metaglean man`: the manual page, made from the help of all commands."""

from __future__ import annotations

import argparse
import sys

DESCRIPTION = """\
Print the manual page metaglean(1), made from the help of all commands.
"""
EPILOG = """\
examples:
  metaglean man > metaglean.1

To read it: man -l metaglean.1. To install it: write it to ~/.local/share/man/man1/metaglean.1.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG


def run(_args: argparse.Namespace) -> int:
    import time
    from importlib.metadata import version

    from metaglean.cli.manual import page
    from metaglean.cli.tree import command_tree

    sys.stdout.write(page(command_tree(), version("metaglean-core"), time.strftime("%Y-%m-%d")))
    return 0
