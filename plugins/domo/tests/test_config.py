from __future__ import annotations

import pytest
from pydantic import ValidationError

from metaglean_domo.config import DomoConnection, base_url
from metaglean_domo.database import DomoDatabase

BASE = {"clientId": "id", "secretToken": "hidden"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("api.domo.com", "https://api.domo.com"),
        (" https://api.domo.com/ ", "https://api.domo.com"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("http://localhost:9", "http://localhost:9"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_addresses(given, url):
    assert base_url(given) == url


@pytest.mark.parametrize(
    "given",
    [
        "", "http://api.domo.com", "http://127.0.0.1.evil.test", "ftp://x", "https://a b",
        "https://api.domo.com/v1", "https://user:pw@api.domo.com", "https://<api_domo>.domo.com",
        "http://localhost.evil.test", "https://api.domo.com:port",
    ],
)  # fmt: skip
def test_what_is_no_address(given):
    with pytest.raises(ValueError):
        base_url(given)


def test_defaults_and_short_names():
    config = DomoConnection.model_validate({**BASE, "instanceDomain": "acme", "accessToken": ""})
    assert config.api_host == "https://api.domo.com"
    assert config.instance_domain == "https://acme.domo.com"
    assert config.database_name == "default"
    assert config.missing_for_instance() == ("accessToken",)
    assert "hidden" not in repr(config)


@pytest.mark.parametrize("key", ["clientId", "secretToken"])
def test_the_client_is_required(key):
    with pytest.raises(ValidationError):
        DomoConnection.model_validate({**BASE, key: ""})


@pytest.mark.parametrize("options", [{"includeViews": False}, {"includeTables": False}])
def test_kinds_need_the_instance(options):
    chosen = DomoDatabase.Options.model_validate(options)
    (message,) = DomoDatabase.check_config(DomoConnection.model_validate(BASE), chosen)
    assert "accessToken and instanceDomain" in message
    both = {**BASE, "accessToken": "t", "instanceDomain": "acme"}
    assert not list(DomoDatabase.check_config(DomoConnection.model_validate(both), chosen))
    neither = DomoDatabase.Options.model_validate({"includeViews": False, "includeTables": False})
    assert not list(DomoDatabase.check_config(DomoConnection.model_validate(BASE), neither))


def test_every_setting_is_described():
    for model in (DomoConnection, DomoDatabase.Options):
        assert all(field.description for field in model.model_fields.values())
