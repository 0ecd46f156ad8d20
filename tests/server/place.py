"""A sandbox of Domo, a service on an OpenMetadata server, a gate before it, workflows between."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from tests.server.api import Api, ApiError
from tests.server.company import PEOPLE, company, new_tag, user_name
from tests.server.gate import Gate
from tests.server.state import State, fields_for, read_state

from metaglean.clock import Clock
from metaglean.components import Change
from metaglean.errors import MetagleanError
from metaglean.summary import summary
from metaglean.workflow import Workflow
from metaglean_domo_sandbox import Sandbox, Tenant
from metaglean_testkit import VirtualClock
from metaglean_testkit.openmetadata import FakeServer

Json = dict[str, Any]


class Site(Protocol):
    """An OpenMetadata server, real or not: the part of `RealServer` that is used here."""

    own: bool

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def admin_token(self) -> str: ...
    @property
    def numbers(self) -> tuple[int, int]: ...
    def api(self, *, as_admin: bool = False) -> Api: ...
    def scratch(self, prefix: str) -> str: ...
    def discard(self, collection: str, name: str) -> str: ...


class FakeSite:
    """The test kit's fake as such a server."""

    own = True

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake
        self.url, self.token, self.admin_token = fake.url, fake.token, fake.admin_token
        major, minor, *_ = fake.version.split(".")
        self.numbers = int(major), int(minor)

    def api(self, *, as_admin: bool = False) -> Api:
        return Api(self.url, self.admin_token if as_admin else self.token)

    def scratch(self, prefix: str) -> str:
        return f"{prefix}_{secrets.token_hex(4)}"

    def discard(self, collection: str, name: str) -> str:
        return name


@dataclasses.dataclass
class Outcome:
    """What one run left."""

    code: int
    text: str
    changes: list[Change]
    workflow: Workflow | None = None

    @property
    def changed(self) -> list[Change]:
        """The changes that a person would call so."""
        return [c for c in self.changes if c.action not in ("unchanged", "skipped")]

    def of(self, action: str, kind: str = "table") -> list[str]:
        """The names of those to which this was done."""
        return [c.ref.name for c in self.changes if (c.action, c.ref.kind) == (action, kind)]

    def change(self, name: str, kind: str = "table") -> Change:
        (found,) = [c for c in self.changes if (c.ref.name, c.ref.kind) == (name, kind)]
        return found

    @property
    def problems(self) -> list[str]:
        assert self.workflow
        return [group["message"] for group in self.workflow.report()["problems"]]

    @property
    def warnings(self) -> list[str]:
        assert self.workflow
        return [group["message"] for group in self.workflow.report()["warnings"]]


class Place:
    """`tag` is the company's: its people's addresses and its groups' names have it."""

    def __init__(self, site: Site, sandbox: Sandbox, gate: Gate, service: str, tag: str) -> None:
        self.site = site
        self.sandbox = sandbox
        self.gate = gate
        self.service = service
        self.tag = tag
        self.admin = site.api(as_admin=True)

    @property
    def tenant(self) -> Tenant:
        return self.sandbox.tenant

    @property
    def scope(self) -> str:
        return f"{self.service}.default.default"

    def config(
        self,
        options: Mapping[str, Any] | None = None,
        *,
        instance: bool = True,
        token: str = "",
        **server: Any,
    ) -> Json:
        """A workflow as a dict; `options` are those of `sourceConfig.config`, `server` those of the
        server."""
        access = self.sandbox.connection()
        given = {
            "type": "DomoDatabase",
            "clientId": access["client_id"],
            "secretToken": access["client_secret"],
            "apiHost": access["public_url"],
        }
        if instance:
            given["accessToken"] = access["access_token"]
            given["instanceDomain"] = access["instance_url"]
        return {
            "source": {
                "type": "domodatabase",
                "serviceName": self.service,
                "serviceConnection": {"config": given},
                "sourceConfig": {"config": {"type": "DatabaseMetadata", **(options or {})}},
            },
            "sink": {"type": "metadata-rest", "config": {}},
            "workflowConfig": {
                "openMetadataServerConfig": {
                    "hostPort": self.gate.url,
                    "authProvider": "openmetadata",
                    "securityConfig": {"jwtToken": token or self.site.token},
                    **server,
                }
            },
        }

    def run(
        self, config: Mapping[str, Any] | None = None, *, clock: Clock | None = None, **options: Any
    ) -> Outcome:
        """Execute a workflow, waits on a clock of their own; the gate's count starts anew."""
        changes: list[Change] = []
        self.gate.calls = []
        try:
            workflow = Workflow.create(
                config or self.config(),
                clock=clock or VirtualClock(),
                on_change=changes.append,
                silent=True,
                **options,
            )
        except MetagleanError as error:
            return Outcome(error.exit_code, str(error), changes)
        with contextlib.suppress(KeyboardInterrupt):
            workflow.execute()
        error = workflow.error
        code = getattr(error, "exit_code", 130 if workflow.status == "stopped" else 70)
        assert workflow.run
        text = summary(workflow.run, workflow.status, error)
        return Outcome(code if error else 0, text, changes, workflow)

    def good_run(self, config: Mapping[str, Any] | None = None, **options: Any) -> Outcome:
        """A run without a single problem."""
        outcome = self.run(config, **options)
        assert outcome.code == 0, outcome.text
        assert not outcome.problems, outcome.text
        return outcome

    def at_another_service(self, prefix: str) -> Place:
        """The same source and server; nothing stands there."""
        return Place(self.site, self.sandbox, self.gate, self.site.scratch(prefix), self.tag)

    # -- what stands ---------------------------------------------------------------------------

    def state(self) -> State:
        return read_state(self.admin, self.service, self.site.numbers)

    def tables(self, *, include: str = "non-deleted") -> dict[str, Json]:
        """Name → table as the server gives it: live ones, `deleted` ones, or `all`."""
        wanted = fields_for("tables", self.site.numbers)
        listed = self.admin.all("tables", databaseSchema=self.scope, fields=wanted, include=include)
        found = {one["name"]: one for one in listed}
        assert len(found) == len(listed)
        return found

    def table(self, name: str) -> Json:
        return self.tables()[name]

    def id_of(self, name: str) -> str:
        """The dataset's, at the source."""
        (dataset,) = self.tenant.by_name(name)
        return dataset.id


def hired(tag: str) -> Tenant:
    """The demo tenant with people and groups that are this company's alone."""
    tenant = company(tag)
    for number, group in tenant.groups.items():
        tenant.groups[number] = dataclasses.replace(group, name=f"{group.name} {tag}")
    for dataset in tenant.datasets.values():
        dataset.owner = _of(dataset.owner, tag)
        dataset.co_owners = tuple(_of(owner, tag) for owner in dataset.co_owners)
    return tenant


def _of(owner: Any, tag: str) -> Any:
    return owner._replace(name=f"{owner.name} {tag}") if owner and owner.type == "GROUP" else owner


def employ(site: Site, tenant: Tenant, tag: str) -> None:
    """Make the company's people and groups users and teams of the server."""
    api = site.api(as_admin=True)
    for person in PEOPLE:
        name = site.discard("users", user_name(person, tag))
        api.put("users", {"name": name, "email": f"{person}@{tag}.example.com"})
    for group in tenant.groups.values():
        site.discard("teams", group.name)
        with contextlib.suppress(ApiError):
            api.put("teams", {"name": group.name, "teamType": "Group"})


@contextlib.contextmanager
def opened(site: Site, prefix: str, *, service: str = "") -> Iterator[Place]:
    """A place with the demo tenant, its people on the server, nothing else."""
    tag = new_tag()
    tenant = hired(tag)
    employ(site, tenant, tag)
    with Sandbox(tenant) as sandbox, Gate(site.url) as gate:
        yield Place(site, sandbox, gate, service or site.scratch(prefix), tag)
