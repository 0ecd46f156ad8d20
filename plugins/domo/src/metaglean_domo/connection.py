"""What each credential and scope is for: said at the start, and tested by `test-connection`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from metaglean import AccessDenied, MetagleanError, Run, Step
from metaglean.http import CredentialsRefused
from metaglean_domo.api import InstanceApi, PublicApi
from metaglean_domo.config import DomoConnection
from metaglean_domo.enrich import DETAILS, KEYS, VIEW_SQL

_CLIENT = "developer.domo.com, My account, Manage clients"
_TOKENS = "Admin, Authentication, Access tokens"
_CUSTOMER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def connection_steps(
    public: PublicApi, instance: InstanceApi | None, config: DomoConnection
) -> Iterator[Step]:
    """One step a credential and scope, one call each."""
    token = _step("API client", public.claims, f"check clientId and secretToken ({_CLIENT})")
    yield token
    if not token.ok:
        return
    scopes = granted(public.claims())
    yield _scope_step(
        "data",
        "datasets",
        lambda: public.datasets_page(0, None, 1),
        scopes,
        required=True,
        cost="nothing can be read",
    )
    yield _scope_step(
        "user", "owners", lambda: public.users_page(1), scopes, cost="owners are not read"
    )
    dashboard = None if scopes is None else "dashboard" in scopes
    detail = "" if dashboard else "not granted: only pages and cards need it"
    yield Step("scope dashboard: pages and cards", dashboard, detail, required=False)
    yield from _instance_steps(public, instance, config)


def _instance_steps(
    public: PublicApi, instance: InstanceApi | None, config: DomoConnection
) -> Iterator[Step]:
    names = ("access token", f"instance: {DETAILS}")
    if instance is None:
        missing = " and ".join(config.missing_for_instance())
        for name in names:
            yield Step(name, None, f"{missing} not given", required=False)
        return
    me = _step(names[0], instance.me, f"check accessToken ({_TOKENS}) and instanceDomain")
    yield me
    if not me.ok:
        yield Step(names[1], None, "it needs the access token", required=False)
        return

    def details() -> Any:
        ids = [str(item.get("id")) for item in public.datasets_page(0, None, 1)]
        return instance.datasets(ids) if ids else None

    yield _step(
        names[1], details, "the token's user needs a role that sees datasets", required=False
    )


def _scope_step(
    scope: str,
    what: str,
    call: Callable[[], Any],
    scopes: frozenset[str] | None,
    *,
    cost: str,
    required: bool = False,
) -> Step:
    name, hint = f"scope {scope}: {what}", f"grant the client the scope {scope} ({_CLIENT})"
    if scopes is not None and scope not in scopes:
        return Step(name, ok=False, detail=f"not granted: {cost}; {hint}", required=required)
    return _step(name, call, hint, required=required)


def _step(name: str, call: Callable[[], Any], hint: str, *, required: bool = True) -> Step:
    try:
        found = call()
    except (AccessDenied, CredentialsRefused) as error:
        return Step(name, ok=False, detail=f"{error.message}; {hint}", required=required)
    except MetagleanError as error:
        detail = f"{error.message}; {error.hint or hint}"
        return Step(name, ok=False, detail=detail, required=required)
    return Step(name, ok=True, detail=_found(found), required=required)


def _found(answer: Any) -> str:
    """What to show of an answer: the token's scopes, or the token's user."""
    if not isinstance(answer, dict):
        return ""
    scope = answer.get("scope")
    if isinstance(scope, str):
        return f"scopes: {scope}"
    return f"user {answer['displayName']}" if answer.get("displayName") else ""


def announce(run: Run, claims: dict[str, Any], config: DomoConnection) -> None:
    """Say what each credential or scope that is missing costs."""
    missing = config.missing_for_instance()
    if missing:
        run.warn(
            f"{' and '.join(missing)} not given: {DETAILS}, {VIEW_SQL} and {KEYS} are not read",
            hint=f"Make an access token in Domo ({_TOKENS}).",
            feature="instance",
        )
    scopes = granted(claims)
    if scopes is not None and "dashboard" not in scopes:
        run.log.info("scope dashboard is not granted: tables don't need it")


def granted(claims: dict[str, Any]) -> frozenset[str] | None:
    """The scopes of the token, None where it doesn't say."""
    scope = claims.get("scope")
    if isinstance(scope, str):
        return frozenset(scope.split())
    if isinstance(scope, list):
        return frozenset(str(word) for word in scope)
    return None


def link_base(config: DomoConnection, claims: dict[str, Any]) -> str | None:
    """The address that links start with: the instance's, else by the token's `customer`."""
    if config.instance_domain:
        return config.instance_domain
    customer = claims.get("customer")
    if isinstance(customer, str) and _CUSTOMER.fullmatch(customer):
        return f"https://{customer}.domo.com"
    return None
