"""Qualified names as the server builds them."""

from __future__ import annotations

from metaglean_testkit.openmetadata.errors import bad


def quote(name: str) -> str:
    """One part of a qualified name. Raises `Refused` (400) for a name that can't be one."""
    if '"' in name:
        if len(name) > 2 and name[0] == name[-1] == '"' and '"' not in name[1:-1]:
            return name if "." in name else name[1:-1]
        raise bad(f"Invalid name {name}")
    if "\n" in name or "\r" in name:
        raise bad(f"Invalid name {name}")
    return f'"{name}"' if "." in name else name


def join(parent: str | None, name: str) -> str:
    """The qualified name of `name` below `parent`."""
    return quote(name) if parent is None else f"{parent}.{quote(name)}"


def split(fqn: str) -> list[str]:
    """The parts, quotes kept. A malformed name comes back as one part."""
    if '"' not in fqn:
        return fqn.split(".")
    parts, start, quoted = [], 0, False
    for index, character in enumerate(fqn):
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append(fqn[start:index])
            start = index + 1
    return [fqn] if quoted else [*parts, fqn[start:]]


def normal(fqn: str) -> str:
    """The same name, each part quoted only where it must be: what the server hashes."""
    if '"' not in fqn:
        return fqn
    return ".".join(
        part[1:-1] if len(part) > 2 and part[0] == part[-1] == '"' and "." not in part else part
        for part in split(fqn)
    )
