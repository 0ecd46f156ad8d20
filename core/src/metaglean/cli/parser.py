"""The parser of the command line, which names the nearest word for one that it doesn't know."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

# What every Python from 3.10 on says; its quotes around the choices went with 3.14.
_UNKNOWN = re.compile(r"invalid choice: '(?P<word>.*?)' \(choose from (?P<choices>.*)\)$")


class Parser(argparse.ArgumentParser):
    """As argparse's, with `Did you mean …?` after a wrong command, action or choice. Parsers of
    commands are of the same class."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, end with exit code 2."""
        super().error(message + _suggestion(message))


def _suggestion(message: str) -> str:
    unknown = _UNKNOWN.search(message)
    if not unknown:
        return ""
    from difflib import get_close_matches

    choices = re.findall(r"[\w-]+", unknown["choices"])
    nearest = get_close_matches(unknown["word"], choices, 1)
    return f"\n  Did you mean {nearest[0]}?" if nearest else ""
