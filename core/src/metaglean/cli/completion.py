"""`metaglean completion`: what makes a shell complete commands, options, files and types."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

DESCRIPTION = """\
Print a script that makes a shell complete the commands of metaglean: options, choices, file names,
and the types of the plugins that are installed.
"""
EPILOG = """\
examples:
  metaglean completion bash > metaglean.bash
  metaglean completion zsh > _metaglean
  metaglean completion fish > metaglean.fish

Where the script belongs:
  bash  ~/.local/share/bash-completion/completions/metaglean
        (or in ~/.bashrc: source FILE)
  zsh   _metaglean in a folder of $fpath, which compinit reads
  fish  ~/.config/fish/completions/metaglean.fish

Write it again after an update, so that it knows the new commands.
"""
SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to complete")


def run(args: argparse.Namespace) -> int:
    from metaglean.cli.tree import command_tree

    script: str = import_module(f"metaglean.cli.shells.{args.shell}").script(command_tree())
    sys.stdout.write(script)
    return 0
