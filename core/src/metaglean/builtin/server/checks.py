"""What a run needs of a server, asked in four calls: who the token is, what it may, who else
writes there. The steps of `test-connection`, and the warnings at the start of a run."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from metaglean import ItemError, NotFound, RemoteError, Step
from metaglean.builtin.server.client import Server
from metaglean.builtin.server.features import FIRST, PROVED, shown
from metaglean.builtin.server.names import QualifiedNames, ServerNames
from metaglean.http import CredentialsRefused

if TYPE_CHECKING:
    from metaglean import Run
    from metaglean.builtin.server.config import ServerConfig

KINDS = ("databaseService", "database", "databaseSchema", "table", "classification", "tag")
EDIT = "EditAll"
# Together they change what people see; columns, definitions and addresses need EditAll.
_EDITS = ("EditDescription", "EditDisplayName", "EditTags")
_OWNERS = ("EditOwner", "EditOwners")
# A writer owns nothing of what it writes.
_OF_OWNERS = ("isOwner()", "noOwner()")
_GIVEN_BY = "give it by the role IngestionBotRole (policy IngestionBotPolicy) or one of your own"


class Identity(NamedTuple):
    """Whose token it is.

    `denied` are the (resource, operation) pairs that a policy refuses it, single ones below an
    allowed `EditAll` included: a patch with such a field is refused as a whole.
    """

    name: str
    is_bot: bool
    is_admin: bool
    denied: frozenset[tuple[str, str]] = frozenset()

    def may(self, resource: str, operation: str) -> bool:
        """False where a policy refuses the operation on this kind of entity."""
        return (resource, operation) not in self.denied


class Permission(NamedTuple):
    """One operation on one kind of entity. `access` is the server's word: allow, deny, notAllow,
    conditionalAllow or conditionalDeny; the policy (and its condition) that decides it."""

    access: str
    policy: str
    condition: str = ""

    @property
    def granted(self) -> bool | None:
        """None where it depends on the entity, in a way that can't be told beforehand."""
        if self.access.startswith("conditional") and self.condition not in _OF_OWNERS:
            return None
        return self.access in {"allow", "conditionalDeny"}


Permissions = Mapping[str, Mapping[str, Permission]]


def checks(
    server: Server, run: Run, config: ServerConfig, kinds: Collection[str] = KINDS
) -> Generator[Step, None, Identity]:
    """One step a permission that writing these kinds needs; returns whose token it is.

    Raises CredentialsRefused where the server refuses the token.
    """
    yield _version_step(server, run, config)
    identity = _identity(server)
    yield _token_step(identity, run)
    permissions = {} if identity.is_admin else _permissions(server)
    if identity.is_admin:
        yield Step("permissions", True, "an administrator has all")
    elif not permissions:
        yield Step("permissions", None, "the server doesn't tell them", required=False)
    else:
        yield from _permission_steps(permissions, kinds, run)
    yield from _agent_steps(server, run)
    return identity._replace(denied=frozenset(_denied(permissions)))


# -- the server ---------------------------------------------------------------------------------


def _version_step(server: Server, run: Run, config: ServerConfig) -> Step:
    version = shown(server.features.version)
    assumed = server.features.assumed()
    name = f"OpenMetadata {version}"
    if assumed is None:
        return Step(name, True, server.session.base_url)
    least, most = sorted((_pair(assumed.like), server.features.version[:2]))
    between = [feature for feature, first in FIRST.items() if least < first <= most]
    lacking = "without" if server.features.version[:2] < PROVED[0] else "with"
    rest = f", {lacking} {', '.join(between)}" if between else ""
    text = f"{name} was never tested: it is taken for {assumed.like}{rest}"
    if config.enable_version_validation:
        run.warn(text, hint="enableVersionValidation: false keeps this quiet.")
    return Step(name, True, text)


def _pair(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


# -- the token ----------------------------------------------------------------------------------


def _identity(server: Server) -> Identity:
    try:
        body = server.get("users/loggedInUser")
    except CredentialsRefused as error:
        raise CredentialsRefused(
            error.message,
            "Put the current token of a bot (Settings, Bots, ingestion-bot) into "
            "securityConfig.jwtToken; an earlier one is refused, even unexpired.",
        ) from error
    except NotFound:
        return Identity("", is_bot=False, is_admin=False)
    except ItemError as error:
        raise RemoteError(error.message, error.hint) from error
    user = body if isinstance(body, dict) else {}
    return Identity(
        str(user.get("name") or ""), user.get("isBot") is True, user.get("isAdmin") is True
    )


def _token_step(identity: Identity, run: Run) -> Step:
    if not identity.name:
        return Step("token", None, "the server doesn't tell whose it is", required=False)
    if identity.is_bot:
        return Step("token", True, f"{identity.name}, a bot")
    run.warn(
        f"the token is of a person ({identity.name}): descriptions, display names and owners are "
        "only filled where they are empty, never changed",
        hint="What a run writes can't be told from what that person wrote; use a bot's token.",
    )
    return Step("token", True, f"{identity.name}, a person: texts and owners are only filled")


# -- its permissions ----------------------------------------------------------------------------


def _permissions(server: Server) -> Permissions:
    """Resource → operation → permission, in one call; empty where the server doesn't tell."""
    try:
        body = server.get("permissions", limit=100)
    except ItemError:
        return {}
    listed = body.get("data") if isinstance(body, dict) else None
    found: dict[str, dict[str, Permission]] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("permissions"), list):
            found[str(entry.get("resource"))] = dict(_operations(entry["permissions"]))
    return found


def _operations(listed: list[Any]) -> Iterator[tuple[str, Permission]]:
    for entry in listed:
        if isinstance(entry, dict) and isinstance(entry.get("operation"), str):
            rule = entry.get("rule")
            condition = rule.get("condition") if isinstance(rule, dict) else None
            yield (
                entry["operation"],
                Permission(
                    str(entry.get("access") or ""),
                    str(entry.get("policy") or ""),
                    str(condition or ""),
                ),
            )


def _permission_steps(permissions: Permissions, kinds: Collection[str], run: Run) -> Iterator[Step]:
    for operation in ("ViewAll", "Create", EDIT, "Delete"):
        granted = {kind: _granted(permissions, kind, operation) for kind in kinds}
        without = [kind for kind, may in granted.items() if not may]
        refused = [kind for kind, may in granted.items() if may is False]
        singly = operation == EDIT and all(_edits(permissions, kind) for kind in refused)
        required = operation != "Delete" and not (refused and singly)
        detail = _lacking(permissions, without, operation, bool(refused)) if without else ""
        ok = False if refused else None if without else True
        if without and not (refused and required):
            run.warn(f"the permission {operation} of the token is {detail}")
        yield Step(f"permission {operation}", ok, detail, required)


def _granted(permissions: Permissions, kind: str, operation: str) -> bool | None:
    operations = permissions.get(kind, {})
    found = operations.get(operation) or operations.get("All")
    return found.granted if found else False


def _edits(permissions: Permissions, kind: str) -> bool:
    """Whether the single permissions to edit are there, without EditAll."""
    owners = any(_granted(permissions, kind, operation) for operation in _OWNERS)
    return owners and all(_granted(permissions, kind, operation) for operation in _EDITS)


def _lacking(
    permissions: Permissions, kinds: Collection[str], operation: str, refused: bool
) -> str:
    """On which kinds, which policy says so, and what gives it."""
    told = {
        f"{found.policy} says {' '.join(filter(None, (found.access, found.condition)))}"
        for kind in kinds
        if (found := permissions.get(kind, {}).get(operation)) and found.policy
    }
    said = f" ({', '.join(sorted(told))})" if told else ""
    what = "missing on" if refused else "conditional on"
    return f"{what} {', '.join(kinds)}{said}: {_GIVEN_BY}"


def _denied(permissions: Permissions) -> Iterator[tuple[str, str]]:
    for kind, operations in permissions.items():
        for operation, permission in operations.items():
            if permission.access == "deny":
                yield kind, operation


# -- who else writes there ----------------------------------------------------------------------


def _agent_steps(server: Server, run: Run) -> Iterator[Step]:
    """Agents of the server that are on and write the same service. (Their bodies hold tokens.)"""
    name = "other agents"
    service = QualifiedNames(ServerNames(server.features))(run.service)
    try:
        found = [
            str(agent.get("fullyQualifiedName"))
            for agent in server.listing(
                "services/ingestionPipelines", service=service, pipelineType="metadata"
            )
            if _writes(agent, run.service.kind, service)
        ]
    except ItemError as error:
        yield Step(name, None, error.message, required=False)
        return
    others = sorted(agent for agent in found if agent != run.ingestion_pipeline_fqn)
    if not others:
        yield Step(name, True, "none that writes this service")
        return
    text = f"an agent of the server writes the same service: {', '.join(others)}"
    run.warn(
        text, hint="Switch it off (the service's page, Agents): two writers undo each other's work."
    )
    yield Step(name, False, text, required=False)


def _writes(agent: Any, kind: str, service: str) -> bool:
    if not isinstance(agent, dict) or agent.get("pipelineType") != "metadata":
        return False
    owner = agent.get("service")
    owner = owner if isinstance(owner, dict) else {}
    same = owner.get("fullyQualifiedName", owner.get("name")) == service
    return agent.get("enabled") is not False and same and owner.get("type", kind) == kind
