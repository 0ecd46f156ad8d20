"""The connection as an OpenMetadata server keeps it, and back again."""

from __future__ import annotations

import pytest

from metaglean import Ref
from metaglean_domo.config import DomoConnection, DomoDatabaseOptions
from metaglean_domo.database import DomoDatabase

FULL = {
    "clientId": "id",
    "secretToken": "hidden",
    "accessToken": "seen",
    "apiHost": "https://api.domo.com",
    "instanceDomain": "acme",
    "databaseName": "sales",
    "caFile": "/ca.pem",
    "coOwners": True,
}


def source(**settings) -> DomoDatabase:
    config = DomoConnection.model_validate(settings)
    return DomoDatabase(config, DomoDatabaseOptions(), Ref("databaseService", ("domo",)))


@pytest.mark.parametrize(
    ("version", "key"),
    [((1, 1), "sandboxDomain"), ((1, 2), "instanceDomain"), ((2, 0), "instanceDomain")],
)
def test_keys_are_those_of_the_servers_generation(version, key):
    assert source(**FULL).connection(version) == {
        "type": "DomoDatabase",
        "clientId": "id",
        "secretToken": "hidden",
        "accessToken": "seen",
        "apiHost": "api.domo.com",
        key: "https://acme.domo.com",
        "databaseName": "sales",
    }


def test_what_is_not_set_is_not_sent():
    stored = source(clientId="id", secretToken="hidden").connection((1, 2))
    assert stored.keys() == {"type", "clientId", "secretToken", "apiHost", "databaseName"}


@pytest.mark.parametrize("host", ["https://api.domo.com", "http://127.0.0.1:80", "https://h:8443"])
def test_what_is_stored_gives_the_same_connection_again(host):
    stored = dict(source(**{**FULL, "apiHost": host}).connection((1, 2)))
    del stored["type"]
    assert source(**stored).config.stored((1, 2)) == stored
    assert source(**stored).config.api_host == host


def test_the_classifications_of_domo():
    assert DomoDatabase.classifications == ("DomoTags", "DomoCertification")
