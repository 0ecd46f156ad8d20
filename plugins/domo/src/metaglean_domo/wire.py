"""What Domo's answers mean where their status says something else."""

from __future__ import annotations

import re

from metaglean.http import Response, Verdict

_WRAPPED = re.compile(r"\(403\)|access is denied", re.IGNORECASE)
_RATE = re.compile(r"rate limit", re.IGNORECASE)


def classify(response: Response) -> Verdict | None:
    """Domo wraps a refused permission in a 400, may call a rate limit 403, and answers an expired
    token with 406. The id that its support asks for (`toe`) goes into the error's message."""
    status = response.status
    if status < 400:
        return None
    toe = _toe(response)
    if toe:
        response.note = f"toe {toe}"
    if status == 400 and _WRAPPED.search(response.text[:2000]):
        return Verdict.DENIED
    if status == 403 and _RATE.search(response.text[:2000]):
        return Verdict.RATE_LIMITED
    if status == 406:
        return Verdict.UNAUTHENTICATED
    return None


def _toe(response: Response) -> str:
    try:
        body = response.parse()
    except ValueError:
        return ""
    toe = body.get("toe") if isinstance(body, dict) else None
    return str(toe)[:100] if toe else ""
