"""What a command says on standard error: text for people, or one JSON object a line."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

from metaglean.text import write_line

if TYPE_CHECKING:
    from metaglean.redaction import Redactor
    from metaglean.workflow import Workflow

FORMATS = ("text", "json")
_FIELDS = ("stage", "item", "hint", "exit_code", "progress", "summary")
_WORDS = {logging.WARNING: "warning: ", logging.ERROR: "error: "}


def add_log_format(parser: argparse.ArgumentParser) -> None:
    """The option `--log-format`, for a command that runs a workflow."""
    parser.add_argument(
        "--log-format",
        choices=FORMATS,
        default="text",
        help="how the log, progress and errors are written to standard error; json is one object a "
        "line (default: text)",
    )


class Lines:
    """Says single lines. With `json` the summary is one of them, and standard output stays free."""

    def __init__(self, log_format: str = "text", workflow: Workflow | None = None) -> None:
        self.json = log_format == "json"
        self.workflow = workflow

    def say(self, level: int, message: str, **fields: Any) -> None:
        """Write one message of this logging level; `hint` is what to do about it, the other fields
        are for JSON."""
        if self.json:
            known = {
                "name": "metaglean",
                "levelno": level,
                "levelname": logging.getLevelName(level),
            }
            record = logging.makeLogRecord({**known, "msg": message, **fields})
            JsonHandler(sys.stderr, self.workflow).handle(record)
            return
        if fields.get("traceback"):
            write_line(fields["traceback"], sys.stderr)
        write_line(f"{_WORDS.get(level, '')}{message}", sys.stderr)
        if fields.get("hint"):
            write_line(f"  {fields['hint']}", sys.stderr)


@contextmanager
def logging_in(lines: Lines) -> Iterator[None]:
    """With JSON, what the block logs is written as such lines; else it goes where it went."""
    if not lines.json:
        yield
        return
    handler = JsonHandler(sys.stderr, lines.workflow)
    logger = logging.getLogger("metaglean")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class JsonHandler(logging.Handler):
    """One JSON object a record; of a workflow's run it says the id and the service as well."""

    def __init__(self, stream: TextIO, workflow: Workflow | None = None) -> None:
        super().__init__()
        self._stream = stream
        self._workflow = workflow

    def emit(self, record: logging.LogRecord) -> None:
        data = {key: value for key, value in self._data(record).items() if value not in ("", None)}
        line = json.dumps(_without_surrogates(self._cleaned(data)), default=str)
        self._stream.write(line + "\n")  # at once: another thread may write as well
        self._stream.flush()

    def _data(self, record: logging.LogRecord) -> dict[str, Any]:
        time = datetime.fromtimestamp(record.created, timezone.utc)
        run = self._workflow.run if self._workflow else None
        trace = getattr(record, "traceback", None) or record.exc_text
        if record.exc_info and not trace:
            trace = logging.Formatter().formatException(record.exc_info)
        return {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "run": run.id if run else None,
            "service": self._workflow.config.service_name if self._workflow else None,
            **{name: getattr(record, name, None) for name in _FIELDS},
            "exception": getattr(record, "exception", None) or _raised(trace),
            "traceback": trace,
        }

    def _cleaned(self, data: dict[str, Any]) -> dict[str, Any]:
        if self._workflow is None:
            return data
        cleaned: dict[str, Any] = redactor_of(self._workflow).clean_value(data)
        return cleaned


def redactor_of(workflow: Workflow) -> Redactor:
    """What knows the secrets of a workflow, begun or not."""
    if workflow.run:
        return workflow.run.redactor
    from metaglean.redaction import Redactor

    return Redactor(*workflow.config.secrets)


def _raised(trace: str | None) -> str:
    """The type that a traceback ends in."""
    last = trace.splitlines()[-1] if trace else ""
    return last.partition(":")[0].rpartition(".")[2]


def _without_surrogates(value: Any) -> Any:
    """Half a character, as in the name of a file, is no JSON for many readers."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    return value
