from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from metaglean_testkit import VirtualClock


def in_threads(function, count=8):
    with ThreadPoolExecutor(count) as pool:
        return [
            future.result(timeout=10) for future in [pool.submit(function, n) for n in range(count)]
        ]


def test_sleep_moves_time_at_once():
    clock = VirtualClock(start=1000.0)
    began = time.monotonic()
    for _ in range(100):
        clock.sleep(3600)
    assert clock.monotonic() == 360_000
    assert clock.now() == 361_000
    assert clock.slept == [3600] * 100
    assert time.monotonic() - began < 1


def test_workers_that_wait_together_take_the_time_of_one():
    clock = VirtualClock()
    clock.monotonic()
    in_threads(lambda _: clock.sleep(10))
    assert 10 <= clock.monotonic() < 30  # a thread that starts late may wait after the others


def test_who_is_due_first_wakes_first():
    clock = VirtualClock()
    order, ready = [], threading.Barrier(4)

    def wait(number):
        ready.wait()
        clock.sleep(10 * (4 - number))
        order.append(number)

    in_threads(wait, 4)
    assert order == [3, 2, 1, 0]


def test_time_stands_still_while_an_answer_is_on_its_way():
    clock = VirtualClock()
    in_flight = threading.Event()

    def answer(seen):
        with clock.busy():
            in_flight.set()
            time.sleep(0.05)
            seen.append(clock.monotonic())

    seen: list[float] = []
    other = threading.Thread(target=answer, args=(seen,))
    other.start()
    in_flight.wait()
    clock.sleep(60)
    other.join()
    assert seen == [0.0]


def test_a_sleeper_with_a_lock_does_not_block_for_ever():
    clock, lock = VirtualClock(), threading.Lock()

    def work(_):
        clock.monotonic()
        with lock:
            clock.sleep(5)

    in_threads(work)
    assert clock.monotonic() == 40


def test_wake_ends_all_waits():
    clock = VirtualClock()
    clock.wake()
    clock.sleep(10)
    assert clock.monotonic() == 0


@pytest.mark.parametrize("seconds", [0, -1])
def test_nothing_to_wait_for(seconds):
    clock = VirtualClock()
    clock.sleep(seconds)
    assert (clock.monotonic(), clock.slept) == (0, [])


def test_advance():
    clock = VirtualClock()
    clock.advance(5)
    assert clock.monotonic() == 5
