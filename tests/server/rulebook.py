"""How a rule is written, run and compared: a named sequence of requests with its answers.

A rule runs on any server that has `url`, `token`, `admin_token` and `own`. Words in braces stand
for names and ids of the scene that it plays in; `{id}` is that of the last entity answered.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.server.api import Api, ApiError
from tests.server.real import NotOurs

GONE = object()  #: the expected value of a key that must not be there
NOBODY = "11111111-1111-1111-1111-111111111111"
_WORD = re.compile(r"\{(\w+)\}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BESIDE_THE_POINT = frozenset(
    "votes followers usageSummary joins customMetrics children updatedAt timestamp "
    "inheritedRoles teams openMetadataServerConnection revision termCount usageCount owns".split()
)
_LABEL = ("tagFQN", "source", "labelType", "state")


class Server(Protocol):
    """What a rule needs of a server."""

    own: bool

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def admin_token(self) -> str: ...


@dataclass(frozen=True)
class Step:
    """One request and what must come of it.

    `has`: dotted path → value (`columns.0.name`; a part may be a qualified name in brackets);
    `says`: a part of the answer's text; `save`: keep the answer's id under this word.
    """

    who: str
    method: str
    path: str
    body: Any = None
    status: int = 200
    has: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    save: str = "id"
    media: str = ""
    loose: bool = False  # the answer holds what differs from server to server


@dataclass(frozen=True)
class Rule:
    """One line of what is known of servers. `damages`: no server survives it."""

    name: str
    steps: tuple[Step, ...]
    damages: bool = False


def rule(name: str, *steps: Step, damages: bool = False) -> Rule:
    return Rule(name, steps, damages)


class Scene:
    """A server with a service, a schema, people, tags and a domain to play rules in."""

    def __init__(self, server: Server, prefix: str) -> None:
        self.server = server
        self.prefix = prefix
        self.words: dict[str, str] = {"nobody": NOBODY}

    def prepare(self) -> Scene:
        p = self.prefix
        self.words |= {"svc": p, "schema": f"{p}.default.default", "cls": f"{p}_cls"}
        self.words |= {"pipes": f"{p}_pipes", "dom": f"{p}_dom", "dp": f"{p}_dp"}
        names = [f"{p}_ann", f"{p}_bob"]
        self.words |= {"ann_name": names[0], "group_name": f"{p}_group"}
        self.words |= {"ANN_NAME": names[0].upper(), "GROUP_NAME": f"{p}_group".upper()}
        airflow = {"name": f"{p}_pipes", "serviceType": "Airflow"}
        domain = {"name": f"{p}_dom", "description": "d", "domainType": "Aggregate"}
        product = {"name": f"{p}_dp", "description": "d", "domain": f"{p}_dom"}
        config = {"type": "DomoDatabase", "clientId": "c", "secretToken": "rule-canary"}
        config["instanceDomain"] = "https://example.domo.com"
        service = {"name": p, "serviceType": "DomoDatabase", "connection": {"config": config}}
        made = {
            "svc_id": ("services/databaseServices", service),
            "pipes_id": ("services/pipelineServices", airflow),
            "db_id": ("databases", {"name": "default", "service": p}),
            "schema_id": ("databaseSchemas", {"name": "default", "database": f"{p}.default"}),
            "cls_id": ("classifications", {"name": f"{p}_cls", "description": "d"}),
            "one_id": ("tags", _tag(p, "one")),
            "two_id": ("tags", _tag(p, "two")),
            "ann": ("users", {"name": names[0], "email": f"{names[0]}@example.org"}),
            "bob": ("users", {"name": names[1], "email": f"{names[1]}@example.org"}),
            "group": ("teams", {"name": f"{p}_group", "teamType": "Group"}),
            "dept": ("teams", {"name": f"{p}_dept", "teamType": "Department"}),
            "dom_id": ("domains", domain),
            "dp_id": ("dataProducts", product),
        }  # fmt: skip
        bot, admin = self._api("bot"), self._api("admin")
        for word, (path, body) in made.items():
            api = bot if path.startswith(("services", "database", "cl", "ta")) else admin
            self.words[word] = api.put(path, self._fitting(path, body))["id"]
        return self

    def made(self) -> list[tuple[str, str]]:
        """What beside the services must be removed: collection and name."""
        p = self.prefix
        return [("classifications", f"{p}_cls"), ("dataProducts", f"{p}_dp"),
                ("domains", f"{p}_dom"), ("users", f"{p}_ann"), ("users", f"{p}_bob"),
                ("teams", f"{p}_group"), ("teams", f"{p}_dept"),
                ("services/pipelineServices", f"{p}_pipes")]  # fmt: skip

    def _fitting(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        version = getattr(self.server, "version", "1.2.0")
        major, minor, *_ = (int(one) for one in re.findall(r"\d+", version))
        if path == "dataProducts" and (major, minor) >= (1, 10):
            body["domains"] = [body.pop("domain")]
        return body

    def _api(self, who: str) -> Api:
        token = {"bot": self.server.token, "nobody": "no-token"}.get(who)
        return Api(self.server.url, token or self.server.admin_token)

    def play(self, one: Rule) -> list[tuple[int, Any]]:
        """Run a rule; its answers. Raises AssertionError, and NotOurs for a rule that damages a
        server which the tests didn't start."""
        if one.damages and not self.server.own:
            raise NotOurs(f"{one.name!r} damages a server: it is not played on this one")
        number = zlib.crc32(one.name.encode())
        self.words["t"] = f"t{number}"
        self.words["T"] = f"{self.words['schema']}.t{number}"
        return [self._step(one, step) for step in one.steps]

    def _step(self, one: Rule, step: Step) -> tuple[int, Any]:
        path, body = self.filled(step.path), self.filled(step.body)
        media = "application/json-patch+json" if step.method == "PATCH" else "application/json"
        try:
            answer = self._api(step.who).send(step.method, path, {}, body, step.media or media)
            status = 201 if step.status == 201 else 200
        except ApiError as error:
            status, answer = error.status, _parsed(error.body)
        where = f"{one.name}: {step.method} {path}: {status} {json.dumps(answer)[:600]}"
        assert (status < 300) == (step.status < 300), where
        assert step.status < 300 or status == step.status, where
        assert self.filled(step.says) in json.dumps(answer, ensure_ascii=False).replace(
            '\\"', '"'
        ), where
        for dotted, wanted in step.has.items():
            found = _at(answer, self.filled(dotted))
            assert found == self.filled(wanted), f"{dotted} is {found!r}, not {wanted!r}; {where}"
        if isinstance(answer, dict) and isinstance(answer.get("id"), str):
            self.words[step.save] = answer["id"]
        return status, answer

    def filled(self, value: Any) -> Any:
        """The words in braces replaced, at any depth."""
        if isinstance(value, str):
            return _WORD.sub(lambda found: self.words.get(found[1], found[0]), value)
        if isinstance(value, dict):
            return {self.filled(key): self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value


def _tag(prefix: str, name: str) -> dict[str, str]:
    return {"name": name, "description": "d", "classification": f"{prefix}_cls"}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text}


def _at(answer: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        if isinstance(answer, list) and part == "n":
            answer = len(answer)
        elif isinstance(answer, list):
            answer = answer[int(part)] if int(part) < len(answer) else GONE
        elif isinstance(answer, str) and answer[:1] in "[{":
            answer = _at(json.loads(answer), part)
        else:
            answer = answer.get(part, GONE) if isinstance(answer, dict) else GONE
        if answer is GONE:
            return GONE
    return answer


def plain(value: Any, base: str) -> Any:
    """An answer without what differs from server to server, or says nothing."""
    if isinstance(value, dict):
        if "tagFQN" in value:
            return {key: value[key] for key in _LABEL if key in value}
        found = {
            key: plain(one, base) for key, one in value.items() if key not in _BESIDE_THE_POINT
        }
        return {key: one for key, one in found.items() if one not in ([], {}, None)}
    if isinstance(value, list):
        return [plain(one, base) for one in value]
    return _plain_text(value, base) if isinstance(value, str) else value


def _plain_text(value: str, base: str) -> Any:
    if value[:1] in ("{", "[") and value[-1:] in ("}", "]"):
        try:
            return plain(json.loads(value), base)
        except ValueError:
            pass
    if value.startswith("An exception with message") and "HTTP 4" not in value:
        return "<unmapped>"
    return _UUID.sub("<id>", value.split("\n at [Source", maxsplit=1)[0].replace(base, "<base>"))


def differences(left: Any, right: Any, at: str = "") -> list[str]:
    """Where two plain answers differ: path, the first's value, the second's."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = sorted({*left, *right})
        parts = [(f"{at}.{key}", left.get(key), right.get(key)) for key in keys]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        parts = [(f"{at}.{n}", *pair) for n, pair in enumerate(zip(left, right, strict=True))]
    else:
        return [] if left == right else [f"{at}: {left!r} / {right!r}"]
    return [line for part in parts for line in differences(part[1], part[2], part[0])]


def without_tags(value: Any) -> Any:
    """Without labels: 1.2 gives a column's also unasked, as long as its cache has them."""
    if isinstance(value, dict):
        return {key: without_tags(one) for key, one in value.items() if key != "tags"}
    return [without_tags(one) for one in value] if isinstance(value, list) else value
