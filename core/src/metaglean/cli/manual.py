"""The manual page in the macros of man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metaglean.cli import EPILOG
from metaglean.cli.tree import Argument, Command

HEAD = """\
.\\" Printed by `metaglean man`.
.TH METAGLEAN 1 "{date}" "metaglean {version}" "User Commands"
.SH NAME
metaglean \\- read metadata from systems and write it to a catalog
.SH SYNOPSIS
.B metaglean
.RI [ options ]
.I command
.RI [ argument ...]
.SH DESCRIPTION
Metaglean reads what a system knows about its data (tables, columns, owners, tags, view SQL) and
writes it to a catalog: an OpenMetadata server, its own catalog in a single SQLite file, or any sink
that a plugin brings.
A workflow file (YAML) names a source, perhaps processors, and a sink.
"""
FOOT = """\
.SH FILES
.TP
.I metaglean.db
The embedded catalog, in the current directory unless
.B METAGLEAN_CATALOG
or the sink's
.I path
names another.
.SH ENVIRONMENT
.TP
.B METAGLEAN_CATALOG
The path of the embedded catalog.
.TP
.BR HTTP_PROXY ", " HTTPS_PROXY ", " NO_PROXY
Proxies for all calls.
.TP
.BR REQUESTS_CA_BUNDLE ", " SSL_CERT_FILE
The certificate authorities to trust.
"""


def page(tree: Command, version: str, date: str) -> str:
    """The whole page."""
    parts = [HEAD.format(version=version, date=date), ".SH OPTIONS\n"]
    parts += [_argument(argument) for argument in tree.options]
    parts.append(".SH COMMANDS\n")
    for command in tree.walk():
        if command.path:
            parts += _command(command)
    parts += [_epilog(EPILOG, ".SH"), FOOT]
    return "".join(parts)


def _command(command: Command) -> Iterator[str]:
    yield f".SS {_text(' '.join(('metaglean', *command.path)))}\n"
    yield _prose(command.description or command.help)
    if not command.commands:
        yield f".PP\n.nf\n{_text(command.usage)}\n.fi\n"
    for argument in (*command.places, *command.options):
        yield _argument(argument)
    yield _epilog(command.epilog, ".PP")


def _argument(argument: Argument) -> str:
    value = rf" \fI{_text(argument.value)}\fR" if argument.value else ""
    flags = [rf"\fB{_text(flag)}\fR{value}" for flag in argument.flags]
    head = ", ".join(flags) or rf"\fI{_text(argument.value)}\fR"
    said = [argument.help] if argument.help else []
    if argument.choices:
        said.append(f"One of: {', '.join(argument.choices)}.")
    return f".TP\n{head}\n{_prose(' '.join(said) or '-')}"


def _epilog(epilog: str, macro: str) -> str:
    """An epilog as it stands: lines that begin at the margin and end in a colon are headings."""
    lines: list[str] = []
    for line in epilog.rstrip().splitlines():
        heading = re.fullmatch(r"(\S.*):", line)
        if heading and macro == ".SH":
            lines += [".fi"] if lines else []
            lines += [f".SH {_text(heading[1].upper())}", ".nf"]
        else:
            lines += [".PP", ".nf"] if not lines else []
            lines.append(_text(line) if line.strip() else ".sp")
    return "\n".join([*lines, ".fi", ""]) if lines else ""


def _prose(text: str) -> str:
    return "".join(f"{_text(line)}\n" if line.strip() else ".sp\n" for line in text.splitlines())


def _text(text: str) -> str:
    """Text that troff takes as it is: no escapes, no macros, hyphens that can be copied."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti").replace("^", r"\(ha")
    text = text.replace("`", r"\(ga")
    text = re.sub(r"[^\x00-\x7f]", lambda found: rf"\[u{ord(found[0]):04X}]", text)
    return rf"\&{text}" if text.startswith((".", "'")) else text
