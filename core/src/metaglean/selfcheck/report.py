"""The findings for people and programs. It is made to be shown to strangers: no address, no id, no
name of the tenant's is in it."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import distributions, version
from typing import Any
from urllib.parse import urlsplit

from metaglean.config import WorkflowConfig
from metaglean.redaction import Redactor
from metaglean.selfcheck.checking import Finding, prefix

MARKS = {True: "ok", False: "BROKEN", None: "not tested"}
_ADDRESS = re.compile(r"https?://[^\s'\"<>)]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")
_ID = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{4,27}\b|\b\d{5,}\b")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_HOST = re.compile(r"(?=.*[a-zA-Z])[\w-]+(?:\.[\w-]+)+(?::\d+)?")
_LONGEST = 300


class Shown:
    """Texts without secrets, addresses, ids, quoted words and the service's name."""

    def __init__(self, config: WorkflowConfig) -> None:
        self._redactor = Redactor(*config.secrets)
        self._hosts = sorted(set(_hosts(config)), key=len, reverse=True)
        name, short = (re.escape(one) for one in (config.service_name, prefix(config)))
        self._service = re.compile(rf"(?<!\w)(?:{name}|{short}[0-9a-f]{{8}})(?!\w)")

    def __call__(self, text: str) -> str:
        text = _ADDRESS.sub("<address>", self._redactor.clean(text))
        for host in self._hosts:
            text = text.replace(host, "<address>")
        text = _ID.sub("<id>", _MAIL.sub("<mail>", self._service.sub("<service>", text)))
        return _QUOTED.sub("'…'", text)[:_LONGEST]


def as_json(config: WorkflowConfig, findings: Sequence[Finding], notes: Sequence[str]) -> Any:
    """Versions, findings and notes, ready for JSON."""
    shown = Shown(config)
    return {
        "versions": dict(versions(config)),
        "findings": [
            {**one._asdict(), "ok": MARKS[one.ok].lower(), "detail": shown(one.detail)}
            for one in findings
        ],
        "notes": [shown(note) for note in notes],
    }


def as_markdown(config: WorkflowConfig, findings: Sequence[Finding], notes: Sequence[str]) -> str:
    """The same as a page."""
    data = as_json(config, findings, notes)
    lines = ["# Metaglean self-check", ""]
    lines += [f"- {name} {number}" for name, number in data["versions"].items()]
    for component in dict.fromkeys(one.component for one in findings):
        lines += ["", f"## {component}", "", "| assumption | result | found |", "|---|---|---|"]
        for one in data["findings"]:
            if one["component"] == component:
                cells = (one["text"], one["ok"], one["detail"])
                lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    lines += ["", *(f"- {note}" for note in data["notes"])] if notes else []
    return "\n".join(lines) + "\n"


def versions(config: WorkflowConfig) -> Iterator[tuple[str, str]]:
    """What is installed: the distributions of core, source and sink, Python, the system."""
    homes = {
        entry.value.partition(".")[0]: distribution
        for distribution in distributions()
        for entry in distribution.entry_points
        if entry.group.startswith("metaglean.")
    }
    components = (config.source_class, config.sink_class)
    modules = [component.__module__.partition(".")[0] for component in components]
    found = {homes[module].name: homes[module].version for module in modules if module in homes}
    yield from sorted({"metaglean-core": version("metaglean-core"), **found}.items())
    yield "Python", platform.python_version()
    yield platform.system(), platform.release().partition("-")[0]


def _hosts(config: WorkflowConfig) -> Iterator[str]:
    """The hosts that the workflow's settings name."""
    for model in (config.source_config, config.server):
        for text in _texts(model.model_dump() if model else {}):
            url = f"//{text}" if _HOST.fullmatch(text) else text
            parts = urlsplit(url if "//" in url else "")
            yield from filter(None, (parts.netloc, parts.hostname))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else ()
    if isinstance(value, list | tuple):
        inner = value
    for one in inner:
        yield from _texts(one)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
