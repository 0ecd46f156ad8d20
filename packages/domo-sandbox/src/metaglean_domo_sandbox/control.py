"""The control surface for other processes: `/__sandbox__/...`, not part of Domo, never counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_domo_sandbox.faults import Fault, FaultPlan
from metaglean_domo_sandbox.model import Json
from metaglean_domo_sandbox.routing import Answer, Request, Response, error, json_body, ok

if TYPE_CHECKING:
    from metaglean_domo_sandbox.app import App

_SETTINGS = ("scopes", "expires_in", "latency_ms", "refuse_sort", "shifting", "access_token")


def control(app: App, request: Request) -> Response:
    """Answer `GET stats` and `requests`; `POST reset`, `faults`, `mutate`. Mistakes are 400."""
    name = request.path.rsplit("/", 1)[-1]
    if request.method == "GET" and name == "stats":
        return ok({**app.stats.as_json(), "datasets": len(app.tenant.live())})
    if request.method == "GET" and name == "requests":
        return ok([list(entry) for entry in app.stats.log])
    actions = {"reset": _reset, "faults": _faults, "mutate": _mutate}
    if request.method != "POST" or name not in actions:
        return error(404, "The sandbox knows GET stats, requests; POST reset, faults, mutate")
    try:
        body = json_body(request) if request.body else {}
        actions[name](app, body)
    except Answer as ending:
        return ending.response
    except (KeyError, TypeError, ValueError) as problem:
        return error(400, f"{type(problem).__name__}: {problem}")
    return ok({"done": name})


def _reset(app: App, body: Json) -> None:
    """Forget the counts; with `{"data": true}` undo all changes of the tenant as well, with
    `{"faults": true}` lift faults, limits and latency."""
    app.stats.reset()
    app.plan.restart()
    if body.get("data"):
        app.tenant.restore_from(app.original)
    if body.get("faults"):
        app.plan = FaultPlan()
        app.limit_rate(None)
        app.settings.latency_ms = 0


def _faults(app: App, body: Json) -> None:
    """Replace the rules (`{"rules": [...], "seed": 1}` or `{"rate": 0.1, "seed": 1}`); any of
    `rate_limit` and the settings may stand beside them."""
    settings = {key: body.pop(key) for key in _SETTINGS if key in body}
    seed = body.pop("seed", 0)
    plan: FaultPlan | None = None
    if "rate" in body:
        plan = FaultPlan.at_random(float(body.pop("rate")), seed)
    elif "rules" in body:
        plan = FaultPlan(tuple(Fault.from_json(rule) for rule in body.pop("rules")), seed)
    if "rate_limit" in body:
        app.limit_rate(body.pop("rate_limit"))
    if body:
        raise ValueError(f"unknown keys {sorted(body)}")
    for key, value in settings.items():
        setattr(app.settings, key, frozenset(value) if key == "scopes" else value)
    if plan is not None:
        app.plan = plan


def _mutate(app: App, body: Json | list[Json]) -> None:
    """Change the tenant: `{"op": "rename", "dataset": "...", "name": "..."}`, or a list of such."""
    for change in body if isinstance(body, list) else [body]:
        app.tenant.mutate(**change)
