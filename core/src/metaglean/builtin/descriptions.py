"""Descriptions in a file: CSV with the columns name, column and description, or YAML."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from metaglean import fqn

_COLUMNS = ("name", "column", "description")
_YAML = (".yaml", ".yml")
_SHAPE = "expected a text, or a block with `description` and `columns`"


class Described(NamedTuple):
    """What the file says about one entity; both may be empty."""

    description: str
    columns: Mapping[str, str]


def read_descriptions(file: str) -> dict[str, Described]:
    """Qualified name → its texts. Columns are named as `address.street`, too.

    Raises ValueError with file and line for what is no such file.
    """
    path = Path(file).expanduser()
    texts: dict[str, dict[str, str]] = {}
    try:
        rows = list(_yaml(path) if path.suffix.lower() in _YAML else _csv(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"{path}: {reason}") from error
    for where, name, column, text in rows:
        try:
            whole = fqn.build(fqn.split(name))
        except ValueError as error:
            raise ValueError(f"{where}: {name!r} is no qualified name") from error
        known = texts.setdefault(whole, {})
        if column in known:
            raise ValueError(f"{where}: {name} {column} is described twice".replace("  ", " "))
        known[column] = text
    return {name: Described(found.pop("", ""), found) for name, found in texts.items()}


def _csv(path: Path) -> Iterator[tuple[str, str, str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            header = [title.strip() for title in next(rows, [])]
            if not {"name", "description"} <= set(header) <= set(_COLUMNS):
                raise ValueError(f"{path}:1: expected the columns {', '.join(_COLUMNS)}")
            for row in rows:
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise ValueError(
                        f"{path}:{rows.line_num}: {len(row)} values, but {len(header)} columns"
                    )
                found = dict(zip(header, row, strict=True))
                where = f"{path}:{rows.line_num}"
                yield where, found["name"].strip(), found.get("column", ""), found["description"]
        except csv.Error as error:
            raise ValueError(f"{path}:{rows.line_num}: {error}") from error


def _yaml(path: Path) -> Iterator[tuple[str, str, str, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            data: Any = yaml.safe_load(file)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{path}:{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: no YAML") from error
    if not isinstance(data, Mapping):
        raise _wrong(str(path), "expected a block of qualified names")
    for name, found in data.items():
        where = f"{path}: {name}"
        block = {"description": found} if isinstance(found, str) else found
        if not isinstance(block, Mapping) or not block.keys() <= {"description", "columns"}:
            raise _wrong(where, _SHAPE)
        if "description" in block:
            yield where, str(name), "", _text(where, block["description"])
        columns = block.get("columns") or {}
        if not isinstance(columns, Mapping):
            raise _wrong(where, "expected a block of columns")
        for column, text in columns.items():
            yield where, str(name), str(column), _text(f"{where}: {column}", text)


def _text(where: str, text: object) -> str:
    if not isinstance(text, str):
        raise _wrong(where, "expected a text; put it in quotes")
    return text


def _wrong(where: str, what: str) -> ValueError:
    return ValueError(f"{where}: {what}")
