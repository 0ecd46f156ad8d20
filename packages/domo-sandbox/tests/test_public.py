"""The public plane answers as the facts about Domo say."""

from __future__ import annotations

import base64
import json

import pytest

ORDERS = "SELECT * FROM table LIMIT 3"


def all_ids(client, query="&sort=dataSourceId"):
    ids, page = [], [None]
    while page:
        page = client.public(f"/v1/datasets?limit=50&offset={len(ids)}{query}").json
        ids += [item["id"] for item in page]
    return ids


def detail(client, tenant, name):
    (dataset,) = tenant.by_name(name)
    return client.public(f"/v1/datasets/{dataset.id}").json


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_token_looks_like_a_jwt_and_names_the_customer(client, method):
    body = client.login(method=method, scope="data").json
    part = body["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["customer"] == body["customer"] == "acme-sandbox"
    assert claims["exp"] > 1_700_000_000
    assert (body["scope"], body["expires_in"]) == ("data", 3599)


def test_a_wrong_secret_is_401_json(client):
    reply = client.login(secret="wrong")
    assert (reply.status, reply.json["status"]) == (401, 401)


def test_scopes_that_the_client_lacks_are_not_given_and_answer_403(client):
    client.sandbox.settings.scopes = frozenset({"data"})
    assert client.login(scope="data%20user", method="GET").json["scope"] == "data"
    assert client.public("/v1/datasets?limit=1").status == 200
    assert client.public("/v1/users").status == 403


def test_an_expired_token_is_401_with_the_reason_and_a_new_one_works(client):
    assert client.public("/v1/datasets?limit=1").status == 200
    client.sandbox.expire_tokens()
    reply = client.public("/v1/datasets?limit=1")
    assert reply.status == 401
    assert "invalid_token" in reply.headers["WWW-Authenticate"]
    assert "Jwt expired" in reply.headers["WWW-Authenticate"]
    client.relogin()
    assert client.public("/v1/datasets?limit=1").status == 200


def test_short_lived_tokens_expire_by_the_clock(client):
    client.sandbox.settings.expires_in = 100
    client.public("/v1/datasets?limit=1")
    now = client.sandbox.app.clock()
    client.sandbox.app.clock = lambda: now + 101
    assert client.public("/v1/datasets?limit=1").status == 401


def test_paging_gives_every_dataset_once_and_ends_with_an_empty_page(client, tenant):
    ids = all_ids(client)
    assert ids == sorted(tenant.datasets)
    assert len(ids) >= 36


@pytest.mark.parametrize("query", ["limit=51", "limit=x", "offset=-1", "sort=colour"])
def test_bad_parameters_of_the_listing_are_400(client, query):
    assert client.public(f"/v1/datasets?{query}").status == 400


def test_name_like_contains_and_ignores_case(client):
    names = {d["name"] for d in client.public("/v1/datasets?nameLike=sALes").json}
    assert {"Sales", "SALES", "sales.eu.daily"} <= names


def test_a_refused_sort_is_400_and_unsorted_pages_are_stable(client, tenant):
    client.sandbox.settings.refuse_sort = True
    assert client.public("/v1/datasets?sort=dataSourceId").status == 400
    assert sorted(all_ids(client, "")) == sorted(tenant.datasets)


def test_shifting_pages_repeat_some_and_miss_others(client, tenant):
    client.sandbox.settings.shifting = True
    ids = all_ids(client, "")
    assert len(ids) > len(set(ids))
    assert set(ids) < set(tenant.datasets)


def test_the_oddities_of_details(client, tenant):
    assert "owner" not in detail(client, tenant, "nobody owns this")
    assert detail(client, tenant, "owner id as text")["owner"]["id"] == "102"
    assert "rows" not in detail(client, tenant, "rows unknown")
    assert detail(client, tenant, "warehouse events")["schema"] is None
    assert detail(client, tenant, "empty description")["description"] == ""
    assert detail(client, tenant, "whole seconds")["updatedAt"] == "2025-01-02T00:00:00Z"
    assert "." in detail(client, tenant, "orders")["updatedAt"]
    assert detail(client, tenant, "orders")["policies"][0]["name"] == "EU only"
    names = [c["name"] for c in detail(client, tenant, "odd columns")["schema"]["columns"]]
    assert names.count("id") == 2
    assert "" in names


def test_gone_marked_and_forbidden_datasets(client, tenant):
    first, second, third = (d.id for d in tenant.live()[:3])
    tenant.delete(first)
    tenant.delete(second, how="mark")
    tenant.set_access(third, allowed=False)
    assert client.public(f"/v1/datasets/{first}").status == 404
    marked = client.public(f"/v1/datasets/{second}")
    assert (marked.status, marked.json["deleted"]) == (200, True)
    wrapped = client.public(f"/v1/datasets/{third}")
    assert (wrapped.status, "(403)" in wrapped.json["message"]) == (400, True)
    ids = all_ids(client)
    assert first not in ids
    assert second not in ids
    assert third in ids


def test_queries_give_columns_counts_and_refuse_other_sql(client, tenant):
    (events,) = tenant.by_name("warehouse events")
    path = f"/v1/datasets/query/execute/{events.id}"
    body = client.public(path, {"sql": ORDERS}).json
    assert body["columns"] == ["EVENT_ID", "PAYLOAD", "AT"]
    assert [m["type"] for m in body["metadata"]] == ["LONG", "STRING", "DATETIME"]
    assert (body["numRows"], len(body["rows"][0])) == (3, 3)
    count = client.public(path, {"sql": f"select count(*) as n from `{events.id}`"}).json
    assert (count["columns"], count["rows"]) == (["n"], [[events.rows]])
    assert client.public(path, {"sql": "DROP TABLE x"}).status == 400
    assert client.public(path, {"sql": 1}).status == 400
    assert client.public(path, b"{").status == 400
    (fresh,) = tenant.by_name("fresh api dataset")
    assert client.public(f"/v1/datasets/query/execute/{fresh.id}", {"sql": ORDERS}).status == 400


def test_streams_are_paged_and_tell_the_update_method(client, tenant):
    streams = client.public("/v1/streams?limit=500&fields=all").json
    assert {s["updateMethod"] for s in streams} == {"REPLACE", "APPEND", "UPSERT"}
    assert {s["id"] for s in streams} == set(tenant.stream_ids())
    assert "schema" not in streams[0]["dataSet"]
    failed = [s for s in streams if s["lastExecution"]["currentState"] == "ERROR"]
    assert len(failed) == 1
    assert "lastSuccessfulExecution" not in failed[0]
    assert client.public("/v1/streams?limit=501").status == 400
    assert client.public(f"/v1/streams/{streams[0]['id']}").json == streams[0]


def test_users_and_groups(client):
    users = {u["id"]: u for u in client.public("/v1/users?limit=500").json}
    assert users[101]["email"] == "ann@acme.test"
    assert "email" not in users[104]
    assert users[105]["deleted"] is True
    assert 199 not in users
    assert client.public("/v1/users/199").status == 404
    assert client.public("/v1/users/102").json["name"] == "Ben Baker"
    assert client.public("/v1/groups").json[0]["memberCount"] == 2
    assert client.public("/v1/groups/501").json["name"] == "BI Team"
    assert client.public("/v1/groups/501/users").json == [101, 102]


def test_policies(client, tenant):
    (orders,) = tenant.by_name("orders")
    assert len(client.public(f"/v1/datasets/{orders.id}/policies").json) == 1
    assert client.public(f"/v1/datasets/{orders.id}/policies/7").json["id"] == 7
    assert client.public(f"/v1/datasets/{orders.id}/policies/8").status == 404


def test_the_developer_token_has_no_place_here(client):
    url = client.sandbox.public_url + "/v1/datasets"
    reply = client.send(url, headers={"X-DOMO-Developer-Token": "sandbox-access-token"})
    assert reply.status == 400
    assert client.sandbox.stats.violations == 1


def test_without_a_token_or_path_there_is_nothing(client):
    assert client.send(client.sandbox.public_url + "/v1/datasets").status == 401
    assert client.public("/v1/unheard-of").status == 404
