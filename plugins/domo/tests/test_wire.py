from __future__ import annotations

import json

import pytest

from metaglean.http import Response, Verdict
from metaglean_domo.wire import classify


def answer(status, body):
    content = body if isinstance(body, str) else json.dumps(body)
    return Response(status, {}, content.encode())


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, {"message": "Infrastructure problem (403): Access is denied"}, Verdict.DENIED),
        (400, {"message": "Cannot deserialize"}, None),
        (403, {"message": "API Rate limit reached"}, Verdict.RATE_LIMITED),
        (403, "API rate limit reached", Verdict.RATE_LIMITED),
        (403, {"message": "Access denied"}, None),
        (406, "<html>expired</html>", Verdict.UNAUTHENTICATED),
        (200, {"message": "API Rate limit reached (403)"}, None),
        (500, ["?"], None),
    ],
)
def test_verdicts(status, body, verdict):
    assert classify(answer(status, body)) is verdict


def test_the_support_id_goes_along():
    response = answer(500, {"message": "oops", "toe": "AB12"})
    classify(response)
    assert response.note == "toe AB12"
