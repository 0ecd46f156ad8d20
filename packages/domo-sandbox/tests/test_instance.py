"""The instance plane answers as the facts about Domo say."""

from __future__ import annotations

import json

import pytest

BULK = "/api/data/v3/datasources/bulk?includePrivate=true&includeAllDetails=true"


def bulk(client, *ids):
    return {d["id"]: d for d in client.instance(BULK, list(ids)).json["dataSources"]}


def by_name(client, tenant, name):
    (dataset,) = tenant.by_name(name)
    return bulk(client, dataset.id)[dataset.id]


def test_bulk_gives_details_and_drops_what_it_must_not_show(client, tenant):
    ids = [d.id for d in tenant.live()]
    tenant.set_access(ids[0], allowed=False)
    tenant.delete(ids[1])
    found = bulk(client, *ids, "unknown")
    assert set(found) == set(ids[2:])


def test_bulk_takes_a_hundred_ids_and_nothing_else(client):
    assert client.instance(BULK, ["x"] * 100).json == {"dataSources": []}
    assert client.instance(BULK, ["x"] * 101).status == 400
    assert client.instance(BULK, {"ids": []}).status == 400


def test_details_tell_kind_tags_owner_and_certification(client, tenant):
    orders = by_name(client, tenant, "orders")
    assert json.loads(orders["tags"])[:2] == ["finance", "gold"]
    assert "um_UPSERT" in json.loads(orders["tags"])
    assert orders["certification"]["state"] == "CERTIFIED"
    assert orders["owner"] == {"id": "101", "name": "Ann Archer", "type": "USER", "group": False}
    assert isinstance(orders["created"], int)
    assert orders["streamId"] in tenant.stream_ids()
    assert orders["adc"] is True
    assert by_name(client, tenant, "customers")["owner"]["type"] == "GROUP"
    assert "owner" not in by_name(client, tenant, "nobody owns this")
    assert "tags" not in by_name(client, tenant, "refunds")
    assert by_name(client, tenant, "v_movements")["dataProviderType"] == "dataset-view"
    states = {d.certification for d in tenant.live()}
    assert {"CERTIFIED", "REQUESTED", "PENDING", "EXPIRED", "NOT_CERTIFIED"} <= states


def test_listing_and_single_details(client, tenant):
    page = client.instance("/api/data/v3/datasources?limit=10&offset=45").json
    assert page["_metadata"]["totalCount"] == len(tenant.live())
    first = page["dataSources"][0]
    assert client.instance(f"/api/data/v3/datasources/{first['id']}").json == first
    assert client.instance("/api/data/v3/datasources/nothing").status == 404


def test_permissions_name_the_co_owners(client, tenant):
    (orders,) = tenant.by_name("orders")
    body = client.instance(f"/api/data/v3/datasources/{orders.id}/permissions").json
    levels = [(h["type"], h["accessLevel"]) for h in body["list"]]
    assert levels == [("USER", "OWNER"), ("USER", "CO_OWNER"), ("GROUP", "CO_OWNER")]
    assert (body["totalUserCount"], body["totalGroupCount"]) == (2, 1)


def test_views_have_a_tree_and_their_tables(client, tenant):
    (orders,), (customers,) = tenant.by_name("orders"), tenant.by_name("customers")
    (view,) = tenant.by_name("v_orders_customers")
    path = f"/api/query/v1/datasources/{view.id}/schema/indexed?includeHidden=true"
    body = client.instance(path).json
    assert body["select"]["selectBody"]["@type"] == "PLAIN_SELECT"
    assert body["tableAliases"] == {"base": orders.id, "cust": customers.id}
    origins = {c["name"]: c.get("referenceDataSourceId") for c in body["tables"][0]["columns"]}
    assert origins["order_id"] == orders.id
    assert origins["customer"] == customers.id
    assert origins["day"] is None


def test_the_demo_has_a_view_for_each_kind_of_node(tenant):
    text = json.dumps([d.view for d in tenant.live() if d.view])
    for kind in (
        "PLAIN_SELECT SET_OPERATION_LIST SUB_SELECT CASE_EXPRESSION FUNCTION CAST TRY_CAST "
        "EQUALS_TO AND_EXPRESSION OR_EXPRESSION IN_EXPRESSION BETWEEN IS_NULL_EXPRESSION "
        "LIKE_EXPRESSION PARENTHESIS SUBTRACTION STRING_VALUE LONG_VALUE DOUBLE_VALUE NULL_VALUE"
    ).split():
        assert f'"@type": "{kind}"' in text, kind
    for key in ("joins", "groupBy", "having", "orderByElements", "limit", "distinct"):
        assert f'"{key}"' in text, key


def test_fusions_in_both_forms(client, tenant):
    (fused,) = tenant.by_name("orders fused")
    body = client.instance(f"/api/query/v1/fusions/{fused.id}").json
    assert body["columnFuse"]["predicates"] == [{"leftColumn": "cust_id", "rightColumn": "id"}]
    indexed = client.instance(f"/api/query/v1/datasources/{fused.id}/schema/indexed").json
    assert indexed["views"][0]["mapping"]["region"]["expr"]["column"] == "region"
    (orders,) = tenant.by_name("orders")
    assert client.instance(f"/api/query/v1/fusions/{orders.id}").status == 404


def test_a_federated_dataset_shows_no_columns(client, tenant):
    (events,) = tenant.by_name("warehouse events")
    body = client.instance(f"/api/query/v1/datasources/{events.id}/schema/indexed").json
    assert body["tables"] == [{"columns": []}]


def test_upsert_keys_stand_in_schema_and_stream(client, tenant):
    (orders,) = tenant.by_name("orders")
    body = client.instance(f"/api/data/v2/datasources/{orders.id}/schemas/latest").json
    assert [c["name"] for c in body["schema"]["columns"] if c.get("upsertKey")] == ["order_id"]
    (stream,) = client.instance(f"/api/data/v1/streams/bulk?streamId={orders.stream.id}").json
    assert (stream["updateMethod"], stream["keyColumnNames"]) == ("UPSERT", ["order_id"])
    settings = {c["name"]: c["value"] for c in stream["configuration"]}
    assert settings == {"query": "SELECT * FROM SHOP.PUBLIC.ORDERS", "keyColumnNames": "order_id"}
    assert stream["createdAt"] == orders.created // 1000


def test_streams_in_bulk_take_fifty(client, tenant):
    ids = list(tenant.stream_ids())
    found = client.instance(f"/api/data/v1/streams/bulk?streamId={ids[1]},{ids[0]},999999").json
    assert [s["id"] for s in found] == [ids[1], ids[0]]
    many = ",".join(str(i) for i in range(51))
    assert client.instance(f"/api/data/v1/streams/bulk?streamId={many}").status == 400
    assert client.instance(f"/api/data/v1/streams/{ids[0]}").json["id"] == ids[0]
    assert client.instance("/api/data/v1/streams/999999").status == 404


@pytest.mark.parametrize(("name", "shape"), [("orders", 0), ("customers", 1), ("refunds", 2)])
def test_the_dictionary_comes_in_three_shapes(client, tenant, name, shape):
    (dataset,) = tenant.by_name(name)
    path = f"/api/ai/readiness/v1/data-dictionary/dataset/{dataset.id}"
    body = client.instance(path).json
    found = (body, body[0] if shape == 1 else None, body["dataDictionary"] if shape == 2 else None)
    assert found[shape]["datasetId"] == dataset.id
    described = {c.name: c.description for c in dataset.all_columns() if c.description}
    assert {c["name"]: c["description"] for c in found[shape]["columns"]} == described


def test_no_dictionary_is_404(client, tenant):
    (users,) = tenant.by_name("users")
    path = f"/api/ai/readiness/v1/data-dictionary/dataset/{users.id}"
    assert client.instance(path).status == 404


def test_flows_and_the_owner_of_the_token(client):
    flows = client.instance("/api/dataprocessing/v1/dataflows").json
    assert [f["name"] for f in flows] == ["Orders ETL", "Orders ETL"]
    assert len(flows[0]["inputs"]) == 2
    assert client.instance("/api/content/v2/users/me").json["emailAddress"] == "ann@acme.test"


def test_credentials(client):
    url = client.sandbox.instance_url + "/api/content/v2/users/me"
    assert client.send(url).status == 401
    assert client.send(url, headers={"X-DOMO-Developer-Token": "other"}).status == 401
    both = {"X-DOMO-Developer-Token": "sandbox-access-token", "Authorization": "Bearer x"}
    assert client.send(url, headers=both).status == 400
    assert client.sandbox.stats.violations == 1
    log = json.dumps(client.sandbox.requests)
    assert "sandbox-access-token" not in log


def test_each_plane_serves_only_its_own_paths(client):
    assert client.instance("/v1/datasets").status == 404
    assert client.public("/api/content/v2/users/me").status == 404
