"""Which failures are tried again, how often, how long; and when a system is away."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import format_datetime

import pytest

from metaglean.errors import AccessDenied, ItemError, NotFound, RemoteError
from metaglean.http import UnexpectedBody, Unreachable, Verdict
from metaglean.http.transport import Answer, Fault, TransportError


class Script:
    """A transport that plays answers; the last one repeats."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = 0
        self.lock = threading.Lock()

    def exchange(self, method, url, headers, body, timeout):
        with self.lock:
            self.timeout = timeout
            answer = self.answers[min(self.sent, len(self.answers) - 1)]
            self.sent += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


OK = Answer(200, {}, b"", 0)
REFUSED = TransportError(Fault.REFUSED, "acme.test refuses the connection")
TIMEOUT = TransportError(Fault.TIMEOUT, "no answer within 60 s")


def answer(status, **headers):
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, b"", 0)


@pytest.fixture
def play(connect):
    def make(*answers, **options):
        script = Script(*answers)
        return connect("https://acme.test", transport=script, **options), script

    return make


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 520])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_passing_statuses_are_retried(play, status, method):
    session, script = play(OK, answer(status), answer(status), OK)
    session.get("/x")
    assert session.request(method, "/x").status == 200
    assert script.sent == 4
    assert session.stats.retries == 2
    assert session.stats.calls == 2


@pytest.mark.parametrize(
    "status", [300, 302, 304, 400, 401, 402, 403, 404, 405, 409, 410, 412, 422]
)
def test_other_statuses_are_never_retried(play, status):
    session, script = play(answer(status), OK)
    with pytest.raises((ItemError, RemoteError)):
        session.get("/x")
    assert script.sent == 1
    assert session.stats.failures == 1


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.DROPPED, Fault.CUT])
def test_connection_errors_are_retried(play, fault):
    session, script = play(OK, TransportError(fault, "x"), OK)
    session.get("/x")
    assert session.get("/x").status == 200
    assert script.sent == 3


@pytest.mark.parametrize("broken", [answer(503), answer(429), TIMEOUT])
def test_post_is_retried_only_where_it_is_idempotent(play, broken):
    session, script = play(OK, broken, OK, broken, OK)
    session.get("/x")
    with pytest.raises(ItemError):
        session.post("/x", json={})
    assert script.sent == 2
    session.get("/x")
    assert session.post("/x", json={}, idempotent=True).status == 200
    assert script.sent == 5


def test_put_can_be_marked_as_not_idempotent(play):
    session, script = play(OK, answer(503), OK)
    session.get("/x")
    with pytest.raises(ItemError):
        session.put("/x", idempotent=False)
    assert script.sent == 2


@pytest.mark.parametrize("text", [b"HTTP 404 Not Found", b"{'message': 'HTTP 405'}"])
def test_500_that_wraps_a_404_is_not_retried(play, text):
    session, script = play(Answer(500, {}, text, 0), OK)
    with pytest.raises(ItemError) as caught:
        session.get("/x")
    assert caught.value.status == 500
    assert script.sent == 1


def test_six_attempts_then_an_item_error_with_status(play, clock):
    session, script = play(OK, answer(503))
    session.get("/x")
    with pytest.raises(ItemError) as caught:
        session.get("/x/1", params={"token": "canary-value"})
    assert not isinstance(caught.value, RemoteError)
    assert caught.value.status == 503
    assert script.sent == 1 + 6
    assert "Acme: GET /x/1 answered 503 (Service Unavailable)" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert clock.monotonic() <= 0.2 + 0.4 + 0.8 + 1.6 + 3.2
    assert clock.monotonic() == pytest.approx(session.stats.waited_seconds)


def test_backoff_doubles_with_jitter_and_repeats_by_name(play, clock, redactor):
    waits = []
    for _ in range(2):
        del clock.slept[:]
        session, _ = play(OK, answer(500))
        session.get("/x")
        with pytest.raises(ItemError):
            session.get("/x")
        waits.append(list(clock.slept))
    assert waits[0] == pytest.approx(waits[1])
    other, _ = play(OK, answer(500), name="Other")
    other.get("/x")
    del clock.slept[:]
    with pytest.raises(ItemError):
        other.get("/x")
    assert clock.slept != pytest.approx(waits[0])


def test_no_attempt_after_120_seconds(play, clock):
    class Slow(Script):
        def exchange(self, *args):
            clock.sleep(50)
            return super().exchange(*args)

    session, _ = play(OK)
    slow = Slow(OK, TIMEOUT)
    session._caller._transport = slow
    session.get("/x")
    with pytest.raises(ItemError):
        session.get("/x")
    assert slow.sent == 1 + 3


def test_retry_after_in_seconds(play, clock):
    session, _ = play(OK, answer(503, Retry_After="17"), OK)
    session.get("/x")
    session.get("/x")
    assert 17 <= clock.monotonic() < 17.3


@pytest.mark.parametrize("dated", [True, False])
def test_retry_after_as_a_date(play, clock, dated):
    def http_date(seconds, skew=0.0):
        moment = datetime.fromtimestamp(clock.now() + seconds + skew, timezone.utc)
        return format_datetime(moment, usegmt=True)

    # A server whose clock is an hour ahead says so in its `Date`.
    skew = 3600.0 if dated else 0.0
    headers = {"Retry_After": http_date(30, skew)}
    if dated:
        headers["Date"] = http_date(0, skew)
    session, _ = play(OK, answer(429, **headers), OK)
    session.get("/x")
    session.get("/x")
    assert 29 <= clock.monotonic() <= 31.5


@pytest.mark.parametrize("value", ["soon", "-5", "Wed, 99 Foo", "1e9999", ""])
def test_illegible_retry_after_is_ignored(play, clock, value):
    session, _ = play(OK, answer(503, Retry_After=value), OK)
    session.get("/x")
    assert session.get("/x").status == 200
    assert clock.monotonic() < 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_beyond_the_calls_time_fails_at_once(play, clock, status):
    session, script = play(OK, answer(status, Retry_After="121"), OK)
    session.get("/x")
    with pytest.raises(ItemError) as caught:
        session.get("/x")
    assert caught.value.status == status
    assert clock.monotonic() == 0
    assert script.sent == 2


def test_retry_after_of_a_429_is_waited_by_all(play, clock):
    session, script = play(OK, answer(429, Retry_After="40"), OK)
    session.get("/x")
    clock.join()
    clock.join()
    times = []

    def call():
        session.get("/x")
        times.append(clock.monotonic())
        clock.leave()

    first = threading.Thread(target=call)
    first.start()
    while script.sent < 2 or not clock.slept:
        pass
    second = threading.Thread(target=call)
    second.start()
    first.join()
    second.join()
    assert min(times) >= 40
    assert script.sent == 4
    assert session.stats.rate_limited == 1


def test_429_on_the_first_call_does_not_mean_away(play, clock):
    session, _ = play(answer(429, Retry_After="60"), OK)
    assert session.get("/x").status == 200
    assert clock.monotonic() >= 60


# -- a system that is away ------------------------------------------------------------------------


def test_first_call_gives_up_after_20_seconds(play, clock):
    session, script = play(REFUSED)
    with pytest.raises(Unreachable) as caught:
        session.get("/x")
    assert isinstance(caught.value, RemoteError)
    assert clock.monotonic() == pytest.approx(20, abs=0.1)
    assert "acme.test refuses the connection" in caught.value.message
    assert script.sent > 6
    sent = script.sent
    with pytest.raises(Unreachable):
        session.get("/y")
    assert script.sent == sent


@pytest.mark.parametrize("broken", [TIMEOUT, answer(503)])
def test_first_call_without_any_answer_is_unreachable(play, clock, broken):
    session, script = play(broken)
    with pytest.raises(Unreachable, match=r"can't be reached at acme\.test"):
        session.get("/x")
    assert script.sent == 6


def test_first_call_answered_500_costs_the_item(play):
    session, _ = play(answer(500))
    with pytest.raises(ItemError) as caught:
        session.get("/x")
    assert caught.value.status == 500


def test_connect_timeout_of_the_first_call_fits_its_time(play):
    session, script = play(OK, OK, timeout=(90.0, 60.0))
    session.get("/x")
    assert script.timeout == (20.0, 60.0)
    session.get("/x")
    assert script.timeout == (90.0, 60.0)


def test_refused_connection_is_tried_for_120_seconds_by_all_together(play, clock):
    session, script = play(OK, REFUSED)
    session.get("/x")
    for _ in range(8):
        clock.join()
    raised = []

    def call():
        try:
            session.post("/x", json={})
        except RemoteError as error:
            raised.append(error)
        finally:
            clock.leave()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) == 8
    assert clock.monotonic() == pytest.approx(120, abs=1)
    # Probes every 2.5 to 5 s by each, not one series of waits after the other.
    assert script.sent <= 8 * 60
    assert "is away" in raised[0].message


def test_system_that_comes_back_within_120_seconds_loses_nothing(play, clock):
    class Restart(Script):
        def exchange(self, *args):
            self.sent += 1
            if self.sent > 1 and clock.monotonic() < 100:
                raise REFUSED
            return OK

    session, _ = play(OK)
    session._caller._transport = Restart()
    for _ in range(3):
        assert session.get("/x").status == 200
    assert 100 <= clock.monotonic() <= 105.5


def test_twenty_spent_calls_in_a_row_mean_away(play):
    session, script = play(OK, answer(503))
    session.get("/x")
    for _ in range(19):
        with pytest.raises(ItemError):
            session.get("/x")
    with pytest.raises(Unreachable, match="20 calls in a row"):
        session.get("/x")
    sent = script.sent
    with pytest.raises(Unreachable):
        session.get("/x")
    assert script.sent == sent


def test_one_answer_in_between_begins_the_row_anew(play):
    bad = [answer(500)] * 6
    session, _ = play(OK, *(bad * 19), answer(404), *(bad * 19), OK)
    session.get("/x")
    for _ in range(19):
        with pytest.raises(ItemError):
            session.get("/x")
    with pytest.raises(NotFound):
        session.get("/x")
    for _ in range(19):
        with pytest.raises(ItemError):
            session.get("/x")
    assert session.get("/x").status == 200


def test_rate_limit_for_ever_means_away(play):
    session, _ = play(OK, answer(429))
    session.get("/x")
    for _ in range(19):
        with pytest.raises(ItemError):
            session.get("/x")
    with pytest.raises(Unreachable):
        session.get("/x")


@pytest.mark.parametrize("fault", [Fault.CERTIFICATE, Fault.TLS, Fault.PROXY_LOGIN])
def test_what_waiting_does_not_mend_is_not_retried(play, fault):
    session, script = play(TransportError(fault, "no way"))
    with pytest.raises(Unreachable, match="no way") as caught:
        session.get("/x")
    assert script.sent == 1
    assert caught.value.hint


# -- the author's own words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (Verdict.DENIED, AccessDenied),
        (Verdict.GONE, NotFound),
        (Verdict.UNAUTHENTICATED, RemoteError),
    ],
)
def test_classifier_says_what_an_answer_means(play, verdict, error):
    def classify(response):
        response.note = "toe AB1"
        return verdict

    session, script = play(OK, classify=classify)
    with pytest.raises(error, match="toe AB1"):
        session.get("/x")
    assert script.sent == 1


def test_classifier_can_ask_for_a_retry(play):
    odd = Answer(400, {}, b"busy", 0)
    session, script = play(
        OK, odd, odd, OK, classify=lambda r: Verdict.RETRY if r.content == b"busy" else None
    )
    session.get("/x")
    assert session.get("/x").status == 200
    assert script.sent == 4


def test_classifier_can_find_a_rate_limit(play):
    session, _ = play(
        OK, answer(403), OK, classify=lambda r: Verdict.RATE_LIMITED if r.status == 403 else None
    )
    session.get("/x")
    assert session.get("/x").status == 200
    assert session.stats.rate_limited == 1


# -- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("short", [True, False])
def test_cut_json_is_retried(serve, connect, reply, short):
    body = {"items": list(range(1000))}
    server = serve([reply(body, cut=700, short=short), reply(body)])
    session = connect(server)
    assert session.get("/x").json() == body
    assert session.stats.retries == 1


def test_cut_json_of_another_type_is_retried_where_json_is_wanted(serve, connect, reply):
    server = serve([reply(b'{"a": ', headers={"Content-Type": "text/plain"}), reply(b'{"a": 1}')])
    assert connect(server).get_json("/x") == {"a": 1}


def test_json_that_never_ends_is_an_item_error(serve, connect, reply):
    server = serve([reply({}), reply(b'{"a', headers={"Content-Type": "application/json"})])
    session = connect(server)
    session.get("/x")
    with pytest.raises(ItemError, match="cut off"):
        session.get("/x")
    assert len(server.requests) == 7


def test_html_instead_of_json(serve, connect, reply, redactor):
    redactor.add("canary-value")
    page = b"<html>\n<title>canary-value Login</title>" + b"x" * 1000
    server = serve([reply(page, headers={"Content-Type": "text/html; charset=utf-8"})])
    session = connect(server)
    with pytest.raises(UnexpectedBody) as caught:
        session.get_json("/x")
    message = str(caught.value)
    assert "text/html" in message
    assert "<html> <title>*** Login" in message
    assert "canary" not in message
    assert len(message) < 500
    with pytest.raises(UnexpectedBody):
        session.get("/x").json()
    assert len(server.requests) == 2


# -- over a real socket ---------------------------------------------------------------------------


def test_dropped_connections_and_timeouts(serve, connect, reply):
    server = serve([reply({}), reply(drop=True), reply({}, after=0.15), reply({"a": 1})])
    session = connect(server, timeout=(1.0, 0.05))
    session.get("/x")
    assert session.get_json("/x") == {"a": 1}
    assert session.stats.retries == 2


def test_refused_port(connect, free_port, clock):
    session = connect(f"http://127.0.0.1:{free_port}")
    with pytest.raises(Unreachable, match=f"127.0.0.1:{free_port} refuses the connection"):
        session.get("/x")
    assert clock.monotonic() == pytest.approx(20, abs=0.1)


def test_unknown_host(connect):
    session = connect("https://no-such-host.invalid")
    with pytest.raises(Unreachable, match="DNS") as caught:
        session.get("/x")
    assert "spelling" in caught.value.hint


def test_ten_percent_faults_lose_nothing(serve, connect, reply):
    def answer_(request):
        kind = request.number * 7919 % 30
        if kind == 0:
            return reply(b"", 429)
        if kind == 10:
            return reply(b"", 503)
        return reply(drop=True) if kind == 20 else reply({"path": request.path})

    server = serve(answer_)
    session = connect(server)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: session.get_json(f"/{n}")["path"], range(150)))
    assert found == [f"/{n}" for n in range(150)]
    assert session.stats.failures == 0
    assert session.stats.retries >= 10
