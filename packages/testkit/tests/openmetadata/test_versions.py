"""What later (and earlier) servers do otherwise than 1.2; that one has the table of rules."""

from __future__ import annotations

import pytest

from metaglean_testkit.openmetadata import FakeServer

COLUMN = {"name": "a", "dataType": "INT"}
TABLE = {"name": "t", "databaseSchema": "s.d.d", "columns": [COLUMN]}
TIER = {"source": "Classification", "labelType": "Manual", "state": "Confirmed"}
TIER1, TIER2 = ({**TIER, "tagFQN": f"Tier.Tier{n}"} for n in (1, 2))
UNKNOWN = {**TIER, "tagFQN": "Tier.Zero"}


def bot(server, method, path, body=None):
    return server.ask(method, path, body, token=server.token)


def put(server, **fields):
    return bot(server, "PUT", "/tables", TABLE | fields)


def read(server, name="t", who=None, **query):
    asked = "".join(f"&{key}={value}" for key, value in query.items())
    return server.call("GET", f"/tables/name/s.d.d.{name}?fields=*{asked}", token=who)


def bulk(server, *rows, override=False):
    path = f"/tables/bulk?async=false&overrideMetadata={str(override).lower()}"
    status, answer = bot(server, "PUT", path, list(rows))
    assert status == 200
    return answer


def add(server, entity, *pairs, who="admin"):
    operations = [{"op": "add", "path": path, "value": value} for path, value in pairs]
    token = server.admin_token if who == "admin" else server.token
    return server.ask("PATCH", f"/tables/{entity['id']}", operations, token=token)


# -- bulk ------------------------------------------------------------------------------------


def test_bulk_creates_and_updates_and_tells_no_difference(new):
    put(new, name="x")
    answer = bulk(new, {**TABLE, "name": "x", "description": "d"}, {**TABLE, "name": "y.z"})
    assert answer["status"] == "success"
    assert answer["numberOfRowsPassed"] == answer["numberOfRowsProcessed"] == 2
    assert answer["successRequest"] == [
        {"request": "s.d.d.x", "status": 200},
        {"request": 's.d.d."y.z"', "status": 200},
    ]


def test_bulk_fails_row_by_row(new):
    bad = {**TABLE, "name": 'a"b'}
    answer = bulk(new, TABLE, bad, {**TABLE, "name": "u", "tags": [UNKNOWN]})
    assert answer["status"] == "partialSuccess"
    assert [row["status"] for row in answer["failedRequest"]] == [400, 400]
    assert answer["failedRequest"][0]["request"] == bad
    assert answer["failedRequest"][0]["message"] == 'Invalid name a"b'
    assert bulk(new, bad)["status"] == "failure"
    assert bot(new, "GET", "/tables/name/s.d.d.u")[0] == 404


def test_an_unknown_key_in_one_row_refuses_the_whole_call(new):
    status, answer = bot(new, "PUT", "/tables/bulk", [TABLE, {**TABLE, "name": "u", "zz": 1}])
    assert status == 400
    assert 'Unrecognized field "zz"' in answer["message"]
    assert bot(new, "GET", "/tables/name/s.d.d.t")[0] == 404


def test_equal_hashes_hide_every_difference(new):
    put(new, sourceHash="h", description="first")
    changed = {**TABLE, "columns": [COLUMN, {"name": "b", "dataType": "INT"}]}
    bulk(new, {**changed, "sourceHash": "h"})
    assert len(read(new)["columns"]) == 1
    bulk(new, {**changed, "sourceHash": "h"}, {**changed, "sourceHash": "h"})  # twice in a call
    assert len(read(new)["columns"]) == 2


@pytest.mark.parametrize("how", ["another", "none", "deleted", "override"])
def test_the_fast_path_is_for_what_stands_live_and_equal(new, how):
    _, table = put(new, sourceHash="h")
    if how == "deleted":
        bot(new, "DELETE", f"/tables/{table['id']}")
    row = {**TABLE, "sourceHash": "g" if how == "another" else "h", "sourceUrl": "u"}
    if how == "none":
        del row["sourceHash"]
    bulk(new, row, override=how == "override")
    found = read(new)
    assert found["sourceUrl"] == "u"
    assert found.get("sourceHash") == row.get("sourceHash")


def test_override_metadata_overwrites_texts_and_tags(new):
    put(new, description="first", displayName="First", tags=[TIER1])
    again = {**TABLE, "description": "second", "tags": [TIER2]}
    assert bulk(new, again)["failedRequest"][0]["message"].endswith("can't be assigned together")
    bulk(new, again, override=True)
    found = read(new)
    assert found["description"] == "second"
    assert [tag["tagFQN"] for tag in found["tags"]] == ["Tier.Tier2"]
    bulk(new, {**TABLE, "tags": []}, override=True)
    assert read(new)["tags"]


def test_bulk_came_with_1_11(servers):
    assert bot(servers("1.10"), "PUT", "/tables/bulk", [TABLE])[0] == 500
    server = servers("1.11")
    put(server, sourceHash="h")
    bulk(server, {**TABLE, "sourceHash": "h", "sourceUrl": "u"}, override=True)
    assert read(server)["sourceUrl"] == "u"  # no fast path, and no override yet


def test_delete_stale_spares_what_was_seen(new):
    for name in ("t", "u.v", "w"):
        put(new, name=name)
    scope = {"scopeFqn": "s.d.d", "scopeEntityType": "databaseSchema"}
    seen = {**scope, "seenFqns": ["s.d.d.t", 's.d.d."u.v"']}
    dry = bot(new, "DELETE", "/tables/deleteStale", {**seen, "dryRun": True})
    assert dry[1]["successRequest"] == [{"request": "s.d.d.w", "status": 200}]
    assert not read(new, "w")["deleted"]
    assert (
        bot(new, "DELETE", "/tables/deleteStale", {**scope, "seenFqns": []})[1][
            "numberOfRowsProcessed"
        ]
        == 0
    )
    assert bot(new, "DELETE", "/tables/deleteStale", seen)[0] == 200
    assert read(new, "w", include="all")["deleted"]
    assert bot(new, "DELETE", "/tables/deleteStale", scope)[0] == 400


# -- who keeps what ------------------------------------------------------------------------------


def test_a_bot_s_put_replaces_the_display_name_from_1_7_on(servers):
    for version, kept in {"1.6": "First", "1.7": None, "2.0": None}.items():
        server = servers(version)
        put(server, displayName="First", description="d")
        put(server)
        found = read(server)
        assert (found.get("displayName"), found["description"]) == (kept, "d"), version


def test_a_policy_keeps_the_display_name(new):
    _, table = put(new, displayName="First")
    new.deny("EditDisplayName")
    put(new, displayName="Second")
    assert read(new)["displayName"] == "First"
    status, answer = add(new, table, ("/description", "x"), ("/displayName", "y"), who="bot")
    assert status == 403
    assert "EditDisplayName" in answer["message"]
    assert "description" not in read(new)
    assert add(new, table, ("/displayName", "z"))[0] == 200


def test_owners_are_a_list_from_1_5_on_and_replaced_whole(servers):
    for version, key in {"1.4": "owner", "1.5": "owners"}.items():
        server = servers(version)
        ann, bob = (
            {"id": server.call("GET", f"/users/name/{name}")["id"], "type": "user"}
            for name in ("ann", "bob")
        )
        assert put(server, **{key: ann if key == "owner" else [ann, bob]})[0] == 201
        put(server, **{key: bob if key == "owner" else [bob]})
        found = read(server)[key]
        assert [one["name"] for one in (found if key == "owners" else [found])] == ["bob"]
        put(server, **({} if key == "owner" else {key: []}))
        assert read(server)[key]
        other = "owners" if key == "owner" else "owner"
        assert put(server, **{other: []})[0] == 400
        assert bot(server, "GET", f"/tables?fields={other}")[0] == 400


def person_assigns(server):
    server.call("PUT", "/domains", {"name": "dom", "description": "d", "domainType": "Aggregate"})
    key = server.app.world.domain_key
    sent = {"name": "dp", "description": "d", key: ["dom"] if key == "domains" else "dom"}
    product = server.call("PUT", "/dataProducts", sent)
    domain = {"id": server.call("GET", "/domains/name/dom")["id"], "type": "domain"}
    _, table = put(server)
    status, _ = add(
        server,
        table,
        (f"/{key}", [domain] if key == "domains" else domain),
        ("/dataProducts/0", {"id": product["id"], "type": "dataProduct"}),
    )
    assert status == 200
    return key


@pytest.mark.parametrize("version", ["1.3", "1.9", "1.10", "2.0"])
def test_a_bot_s_put_keeps_the_domain_and_loses_data_products(servers, version):
    server = servers(version)
    key = person_assigns(server)
    put(server, sourceUrl="u")
    found = read(server)
    assert found[key]
    assert found["dataProducts"] == []


def test_data_products_need_a_domain(new):
    person_assigns(new)
    status, answer = put(new, name="u", dataProducts=["dp"])
    assert status == 400
    assert "Domain cannot be empty" in answer["message"]


def test_certification_is_lost_silently(new):
    _, table = put(new)
    certified = {"tagLabel": {**TIER, "tagFQN": "Certification.Gold"}, "appliedDate": 1}
    add(new, table, ("/certification", certified))
    version = read(new)["version"]
    put(new)
    found = read(new)
    assert "certification" not in found
    assert found["version"] == version


def test_a_retyped_column_loses_its_tags_and_a_definition_is_compared(new):
    put(new, columns=[{**COLUMN, "tags": [TIER1], "description": "d"}], schemaDefinition="select 1")
    _, answer = put(new, columns=[{**COLUMN, "dataType": "BIGINT"}], schemaDefinition="select 2")
    assert answer["version"] == 1.1
    found = read(new)
    assert found["columns"][0]["tags"] == []
    assert found["columns"][0]["description"] == "d"
    assert found["schemaDefinition"] == "select 2"
    put(new, columns=[{**COLUMN, "dataType": "BIGINT"}], schemaDefinition="select 3")
    assert read(new)["schemaDefinition"] == "select 3"


def test_a_definition_survives_deletion(new):
    _, table = put(new, schemaDefinition="select 1")
    bot(new, "DELETE", f"/tables/{table['id']}")
    bot(new, "PUT", "/tables/restore", {"id": table["id"]})
    assert read(new)["schemaDefinition"] == "select 1"


def test_the_hash_makes_a_version_before_2_0(servers):
    for version, wanted in {"1.3": 0.2, "1.13": 0.2, "2.0": 0.1}.items():
        server = servers(version)
        put(server, sourceHash="g")
        put(server, sourceHash="h")
        found = read(server)
        assert (found["sourceHash"], found["version"]) == ("h", wanted), version
        put(server)
        assert "sourceHash" not in read(server)


def test_a_hash_has_32_characters_at_most(new):
    assert put(new, sourceHash="h" * 33)[0] == 400


def test_an_unknown_tag_harms_nothing_from_1_3_on(servers):
    for version in ("1.3", "2.0"):
        server = servers(version)
        assert put(server, tags=[UNKNOWN])[0] == 404
        assert bot(server, "GET", "/tables/name/s.d.d.t")[0] == 404
        _, table = put(server, tags=[TIER1])
        assert add(server, table, ("/tags/0", UNKNOWN))[0] == 404
        assert len(read(server)["tags"]) == 1
        assert bot(server, "GET", "/tables")[0] == 200


# -- the wire -------------------------------------------------------------------------------------


def test_if_match_is_known_from_1_10_on(servers):
    for version, wanted in {"1.9": 200, "1.10": 412, "2.0": 412}.items():
        server = servers(version)
        _, table = put(server)
        with_header = server.app.answer
        request_path = f"/api/v1/tables/{table['id']}"
        for tag, status in ((f'W/"{table["version"]}"', 200), ('W/"9.9"', wanted)):
            answer = with_header(_patch(server, request_path, tag))
            assert answer.status == status, (version, tag)


def _patch(server, path, tag):
    from metaglean_testkit.openmetadata.wire import Request

    headers = {
        "authorization": f"Bearer {server.token}",
        "content-type": "application/json-patch+json",
        "if-match": tag,
    }
    return Request("PATCH", path, headers, b'[{"op": "add", "path": "/description", "value": "x"}]')


def test_what_isn_t_there_is_404_and_405_from_2_0_on(new):
    assert bot(new, "GET", "/nothing")[0] == 404
    assert bot(new, "DELETE", "/tables")[0] == 405


def test_cursors_are_stable_from_1_10_on(servers):
    for version, found in {"1.9": 1, "1.10": 2}.items():
        server = servers(version)
        bot(server, "PUT", "/databaseSchemas", {"name": "e", "database": "s.d"})
        put(server)
        put(server, databaseSchema="s.d.e")
        first = bot(server, "GET", "/tables?limit=1")[1]
        path = f"/tables?limit=1&after={first['paging']['after']}"
        status, second = bot(server, "GET", path)
        names = {one["fullyQualifiedName"] for one in first["data"]}
        names |= {one["fullyQualifiedName"] for one in second["data"]} if status == 200 else set()
        assert len(names) == found, version


def test_runs_in_bulk_from_1_12_on(servers):
    pipes = {"name": "pipes", "serviceType": "Airflow"}
    run = {"timestamp": 1, "executionStatus": "Successful"}
    for version, wanted in {"1.11": 500, "1.12": 200}.items():
        server = servers(version)
        bot(server, "PUT", "/services/pipelineServices", pipes)
        bot(
            server, "PUT", "/pipelines", {"name": "p", "service": "pipes", "tasks": [{"name": "t"}]}
        )
        assert bot(server, "PUT", "/pipelines/pipes.p/status/bulk", [run])[0] == wanted
    unknown = {**run, "taskStatus": [{"name": "zz", "executionStatus": "Failed"}]}
    assert bot(server, "PUT", "/pipelines/pipes.p/status/bulk", [run, unknown])[0] == 400


def test_an_edge_by_name_and_alone(new):
    for name in ("x", "y"):
        put(new, name=name)
    path = "/lineage/table/name/s.d.d.x/table/name/s.d.d.y"
    assert bot(new, "PUT", path, {"sqlQuery": "select"})[0] == 200
    ids = "/".join(read(new, name)["id"] for name in ("x", "y"))
    edge = new.call("GET", f"/lineage/getLineageEdge/{ids}")["edge"]
    assert (edge["sqlQuery"], edge["source"], edge["createdBy"]) == (
        "select",
        "Manual",
        "ingestion-bot",
    )
    bot(new, "DELETE", f"/tables/{ids.split('/')[1]}")
    assert bot(new, "PUT", path, {})[0] == 404
    edge = {"fromEntity": {"id": ids.split("/")[0], "type": "table"}}
    edge["toEntity"] = {"id": ids.split("/")[1], "type": "table"}
    assert bot(new, "PUT", "/lineage", {"edge": edge})[0] == 404


def test_1_1_knows_no_domains_and_shorter_names(servers):
    server = servers("1.1")
    assert bot(server, "GET", "/domains")[0] == 500
    assert put(server, name="n" * 129)[0] == 400
    config = {"type": "DomoDatabase", "instanceDomain": "x"}
    service = {"name": "x", "serviceType": "DomoDatabase", "connection": {"config": config}}
    assert bot(server, "PUT", "/services/databaseServices", service)[0] == 400
    del config["instanceDomain"]
    config["sandboxDomain"] = "x"
    assert bot(server, "PUT", "/services/databaseServices", service)[0] == 201
    bare = {"name": "y", "serviceType": "DomoDatabase"}
    assert bot(server, "PUT", "/services/databaseServices", bare)[0] == 400


def test_1_1_wipes_the_sql_of_a_view_at_every_patch(servers):
    server = servers("1.1")
    _, table = put(server, tableType="View", viewDefinition="select 1")
    assert add(server, table, ("/description", "x"))[0] == 200
    assert "viewDefinition" not in read(server)
    assert add(server, table, ("/viewDefinition", "select 2"))[0] == 500
    assert add(server, table, ("/viewDefinition", "select 2"), ("/displayName", "x"))[0] == 200
    assert read(server)["viewDefinition"] == "select 2"


@pytest.mark.parametrize("version", ["1.1", "1.2.0", "1.3", "1.4", "1.5", "1.9", "1.10", "2.0"])
def test_every_kind_can_be_patched(servers, version):
    server = servers(version)
    put(server)
    connection = {"config": {"type": "Airflow"}}
    service = {"name": "pipes", "serviceType": "Airflow", "connection": connection}
    bot(server, "PUT", "/services/pipelineServices", service)
    bot(server, "PUT", "/pipelines", {"name": "p", "service": "pipes", "tasks": [{"name": "t"}]})
    collections = "services/databaseServices services/pipelineServices databases databaseSchemas"
    for path in f"{collections} tables pipelines tags classifications users teams".split():
        entity = server.call("GET", f"/{path}?limit=1")["data"][0]
        operations = [{"op": "add", "path": "/displayName", "value": "x"}]
        status, answer = server.ask("PATCH", f"/{path}/{entity['id']}", operations)
        assert status == 200, (path, answer)
        assert answer["displayName"] == "x"


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.4", "1.6", "1.13.4", "2.0.7"])
def test_every_version_starts(version):
    server = FakeServer(version)
    major, minor, *_ = server.version.split(".")
    assert version.startswith(f"{major}.{minor}")
    assert server.ask("GET", "/tables")[0] == 200
