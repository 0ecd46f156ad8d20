"""A small client: urllib, JSON, both planes."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from metaglean_domo_sandbox import Sandbox, Tenant


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls a sandbox as a reader of Domo would."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._token = ""

    def send(
        self, url: str, body: Any = None, headers: dict[str, str] | None = None, timeout: float = 5
    ) -> Reply:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Reply(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as problem:
            with problem:
                return Reply(problem.code, problem.read(), dict(problem.headers))

    def login(self, secret: str | None = None, scope: str = "", method: str = "POST") -> Reply:
        settings = self.sandbox.settings
        pair = f"{settings.client_id}:{secret or settings.client_secret}"
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        form = "grant_type=client_credentials" + (f"&scope={scope}" if scope else "")
        url = self.sandbox.public_url + "/oauth/token"
        if method == "GET":
            return self.send(f"{url}?{form}", headers=headers)
        return self.send(url, form.encode(), headers)

    def public(self, path: str, body: Any = None, **more: Any) -> Reply:
        if not self._token:
            self._token = self.login().json["access_token"]
        headers = {"Authorization": f"bearer {self._token}"}
        return self.send(self.sandbox.public_url + path, body, headers, **more)

    def instance(self, path: str, body: Any = None, **more: Any) -> Reply:
        headers = {"X-DOMO-Developer-Token": self.sandbox.settings.access_token}
        return self.send(self.sandbox.instance_url + path, body, headers, **more)

    def control(self, path: str, body: Any = None) -> Reply:
        return self.send(f"{self.sandbox.public_url}/__sandbox__/{path}", body)

    def relogin(self) -> None:
        self._token = ""


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.demo()


@pytest.fixture
def sandbox(tenant: Tenant) -> Iterator[Sandbox]:
    with Sandbox(tenant) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)
