"""`${VAR}`, `${VAR:-default}` and `${file:/path}` in the values of a workflow file.

Done after the file is parsed, so that no character of a password can change its structure. `$${`
stands for a literal `${`. A bare `$NAME` is replaced only where the variable exists, because
published workflows rely on it, and gives a warning; every other `$` stays. What comes from outside
is text: `${THREADS}` is read as a number where a number is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from metaglean.config.document import MAX_BYTES, Document, Path
from metaglean.config.problems import Problems

_TOKEN = re.compile(
    r"(?P<literal>\$\$\{)"
    r"|\$\{(?P<braced>[^{}]*)\}"
    r"|\$\{(?P<nested>[^{}]*\$\{)"
    r"|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<open>\$\{)"
)
_BRACED = re.compile(
    r"file:(?P<file>.+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<rest>:-(?P<default>.*))?", re.DOTALL
)
_WHOLE = re.compile(r"\$[A-Z_][A-Z0-9_]*")
_FORMS = "expected ${VAR}, ${VAR:-default} or ${file:/path}; a literal ${ is written $${"


def interpolate(document: Document, environ: Mapping[str, str], problems: Problems) -> Any:
    """The document's data with all values filled in; what can't be is added to `problems`.

    A relative `${file:…}` is looked for beside the workflow file.
    """
    return _Filler(environ, problems, FilePath(document.name).parent).fill(document.data, ())


def unset_variables(data: Any, environ: Mapping[str, str], path: Path = ()) -> Iterator[Path]:
    """Where a whole value is written as a bare variable that doesn't exist, and so stays text."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from unset_variables(value, environ, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from unset_variables(value, environ, (*path, number))
    elif isinstance(data, str) and _WHOLE.fullmatch(data) and data[1:] not in environ:
        yield path


class _Filler:
    def __init__(self, environ: Mapping[str, str], problems: Problems, folder: FilePath) -> None:
        self._environ = environ
        self._problems = problems
        self._folder = folder

    def fill(self, data: Any, path: Path) -> Any:
        if isinstance(data, Mapping):
            return {key: self.fill(value, (*path, key)) for key, value in data.items()}
        if isinstance(data, list):
            return [self.fill(value, (*path, n)) for n, value in enumerate(data)]
        if isinstance(data, str) and "$" in data:
            return _TOKEN.sub(lambda match: self._token(match, path), data)
        return data

    def _token(self, match: re.Match[str], path: Path) -> str:
        if match["literal"]:
            return "${"
        if match["nested"] is not None:
            self._problems.error(path, "${…} inside of ${…}", _FORMS)
            return match[0]
        if match["bare"]:
            return self._bare(match["bare"], path)
        parts = None if match["open"] else _BRACED.fullmatch(match["braced"])
        if parts is None:
            self._problems.error(path, "a ${…} that is not understood", _FORMS)
            return match[0]
        return self._braced(parts, path)

    def _braced(self, parts: re.Match[str], path: Path) -> str:
        if parts["file"]:
            return self._file(parts["file"], path)
        value = self._environ.get(parts["name"])
        if parts["rest"]:
            return value or str(parts["default"])
        if value is None:
            name = parts["name"]
            self._problems.error(
                path,
                f"the environment variable {name} is not set",
                f"export {name}, or give a default: ${{{name}:-default}}",
            )
            return ""
        return value

    def _bare(self, name: str, path: Path) -> str:
        if name not in self._environ:
            return f"${name}"
        self._problems.bare_variable(path, name)
        return self._environ[name]

    def _file(self, name: str, path: Path) -> str:
        file = self._folder / name
        try:
            with file.open(encoding="utf-8") as stream:
                text = stream.read(MAX_BYTES)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._problems.error(path, f"{file} can't be read: {reason}", "check the path")
            return ""
        except UnicodeDecodeError:
            self._problems.error(path, f"{file} is not text in UTF-8", "check the path")
            return ""
        return text.rstrip("\r\n")
