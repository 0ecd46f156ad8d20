"""Generated data and its changes."""

from __future__ import annotations

import pytest

from metaglean_domo_sandbox import Tenant


def test_the_same_seed_gives_the_same_tenant():
    assert Tenant.demo(3).datasets == Tenant.demo(3).datasets
    assert Tenant.demo(3).datasets != Tenant.demo(4).datasets
    assert Tenant.scale(50).datasets.keys() == Tenant.scale(50).datasets.keys()


def test_the_demo_has_the_names_that_break_readers(tenant):
    names = [d.name for d in tenant.live()]
    assert names.count("Sales") == 2
    assert "SALES" in names
    first, second = tenant.by_name("Sales")
    assert first.id[:8] == second.id[:8]
    for part in ('"', "'", ".", "::", "\n", "`", "🚀"):
        assert any(part in name for name in names), part
    assert any(len(name) == 300 for name in names)


def test_scale_counts_and_generates_on_request():
    tenant = Tenant.scale(200, columns=300, streams=0.5, views=0.05, federated=0.1, upserts=0.2)
    datasets = list(tenant.datasets.values())
    assert sum(d.stream is not None for d in datasets) == 100
    assert sum(d.stream is not None and d.stream.update_method == "UPSERT" for d in datasets) == 20
    assert sum(d.view is not None for d in datasets) == 10
    assert sum("no-schema" in d.quirks for d in datasets) == 20
    assert datasets[0].columns is None
    columns = datasets[0].all_columns()
    assert len(columns) == len({c.name for c in columns}) == 300


def test_changes_show_and_make_it_newer(client, tenant):
    (orders,) = tenant.by_name("orders")
    path = f"/v1/datasets/{orders.id}"
    before = client.public(path).json
    tenant.rename(orders.id, "orders v2")
    tenant.set_description(orders.id, "new")
    tenant.add_column(orders.id, "note")
    tenant.drop_column(orders.id, "weight")
    tenant.retype_column(orders.id, "cust_id", "STRING")
    tenant.set_owner(orders.id, 102)
    after = client.public(path).json
    assert (after["name"], after["description"]) == ("orders v2", "new")
    types = {c["name"]: c["type"] for c in after["schema"]["columns"]}
    assert (types["note"], types["cust_id"], "weight" in types) == ("STRING", "STRING", False)
    assert after["owner"] == {"id": 102, "name": "Ben Baker"}
    assert after["updatedAt"] > before["updatedAt"]
    assert after["createdAt"] == before["createdAt"]


def test_changes_show_on_the_instance_too(client, tenant):
    (orders,) = tenant.by_name("orders")
    path = f"/api/data/v3/datasources/{orders.id}"
    client.instance(path)
    tenant.set_tags(orders.id, ["pii"])
    tenant.set_owner(orders.id, 501, "GROUP")
    tenant.set_certification(orders.id, None)
    tenant.set_stream(orders.id, "APPEND")
    body = client.instance(path).json
    assert body["tags"] == '["pii"]'
    assert body["owner"]["group"] is True
    assert "certification" not in body
    stream = client.instance(f"/api/data/v1/streams/{body['streamId']}").json
    assert (stream["updateMethod"], "keyColumnNames" in stream) == ("APPEND", False)


def test_add_restore_and_copy(tenant):
    twin = tenant.copy()
    new = tenant.add_dataset(name="added", columns=[["a", "LONG"]], owner=101)
    assert tenant.find(new).owner.name == "Ann Archer"
    with pytest.raises(ValueError, match="exists"):
        tenant.add_dataset(id=new, name="again")
    tenant.delete(new, how="mark")
    assert tenant.find(new) is None
    tenant.restore(new)
    assert new in tenant.order("dataSourceId")
    tenant.rename(new, "other")
    assert new not in twin.datasets
    tenant.restore_from(twin)
    assert new not in tenant.datasets
    assert tenant.datasets == twin.datasets


def test_mistakes_are_errors(tenant):
    with pytest.raises(KeyError):
        tenant.rename("unknown", "x")
    with pytest.raises(ValueError, match="how"):
        tenant.delete(next(iter(tenant.datasets)), how="shred")
    with pytest.raises(ValueError, match="rename"):
        tenant.mutate("copy")
