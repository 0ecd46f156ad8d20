"""The self-check against the sandbox, and against one that is not as assumed."""

from __future__ import annotations

import pytest

from metaglean import Ref, RemoteError, Run
from metaglean_domo.database import DomoDatabase
from metaglean_domo_sandbox import Fault, Tenant
from metaglean_testkit import VirtualClock

SERVICE = Ref("databaseService", ("domo",))

BROKEN = {"instance address", "view SQL"}  # the sandbox has both on purpose
ON_INSTANCE = {
    "bulk call", "kinds", "tags", "upsert keys", "view SQL", "co-owners", "column descriptions",
}  # fmt: skip


def steps(sandbox, **changes):
    given = sandbox.connection()
    settings = {
        "clientId": given["client_id"],
        "secretToken": given["client_secret"],
        "accessToken": given["access_token"],
        "apiHost": given["public_url"],
        "instanceDomain": given["instance_url"],
        **changes,
    }
    settings = {key: value for key, value in settings.items() if value is not None}
    config = DomoDatabase.Config.model_validate(settings)
    source = DomoDatabase(config, DomoDatabase.Options(), SERVICE)
    run = Run(SERVICE, clock=VirtualClock())
    try:
        return {step.name: step for step in source.selfcheck(run)}
    finally:
        run.close()


def test_each_assumption_gets_one_step(start):
    found = steps(start())
    assert list(found) == [one.name for one in DomoDatabase.assumptions]
    assert {name for name, step in found.items() if step.ok is False} == BROKEN
    assert {name for name, step in found.items() if step.ok is None} == {"bulk call", "rates"}


def test_a_hundred_datasets_at_once(start):
    found = steps(start(Tenant.scale(datasets=120, columns=2, streams=0.5, views=3)))
    assert found["bulk call"].ok is True
    assert found["pages"].ok is True


@pytest.mark.parametrize(
    ("fault", "name", "told"),
    [
        (Fault("400-wrapped", route="^datasets$", target="sort="), "sorted listing", "refused"),
        (Fault("duplicate-page", route="^datasets$"), "pages", "came with the page before"),
        (Fault("403", route="^dataset$"), "not found", "refused"),
        (Fault("403", route="^bulk$"), "bulk call", "refused"),
        (Fault("404", route="permissions"), "co-owners", "404"),
    ],
)
def test_what_is_broken_is_named(start, fault, name, told):
    step = steps(start(Tenant.scale(datasets=120, columns=2), faults=[fault]))[name]
    assert step.ok is False
    assert told in step.detail


def test_without_an_access_token_its_part_is_not_tested(start):
    found = steps(start(), accessToken=None)
    assert {found[name].ok for name in ON_INSTANCE} == {None}
    assert found["tags"].detail == "accessToken not given"


def test_an_access_token_that_is_refused_breaks_no_assumption(start):
    found = steps(start(), accessToken="expired")
    assert {found[name].ok for name in ON_INSTANCE} == {None}
    assert found["streams"].ok is True


def test_a_client_that_is_refused_ends_it(start):
    with pytest.raises(RemoteError):
        steps(start(), secretToken="wrong")


def test_an_empty_tenant_tells_nothing(start):
    tenant = Tenant.demo()
    for dataset in list(tenant.datasets):
        tenant.delete(dataset)
    found = steps(start(tenant))
    assert {step.ok for name, step in found.items() if name in ON_INSTANCE} == {None}
    assert found["sorted listing"].ok is None
