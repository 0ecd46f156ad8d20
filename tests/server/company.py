"""The sandbox's demo tenant, with people whom an OpenMetadata server can know.

Each company has e-mail addresses of its own (`ann@<tag>.example.com`), so that several tests on one
server never share a user.
"""

from __future__ import annotations

import dataclasses
import secrets

from tests.server.api import Api
from tests.server.real import RealServer

from metaglean_domo_sandbox import Tenant

DOMAIN = "acme.test"
PEOPLE = ("ann", "ben", "cleo.celik")
# The peer's source ends at such a name: whatever its listing has behind it never arrives.
STOPS_THE_PEER = ('He said "yes"', "two\nlines")


def new_tag() -> str:
    return f"t{secrets.token_hex(4)}"


def company(tag: str) -> Tenant:
    tenant = Tenant.demo()
    for number, user in tenant.users.items():
        if user.email:
            address = user.email.replace(DOMAIN, f"{tag}.example.com")
            tenant.users[number] = dataclasses.replace(user, email=address)
    return tenant


def without(tenant: Tenant, *names: str) -> Tenant:
    """A copy from which the datasets of these names are gone."""
    left = tenant.copy()
    for name in names:
        for dataset in left.by_name(name):
            left.delete(dataset.id)
    return left


def user_name(person: str, tag: str) -> str:
    return f"{person.partition('.')[0]}_{tag}"


def enroll(server: RealServer, tag: str) -> None:
    """Make the company's people users of the server, as long as the tests run."""
    api: Api = server.api(as_admin=True)
    for person in PEOPLE:
        name = server.discard("users", user_name(person, tag))
        api.put("users", {"name": name, "email": f"{person}@{tag}.example.com"})
