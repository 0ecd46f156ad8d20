"""What can go wrong with an HTTP answer: each fault is a function from an answer to a worse one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Cut = Literal["", "before", "inside"]
TIMED_OUT = "X-Metaglean-Timed-Out"
"""Header of an answer that `watching` turns into a read time-out at the client."""


@dataclass(frozen=True)
class Request:
    """A request as it arrived; `target` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Answer:
    """An answer to be sent. `cut` drops the connection before it or in the middle of its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: Cut = ""

    def with_json(self, data: Any) -> Answer:
        return replace(self, body=json.dumps(data).encode())

    def json(self) -> Any:
        """The body's JSON, or None where it has none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Fault:
    """One way to spoil an answer.

    `spoil(answer, previous, seed)` returns the worse answer, or None where it doesn't apply to
    this one; `previous` is the answer to the route's call before it. `transient` ones are what a
    client retries; `content` ones leave a body that is well-formed but wrong.
    """

    name: str
    spoil: Callable[[Answer, Answer | None, int], Answer | None]
    transient: bool = False
    content: bool = False


def _status(status: int, *, transient: bool = False, **headers: str) -> Fault:
    answer = Answer(
        status,
        {
            "Content-Type": "application/json",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        },
        json.dumps({"status": status, "message": f"fault {status}"}).encode(),
    )
    name = f"{status}-retry-after" if headers else str(status)
    return Fault(name, lambda _answer, _previous, _seed: answer, transient=transient)


def _previous(answer: Answer, previous: Answer | None, _seed: int) -> Answer | None:
    if previous is None or previous.body == answer.body:
        return None
    return previous


def _html(_answer: Answer, _previous: Answer | None, _seed: int) -> Answer:
    page = b"<!doctype html><html><body><h1>We'll be back soon</h1></body></html>"
    return Answer(200, {"Content-Type": "text/html; charset=utf-8"}, page)


def _cut_json(answer: Answer, _previous: Answer | None, _seed: int) -> Answer | None:
    if len(answer.body) < 2 or answer.json() is None:
        return None
    return replace(answer, body=answer.body[: max(1, len(answer.body) * 2 // 3)])


def _edited(edit: Callable[[Any, random.Random], Any]) -> Callable[..., Answer | None]:
    """A spoiler that edits every object of a JSON body; None where nothing came of it."""

    def spoil(answer: Answer, _previous: Answer | None, seed: int) -> Answer | None:
        data = answer.json()
        edited = _walk(data, edit, random.Random(seed))
        return None if edited == data else answer.with_json(edited)

    return spoil


def _walk(data: Any, edit: Callable[[Any, random.Random], Any], rng: random.Random) -> Any:
    if isinstance(data, list):
        return [_walk(value, edit, rng) for value in data]
    if isinstance(data, dict):
        return edit({key: _walk(value, edit, rng) for key, value in data.items()}, rng)
    return data


def _null(data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    scalars = sorted(key for key, value in data.items() if not isinstance(value, (dict, list)))
    return {**data, rng.choice(scalars): None} if scalars else data


def _retype(data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    key = rng.choice(sorted(data)) if data else None
    if key is None:
        return data
    value = data[key]
    worse = {str: [value], bool: "maybe", int: {"value": value}, list: "not a list"}
    return {**data, key: worse.get(type(value), 7)}


def _same_name(data: dict[str, Any], _rng: random.Random) -> dict[str, Any]:
    names = ("name", "displayName", "display_name", "title")
    return {key: "twin" if key in names else value for key, value in data.items()}


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        _status(401),
        _status(403),
        _status(404),
        _status(429, transient=True),
        _status(429, transient=True, Retry_After="2"),
        _status(500, transient=True),
        _status(502, transient=True),
        _status(503, transient=True),
        Fault("timeout", lambda *_: Answer(504, {TIMED_OUT: "1"}), transient=True),
        Fault("dropped", lambda *_: Answer(200, cut="before"), transient=True),
        Fault("truncated", lambda answer, *_: replace(answer, cut="inside"), transient=True),
        Fault("cut-json", _cut_json),
        Fault("empty-body", lambda answer, *_: replace(answer, body=b"")),
        Fault("html", _html),
        Fault("duplicate-page", _previous),
        Fault("nulls", _edited(_null), content=True),
        Fault("wrong-types", _edited(_retype), content=True),
        Fault("same-names", _edited(_same_name), content=True),
    )
}
"""All faults by name."""

POSITIONS = ("first", "middle", "last")
