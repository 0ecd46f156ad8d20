from __future__ import annotations

import json
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

from metaglean_testkit import Answer, FaultProxy, assert_no_secrets, cassette
from metaglean_testkit.cassettes import Scrubber
from metaglean_testkit.secrets import forms

SECRET = "canary/with+signs="


def api(request):
    if request.path == "/token":
        data = {"access_token": "issued-canary-1", "token_type": "bearer", "expires_in": 60}
    else:
        data = {"echo": request.headers.get("Authorization"), "query": request.target}
    return Answer(200, {"Content-Type": "application/json", "Set-Cookie": "s=issued-canary-2"},
                  json.dumps(data).encode())  # fmt: skip


def talk(url):
    request = UrlRequest(f"{url}/token", data=b"client_secret=" + b"canary-form")
    with urlopen(request, timeout=5) as response:
        json.load(response)
    headers = {"Authorization": f"Bearer {SECRET}"}
    request = UrlRequest(f"{url}/things?page=2&api_key=canary-query", headers=headers)
    with urlopen(request, timeout=5) as response:
        return json.load(response)


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "cassettes" / "one.yaml"
    with FaultProxy(api) as server, cassette(path, secrets=[SECRET], record="once"):
        url = server.url
        talk(url)
    return path, url


def test_what_is_recorded_is_scrubbed(recorded):
    path, _ = recorded
    text = path.read_text()
    assert "canary" not in text
    assert "page=2" in text
    assert "token_type" in text
    assert_no_secrets(path.parent, [SECRET, "issued-canary-1", "issued-canary-2"])


def test_it_plays_back_without_a_server(recorded):
    path, url = recorded
    with cassette(path, secrets=[SECRET]):
        assert talk(url)["echo"] == "Bearer scrubbed"


def test_nothing_goes_out_by_accident(recorded):
    path, url = recorded
    with cassette(path), pytest.raises(CannotOverwriteExistingCassetteException):
        urlopen(f"{url}/other", timeout=5)


def test_the_query_counts(recorded):
    path, url = recorded
    with cassette(path), pytest.raises(CannotOverwriteExistingCassetteException):
        urlopen(f"{url}/things?page=3&api_key=canary-query", timeout=5)


@pytest.mark.parametrize(
    ("body", "clean"),
    [
        (
            b'{"password": "x1", "next_token_url": "u"}',
            b'{"password": "scrubbed", "next_token_url": "u"}',
        ),
        (b"user=a&password=b", b"user=a&password=scrubbed"),
        (b"plain text", b"plain text"),
        (b'[{"deep": {"apiKey": "k"}}]', b'[{"deep": {"apiKey": "scrubbed"}}]'),
        (b"\xff\xfe binary", b"\xff\xfe binary"),
        (b'{"a":1}', b'{"a":1}'),
    ],
)
def test_bodies(body, clean):
    assert Scrubber().body(body) == clean


def test_registered_secrets_go_in_every_form():
    scrubber = Scrubber([SECRET])
    for form in forms(SECRET):
        assert form not in scrubber.text(f"before {form} after")


def test_files_with_secrets_are_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "cassette.yaml").write_bytes(b"\x00 canary-secret")
    with pytest.raises(AssertionError, match="cassette") as caught:
        assert_no_secrets(tmp_path, ["canary-secret"])
    assert "canary-secret" not in str(caught.value)
    assert_no_secrets(tmp_path, ["another-canary"])
    with pytest.raises(ValueError):
        assert_no_secrets(tmp_path, ["abc"])
