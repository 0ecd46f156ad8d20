"""Fixed tokens, and client credentials with their renewals."""

from __future__ import annotations

import base64
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from metaglean.errors import AccessDenied, ItemError, RemoteError
from metaglean.http import (
    Auth,
    Basic,
    Bearer,
    ClientCredentials,
    CredentialsRefused,
    Header,
    Unreachable,
    Verdict,
)

SECRET = "canary-secret"


@pytest.mark.parametrize(
    ("auth", "name", "value", "secret"),
    [
        (Bearer("canary-tok"), "authorization", "Bearer canary-tok", "canary-tok"),
        (
            Header("X-Developer-Token", "canary-tok"),
            "x-developer-token",
            "canary-tok",
            "canary-tok",
        ),
        (
            Basic("mé", "canary:tok"),
            "authorization",
            "Basic " + base64.b64encode("mé:canary:tok".encode()).decode(),
            "canary:tok",
        ),
    ],
)
def test_fixed_credentials(serve, connect, reply, redactor, auth, name, value, secret):
    server = serve([reply({})])
    connect(server, auth=auth).get("/x")
    assert server.requests[0].headers[name] == value
    scheme = value.rpartition(" ")[0]
    assert redactor.clean(value) == f"{scheme} ***".strip()
    assert redactor.clean(f"is {secret}") == "is ***"


@pytest.mark.parametrize("auth", [Bearer("wrong-token"), None])
def test_fixed_credentials_refused(serve, connect, reply, auth):
    server = serve([reply({}), reply({"message": "bad token"}, 401)])
    session = connect(server, auth=auth)
    session.get("/x")
    with pytest.raises(CredentialsRefused, match=r"Acme refuses the credentials.*GET /x.*401"):
        session.get("/x")
    assert len(server.requests) == 2
    # It may be this one endpoint that doesn't take them: others are still asked.
    with pytest.raises(CredentialsRefused):
        session.get("/y")
    assert len(server.requests) == 3


class Issuer:
    """The token endpoint and the API of one server."""

    def __init__(self, reply, life=3599, **grant):
        self.reply, self.life, self.grant = reply, life, grant
        self.issued = 0
        self.good = set()
        self.asked = []
        self.refuse = None

    def __call__(self, request):
        if request.path == "/oauth/token":
            self.asked.append(request)
            if self.refuse:
                return self.refuse
            self.issued += 1
            token = f"canary-token-{self.issued}"
            self.good.add(token)
            life = {} if self.life is None else {"expires_in": self.life}
            return self.reply({"access_token": token, "scope": "data", **life, **self.grant})
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.reply({"token": token}) if token in self.good else self.reply({}, 401)


@pytest.fixture
def oauth(serve, connect, reply):
    def make(issuer=None, **options):
        issuer = issuer or Issuer(reply)
        server = serve(issuer)
        auth = ClientCredentials(
            f"{server.url}/oauth/token", "my-client", SECRET,
            settings=("clientId", "secretToken"), **options,
        )  # fmt: skip
        return connect(server, auth=auth), issuer, auth

    return make


def test_token_is_asked_for_once(oauth):
    session, issuer, auth = oauth(scope="data user")
    for _ in range(5):
        assert session.get_json("/x")["token"] == "canary-token-1"
    asked = issuer.asked
    assert len(asked) == 1
    assert asked[0].method == "POST"
    assert asked[0].body == b"grant_type=client_credentials&scope=data+user"
    assert base64.b64decode(asked[0].headers["authorization"][6:]).decode() == f"my-client:{SECRET}"
    assert auth.grant == {"scope": "data", "expires_in": 3599}
    assert session.stats.calls == 6


def test_token_by_get(oauth):
    session, issuer, _ = oauth(method="GET", extra={"audience": "a"})
    session.get("/x")
    assert issuer.asked[0].query == {"grant_type": "client_credentials", "audience": "a"}


def test_grant_keeps_what_the_system_says(oauth, reply):
    _, _, auth = made = oauth(Issuer(reply, customer="acme", role="Admin"))
    made[0].get("/x")
    assert auth.grant["customer"] == "acme"
    assert "access_token" not in auth.grant


@pytest.mark.parametrize(
    ("life", "valid"), [(3599, 3538), ("3599", 3538), (100, 89), (None, 3539), (-5, 3539)]
)
def test_renewed_before_it_expires(oauth, reply, clock, life, valid):
    session, issuer, _ = oauth(Issuer(reply, life))
    session.get("/x")
    clock.sleep(valid)
    session.get("/x")
    assert issuer.issued == 1
    clock.sleep(2)
    assert session.get_json("/x")["token"] == "canary-token-2"
    assert session.stats.retries == 0


def test_renewed_once_on_401(oauth):
    session, issuer, _ = oauth()
    session.get("/x")
    issuer.good.clear()
    assert session.get_json("/x")["token"] == "canary-token-2"
    assert session.post("/x", json={}).status == 200
    assert issuer.issued == 2


def test_401_in_disguise(serve, connect, reply):
    issuer = Issuer(reply)

    def api(request):
        answer = issuer(request)
        if answer.status == 401:
            return reply(b"<html>expired</html>", 406, {"Content-Type": "text/html"})
        return answer

    server = serve(api)
    session = connect(
        server,
        auth=ClientCredentials(f"{server.url}/oauth/token", "id", SECRET),
        classify=lambda r: Verdict.UNAUTHENTICATED if r.status == 406 else None,
    )
    session.get("/x")
    issuer.good.clear()
    assert session.get("/x").status == 200


def test_second_401_is_the_end(oauth, reply):
    session, issuer, _ = oauth()
    session.get("/x")

    class Never(set):
        def __contains__(self, token):
            return False

    issuer.good = Never()
    with pytest.raises(CredentialsRefused, match="refuses the credentials"):
        session.get("/x")
    assert issuer.issued == 2


def test_single_flight(oauth):
    session, issuer, _ = oauth()
    barrier = threading.Barrier(8)

    def call(_):
        barrier.wait()
        return session.get_json("/x")["token"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(8))) == {"canary-token-1"}
        issuer.good.clear()
        assert set(pool.map(call, range(8))) == {"canary-token-2"}
    assert issuer.issued == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_client_names_the_settings(oauth, reply, status):
    session, issuer, _ = oauth(scope="data")
    issuer.refuse = reply({"error": "invalid_client", "message": SECRET}, status)
    with pytest.raises(RemoteError) as caught:
        session.get("/x")
    assert "clientId or secretToken" in caught.value.message
    assert str(status) in caught.value.message
    assert "'data'" in caught.value.hint
    assert SECRET not in str(caught.value)
    assert len(issuer.asked) == 1


@pytest.mark.parametrize("body", [{}, [], {"access_token": ""}, {"access_token": 5}, b"<html>"])
def test_answer_without_a_token(oauth, reply, body):
    session, issuer, _ = oauth()
    issuer.refuse = reply(body)
    with pytest.raises(RemoteError, match="no access token"):
        session.get("/x")


def test_token_request_is_retried_also_as_post(oauth, reply):
    session, issuer, _ = oauth()
    issuer.refuse = reply({}, 503)
    asked = issuer.asked

    class Some(list):
        def append(self, request):
            super().append(request)
            if len(self) == 3:
                issuer.refuse = None

    issuer.asked = asked = Some()
    assert session.get("/x").status == 200
    assert len(asked) == 3


def test_token_endpoint_that_is_down(oauth, reply):
    session, issuer, _ = oauth()
    issuer.refuse = reply({}, 503)
    with pytest.raises(Unreachable):
        session.get("/x")


def test_token_endpoint_that_breaks_later_costs_the_item(oauth, reply, clock):
    session, issuer, _ = oauth()
    session.get("/x")
    clock.sleep(4000)
    issuer.refuse = reply({}, 500)
    with pytest.raises(ItemError) as caught:
        session.get("/x")
    assert caught.value.status == 500


def test_tokens_are_registered(oauth, redactor, caplog):
    caplog.set_level(logging.DEBUG)
    session, _, _ = oauth()
    session.get("/x", params={"q": "canary-token-1"})
    session.get("/x", params={"q": "canary-token-1"})
    assert "canary" not in redactor.clean(f"canary-token-1 {SECRET}")
    assert "canary" not in caplog.text.replace("q=canary-token-1", "", 1)
    pair = base64.b64encode(f"my-client:{SECRET}".encode()).decode()
    assert redactor.clean(pair) == "***"


def test_own_auth(serve, connect, reply):
    class Signed(Auth):
        renewed = 0

        def headers(self):
            return {"X-Signature": str(self.renewed)}

        def renew(self):
            self.renewed += 1
            return True

    def api(request):
        return reply({}, 200 if request.headers["x-signature"] == "1" else 401)

    assert connect(serve(api), auth=Signed()).get("/x").status == 200


def test_denied_is_no_matter_of_renewal(oauth, reply, serve, connect):
    issuer = Issuer(reply)
    server = serve(lambda r: issuer(r) if r.path.startswith("/oauth") else reply({}, 403))
    session = connect(server, auth=ClientCredentials(f"{server.url}/oauth/token", "id", SECRET))
    with pytest.raises(AccessDenied):
        session.get("/x")
    assert issuer.issued == 1
