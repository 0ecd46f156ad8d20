"""The rate that is found out: simulated limits and noise, and one limit in real time."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from metaglean.clock import SystemClock
from metaglean.http import Session
from metaglean.http.rate import Governor
from metaglean.http.transport import Answer, Fault, TransportError

WORKERS = 8
QUIET = logging.getLogger("metaglean.quiet")
QUIET.setLevel(logging.INFO)


class Simulated:
    """A system in simulated time: `refuses(now)` says whether a request is refused."""

    def __init__(self, clock, latency, judge):
        self.clock, self.latency, self.judge = clock, latency, judge
        self.lock = threading.Lock()
        self.refused = self.sent = 0

    def exchange(self, method, url, headers, body, timeout):
        with self.lock:
            self.sent += 1
            answer = self.judge(self.clock.monotonic())
        self.clock.sleep(self.latency)
        if isinstance(answer, TransportError):
            raise answer
        self.refused += answer.status == 429
        return answer

    def close(self):
        pass


GOOD = Answer(200, {}, b"", 0)
HINTED = Answer(429, {"Retry-After": "1"}, b"", 0)
UNHINTED = Answer(429, {}, b"", 0)


def bucket(limit, refusal):
    """`limit` tokens, refilled at `limit` a second."""
    state = [float(limit), 0.0]

    def judge(now):
        state[0] = min(limit, state[0] + (now - state[1]) * limit)
        state[1] = now
        if state[0] < 1:
            return refusal
        state[0] -= 1
        return GOOD

    return judge


def fixed_window(limit, refusal):
    """`limit` requests in each second of the clock."""
    served: dict[int, int] = {}

    def judge(now):
        served[int(now)] = served.get(int(now), 0) + 1
        return refusal if served[int(now)] > limit else GOOD

    return judge


def sliding_window(limit, refusal):
    """`limit` requests in any second."""
    times: deque[float] = deque()

    def judge(now):
        while times and times[0] <= now - 1:
            times.popleft()
        if len(times) >= limit:
            return refusal
        times.append(now)
        return GOOD

    return judge


def noise(seed, share):
    """A share of all answers is 429 without Retry-After, 503 or a dropped connection."""
    rng = random.Random(seed)

    def judge(now):
        if rng.random() >= share:
            return GOOD
        return rng.choice(
            [UNHINTED, Answer(503, {}, b"", 0), TransportError(Fault.DROPPED, "dropped")]
        )

    return judge


def run(clock, redactor, judge, calls, latency=0.02, workers=WORKERS):
    """Simulated seconds that `calls` calls take, and the system."""
    system = Simulated(clock, latency, judge)
    session = Session(
        "Acme", "https://acme.test", clock=clock, redactor=redactor, transport=system,
        log=QUIET,
    )  # fmt: skip
    numbers = count()
    done = []

    def work():
        try:
            while next(numbers) < calls:
                done.append(session.get("/x").status)
        finally:
            clock.leave()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for _ in threads:
        clock.join()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [200] * calls
    return clock.monotonic(), system


@pytest.mark.parametrize("limiter", [bucket, fixed_window, sliding_window])
@pytest.mark.parametrize("latency", [0.001, 0.02, 0.1])
def test_true_limit_with_retry_after(clock, redactor, limiter, latency):
    seconds, system = run(clock, redactor, limiter(50, HINTED), 1000, latency)
    assert seconds <= 1.3 * 1000 / 50
    assert system.refused <= 0.05 * system.sent


@pytest.mark.parametrize("limiter", [bucket, fixed_window, sliding_window])
def test_true_limit_without_retry_after_loses_nothing(clock, redactor, limiter):
    seconds, system = run(clock, redactor, limiter(50, UNHINTED), 1000)
    assert seconds <= 1.3 * 1000 / 50
    assert system.refused <= 0.08 * system.sent


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("latency", "most"), [(0.001, 12), (0.02, 12)])
def test_noise_does_not_bring_the_rate_down(clock, redactor, seed, latency, most):
    seconds, _ = run(clock, redactor, noise(seed, 0.10), 1000, latency)
    assert seconds <= most


def test_long_noise_settles_at_a_good_rate(clock, redactor):
    seconds, _ = run(clock, redactor, noise(1, 0.10), 4000)
    assert 4000 / seconds >= 120


def test_real_time(serve, connect, reply):
    limiter = bucket(50, HINTED)
    server = serve(
        lambda request: (
            reply({}) if limiter(time.monotonic()) is GOOD
            else reply(b"", 429, {"Retry-After": "1"})
        )
    )  # fmt: skip
    session = connect(server, clock=SystemClock())
    begin = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda _: session.get("/x"), range(100)))
    assert time.monotonic() - begin <= 1.3 * 100 / 50 + 1
    assert 1 <= session.stats.rate_limited <= WORKERS + 2
    assert session.stats.waited_seconds > 0


def test_fixed_rate(clock, redactor):
    system = Simulated(clock, 0.0, lambda now: GOOD)
    session = Session(
        "Acme", "https://a.test", clock=clock, redactor=redactor, transport=system,
        requests_per_second=4,
    )  # fmt: skip
    for _ in range(9):
        session.get("/x")
    assert clock.monotonic() == pytest.approx(2.0)


def test_refusals_within_a_second_count_as_one(clock):
    governor = Governor(clock)
    assert governor.delay() == 0
    for _ in range(100):
        governor.accepted(clock.monotonic())
        clock.sleep(0.01)
    for _ in range(8):
        governor.refused(clock.monotonic())
        clock.sleep(0.01)
    assert governor.rate == pytest.approx(50 * 2**0.08, rel=0.05)
    for _ in range(100):
        governor.accepted(clock.monotonic())
        clock.sleep(0.01)
    governor.refused(clock.monotonic())
    assert governor.rate == pytest.approx(50 * 2**1.08 / 2, rel=0.05)


def test_late_answers_to_requests_of_before_count_as_the_same_refusal(clock):
    governor = Governor(clock)
    for _ in range(100):
        governor.accepted(clock.monotonic())
        clock.sleep(0.01)
    sent = clock.monotonic() - 0.5
    governor.refused(clock.monotonic())
    clock.sleep(1.5)
    rate = governor.rate
    governor.refused(sent)
    assert governor.rate == rate


def test_retry_after_pauses_everybody_and_fixed_rate_stays(clock):
    governor = Governor(clock, requests_per_second=10)
    governor.refused(clock.monotonic(), 7)
    assert governor.delay() == pytest.approx(7)
    assert governor.delay() == pytest.approx(7.1)
    assert governor.rate == 10


def test_unlimited_again_after_a_quiet_minute(clock):
    governor = Governor(clock)
    governor.refused(clock.monotonic(), 1)
    assert governor.rate is not None
    clock.sleep(70)
    assert governor.rate is None
    assert governor.delay() == 0
